"""The table in CONTRIBUTING.md (wing x file) is what stands in the tree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cistron"
WINGS = ("omics", "sequence", "chromatin", "cells", "networks")
# Rows in which the first file of every wing has the same name, or that name and a thing: inputs_proteins.
SAME_NAME = {
    "files to arrays": "inputs",
    "all settings; no torch": "settings",
    "the list of methods": "methods",
    "jobs: what a user and the command line call": "estimator",
    "loading and saving": "saving",
}


def floor_plan() -> dict[str, dict[str, list[str]]]:
    """Files by row and wing."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    header, _, *rows = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    assert tuple(word.strip() for word in header.split("|"))[1:] == WINGS
    plan = {}
    for row in rows:
        what, *cells = (cell.strip() for cell in row.split("|"))
        plan[what] = {wing: re.findall(r"`(\w+)`", cell) for wing, cell in zip(WINGS, cells, strict=True)}
    return plan


def files_of(wing: str) -> list[str]:
    """Files of a wing."""
    return [path.stem for path in (SOURCE / wing).glob("*.py") if path.stem != "__init__"]


@pytest.mark.parametrize("wing", WINGS)
def test_every_file_is_in_the_table_once(wing):
    named = [name for row in floor_plan().values() for name in row[wing]]
    assert sorted(named) == sorted(files_of(wing))


@pytest.mark.parametrize("what", SAME_NAME)
def test_the_same_thing_has_the_same_name_in_every_wing(what):
    name = SAME_NAME[what]
    for wing, files in floor_plan()[what].items():
        if files:  # none is an exception, which the text below the table explains
            assert re.fullmatch(rf"{name}(_\w+)?", files[0]), wing
    assert sum(not files for files in floor_plan()[what].values()) <= 1


def test_settings_load_no_heavy_library():
    row = floor_plan()["all settings; no torch"]
    modules = [f"cistron.{wing}.{name}" for wing, names in row.items() for name in names]
    assert len(modules) >= len(WINGS)
    heavy = "[m for m in ('torch', 'lightning', 'lightgbm', 'xgboost') if m in sys.modules]"
    code = f"import sys, {', '.join(modules)}; sys.exit(str({heavy}) if {heavy} else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
