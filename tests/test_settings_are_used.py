"""Every setting and every option of a command is set in a test, a benchmark or a page: none is there that nobody has tried."""

import dataclasses
import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

import cistron
from cistron.cli.main import app
from cistron.cli.running import _commands

ROOT = Path(__file__).parents[1]
# These list names of options without giving them a value.
LISTS = {"test_settings_are_used.py", "test_option_names.py", "test_ranges.py"}


def settings_classes() -> list[type]:
    """All settings classes of the package, each once."""
    found = {}
    for module in pkgutil.walk_packages(cistron.__path__, "cistron."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                own = value.__module__ == module.name
                if own and (value.__name__.endswith("Settings") or "FitSettings" in str(value.__mro__)):
                    found[f"{value.__module__}.{value.__name__}"] = value
    return [found[name] for name in sorted(found)]


@cache
def names_set() -> set[str]:
    """Names that are given a value, with underscores: ``name=``, ``--name``, ``{"fit.name": ...}``, and ``name = ...`` in TOML."""
    names = set()
    files = [ROOT / "README.md"]
    for folder in ("tests", "benchmarks", "docs"):
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".toml"}]
    for path in files:
        if path.name in LISTS or path == ROOT / "docs" / "decisions.md":
            continue
        text = path.read_text()
        names |= set(re.findall(r"\b(\w+)=(?!=)", text))
        names |= set(re.findall(r"[\"'](?:\w+\.)*(\w+)[\"']:", text))
        for option in re.findall(r"--([a-z][\w.-]*)", text):
            last = option.rstrip(".-").rsplit(".", 1)[-1].replace("-", "_")
            names |= {last, last.removeprefix("no_")}
        if path.suffix != ".py":
            names |= set(re.findall(r"^\s*(\w+) = ", text, re.MULTILINE))
    return names


def test_what_counts_as_set():
    assert {"kl_weight", "gene_dimension", "epochs", "output"} <= names_set()
    assert "no_such_setting" not in names_set()
    assert len(settings_classes()) > 40


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_every_setting_is_set_somewhere(settings):
    unused = {field.name for field in dataclasses.fields(settings)} - names_set()
    assert unused == set()


def test_every_option_is_given_somewhere():
    unused = []
    for words, _ in _commands(app, ()):
        command = app
        for word in words:
            command = command[word]
        for one in command.assemble_argument_collection(parse_docstring=True):
            names = {name.removeprefix("--").replace("-", "_") for name in one.names if name.startswith("--")}
            plain = one.parse and one.index is None and "." not in one.name
            if plain and names and not names & names_set():  # an older spelling counts
                unused.append(f"{' '.join(words)} {one.name}")
    assert unused == []
