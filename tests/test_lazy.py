"""Packages whose names load late: the names are there, and importing the package loads nothing heavy."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import cistron

PACKAGES = (
    "cells",
    "chromatin",
    "evaluation.edges",
    "evaluation.enhancers",
    "evaluation.expression",
    "evaluation.genesets",
    "evaluation.gwas",
    "evaluation.labels",
    "evaluation.pairs",
    "evaluation.sldp",
    "evaluation.variants",
    "formats",
    "genome",
    "networks",
    "omics",
    "sequence",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there(package):
    module = import_module(f"cistron.{package}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = module.absent


def test_importing_them_loads_nothing_heavy():
    code = (
        "import sys, importlib\n"
        f"for name in {PACKAGES!r}: importlib.import_module('cistron.' + name)\n"
        "print(sorted({'torch', 'anndata', 'pandas', 'scipy', 'lightgbm', 'zarr'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_package_is_reached_from_cistron():
    """``import cistron; cistron.study`` works for each package; the command line is the program's own."""
    folder = Path(cistron.__file__).parent
    packages = {place.parent.name for place in folder.glob("*/__init__.py")} - {"cli"}
    assert packages == set(cistron.__all__) - {"__version__"}
    for name in packages:
        assert getattr(cistron, name).__name__ == f"cistron.{name}"
