"""Names of a package that are imported when they are first used: a command that only prints help must not load AnnData or torch."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, where: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """Module-level ``__getattr__`` (PEP 562) and ``__all__`` of a package whose names load late.

    Parameters
    ----------
    package
        Full name of the package.
    where
        Names by module: of the package (``estimator``), or by its full name (``cistron.methods``). ``old as new`` renames.

    Returns
    -------
    getattr, all
    """
    places: dict[str, tuple[str, str]] = {}
    for module, names in where.items():
        full = module if module.startswith("cistron.") else f"{package}.{module}"
        for name in names:
            inside, _, outside = name.partition(" as ")
            places[outside or inside] = (full, inside)

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, inside = places[name]
        value = getattr(import_module(module), inside)
        setattr(sys.modules[package], name, value)
        return value

    return get, sorted(places)
