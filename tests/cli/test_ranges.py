"""Numbers on the command line: outside their range they are one line that names the option, before any work."""

from importlib import import_module
from typing import get_type_hints

import pytest

from cistron.cli.main import COMMANDS, app
from cistron.cli.method_options import MethodCommand
from cistron.methods.ranges import _leaf_types

EDGES = ("evaluate", "edges", "edges.tsv", "--cells", "cells.h5ad", "-o", "out")
CELLS = ("cells", "train", "cells.h5ad", "-o", "out")
CHROMATIN = ("chromatin", "train", "marks.zarr", "-o", "out")


@pytest.mark.parametrize(
    ("command", "option", "value", "says"),
    [
        (EDGES, "--null-repeats", "0", "must be 1 or more. Given: 0"),
        (EDGES, "--null-repeats", "-1", "must be 1 or more. Given: -1"),
        (EDGES, "--level", "nan", "must lie between 0 and 1, without 0 and 1. Given: nan"),
        (EDGES, "--level", "2", "must lie between 0 and 1"),
        (EDGES, "--edges", "-1", "must be 1 or more"),
        (EDGES, "--test-share", "0", "must lie between 0 and 1, without 0"),
        (EDGES, "--test-share", "-1", "must lie between"),
        (EDGES, "--test-share", "nan", "must lie between"),
        (EDGES, "--omission-draws", "-1", "must be 1 or more"),
        (EDGES, "--resamples", "0", "must be 1 or more"),
        (EDGES, "--resamples", "1e308", ""),
        (EDGES, "--resamples", "many", ""),
        (CHROMATIN, "--memory", "nan", "must be positive"),
        (CHROMATIN, "--memory", "inf", "must be positive"),
        (CHROMATIN, "--network.dropout", "1.5", "must lie between 0 and 1"),
        (CELLS, "--test-cells", "nan", "must lie between 0 and 1"),
        (CELLS, "--validation-cells", "nan", "must lie between 0 and 1"),
        (CELLS, "--minimum-counts", "-1", "must be 0 or more"),
        (CELLS, "--minimum-coverage", "1.5", "must lie between 0 and 1"),
        (CELLS, "--factors", "0", "must be 1 or more"),
        (CELLS, "--threads", "0", "must be 1 or more"),
        (
            ("evaluate", "gwas", "e.h5ad", "--traits", "t", "-o", "o"),
            "--ridge.penalties",
            "0",
            "must be positive",
        ),
        (("networks", "infer", "c.h5ad", "-o", "e.tsv"), "--edges", "-5", "must be 0 or more"),
        (("omics", "tune", "m.tsv", "-o", "o"), "--trials", "0", "must be 1 or more"),
    ],
)
def test_a_number_out_of_range_names_its_option(fails, monkeypatch, command, option, value, says):
    monkeypatch.setattr("cistron.cli.running.check_paths", lambda *_: None)  # there are no files here
    assert f"{option} {says}".strip() in fails(*command, option, value).replace(f"for {option}:", option)


def _commands():
    for name in COMMANDS:
        module = import_module(f"cistron.cli.{name}")
        group = module.app
        names = [one for one in group if not one.startswith("-")]
        found = [group[one].default_command for one in names] + [group.default_command]
        yield from ((name, one) for one in found if one is not None)


def test_every_plain_number_of_a_command_has_a_range():
    seen = 0
    for name, command in _commands():
        hints = (
            command.__annotations__
            if isinstance(command, MethodCommand)
            else get_type_hints(command, include_extras=True)
        )
        for parameter, hint in hints.items():
            numbers = [one for leaf, one in _leaf_types(hint) if leaf in (int, float)]
            seen += bool(numbers)
            if parameter in ("seed", "region", "level", "design__region", "return"):
                continue
            # settings of a method check themselves; shared options are checked as the setting that they set
            shared = isinstance(command, MethodCommand) and parameter in (
                "dimensions", "variance", "factors", "epochs",
            )  # fmt: skip
            assert shared or all(numbers), f"{name} {command.__name__}: {parameter} has no range"
    assert seen > 60
    assert app is not None
