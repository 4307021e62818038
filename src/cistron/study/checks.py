"""Check the keys of a study file: a wrong one is named with the nearest right one."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from cistron.errors import InputError
from cistron.methods import SettingError


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing where no known name is near."""
    found = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def require_keys(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raise on the first key that is not known.

    Parameters
    ----------
    table
        Table of a study file.
    known
        Keys that it may have.
    where
        Name of the table, for the message.

    Raises
    ------
    InputError
        Naming the table, the key and the nearest right one.
    """
    known = list(known)
    for key in table:
        if key not in known:
            advice = nearest(key, known) or f"; it has {', '.join(known)}"
            raise InputError(f"{where}: there is no key {key!r}{advice}")


def require_text(value: Any, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where} must be a text. Given: {value!r}")
    return value


def require_texts(value: Any, where: str) -> list[str]:
    """A list of texts; one text alone is a list of one."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(one, str) and one for one in values):
        raise InputError(f"{where} must be a list of texts. Given: {value!r}")
    return values


def flat_settings(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings of a task in one level: tables within tables become names with dots."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}".replace("-", "_")
        if isinstance(value, dict):
            flat |= flat_settings(value, f"{name}.")
        else:
            flat[name] = tuple(value) if isinstance(value, list) else value
    return flat


def check_task_settings(task: Any, where: str) -> None:
    """Raise on a setting that the kind of a task does not have, or a wrong value.

    Raises
    ------
    InputError
        Naming the table, the key and the nearest right one.
    """
    from cistron.methods import setting_names

    names = setting_names(task.kind.settings_class()())
    keys = ["kind", "evidence", *task.kind.inputs, *names]
    for key in task.settings:
        if key not in names:
            raise InputError(
                f"{where}: there is no key {key!r}{nearest(key, keys) or '; it has ' + ', '.join(keys)}"
            )
    try:
        task.settings_object()
    except SettingError as error:
        raise InputError(f"{where}: {error}") from error
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: a setting has a value of a wrong type ({error})") from error
