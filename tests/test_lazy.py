"""Packages whose names load late: the names are there, and importing the package loads nothing heavy."""

import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = (
    "cells",
    "chromatin",
    "evaluation.edges",
    "evaluation.expression",
    "evaluation.genesets",
    "evaluation.gwas",
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
