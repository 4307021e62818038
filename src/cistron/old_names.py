"""Modules under the names that they had, until 0.3: the old name gives what the new modules hold."""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class _OldModule(ModuleType):
    """A module that looks its names up in others when they are asked for."""

    def __init__(self, name: str, places: tuple[str, ...], renamed: Mapping[str, str]) -> None:
        super().__init__(name, f"Old name of {' and '.join(places)}, until 0.3.")
        self._places, self._renamed = places, renamed

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            for place in self._places:
                module = import_module(place)
                if hasattr(module, self._renamed.get(name, name)):
                    return getattr(module, self._renamed.get(name, name))
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def keep_old_modules(
    package: str, moved: Mapping[str, tuple[str, ...]], renamed: Mapping[str, str] | None = None
) -> None:
    """Let modules of a package be imported by their old names.

    No files are left at the old places, so that version control follows the moves, and nothing is imported before it is asked for.

    Parameters
    ----------
    package
        Full name of the package.
    moved
        New modules of each old one, all named within the package.
    renamed
        New name of each object that is called differently now.
    """
    for old, new in moved.items():
        places = tuple(f"{package}.{place}" for place in new)
        sys.modules[f"{package}.{old}"] = _OldModule(f"{package}.{old}", places, renamed or {})
