"""Presets of settings, with what was given on the command line put over them."""

import dataclasses
from typing import Any


def put_over(base: Any, given: Any, default: Any) -> Any:
    """Take from ``given`` what differs from the default, the rest from ``base``; all three of one data class."""
    changes = {}
    for field in dataclasses.fields(base):
        value, usual = getattr(given, field.name), getattr(default, field.name)
        if dataclasses.is_dataclass(value):
            changes[field.name] = put_over(getattr(base, field.name), value, usual)
        elif value != usual:
            changes[field.name] = value
    return dataclasses.replace(base, **changes)
