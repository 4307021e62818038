"""cistron learns what genes do from five kinds of evidence, and measures honestly what that knowledge is worth.

Sub-packages load on first use, so that ``import cistron`` stays well under a second and loads no torch.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = (
    "cells",
    "chromatin",
    "datasets",
    "evaluation",
    "formats",
    "genes",
    "genome",
    "methods",
    "networks",
    "omics",
    "plots",
    "report",
    "runtime",
    "sequence",
    "statistics",
    "study",
    "training",
    "world",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"cistron.{name}")
    raise AttributeError(f"module 'cistron' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
