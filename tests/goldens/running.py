"""Run a case and condense what it wrote and printed."""

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from cases import Case
from condense import IGNORED, condense

from cistron.cli import main
from cistron.cli.main import app
from cistron.runtime import set_progress

HERE = Path(__file__).parent
COMMANDS = HERE / "commands"
ARTEFACTS = HERE / "artefacts"
LINES = 40  # most lines of standard output that are held


def command_names(part: Any = app, before: tuple[str, ...] = ()) -> list[str]:
    """Names of all commands, read off the application."""
    names = [name for name in part if not name.startswith("-")]
    if not names:
        return [" ".join(before)]
    own = [" ".join(before)] if before and part.default_command is not None else []
    return [*own, *(found for name in names for found in command_names(part[name], (*before, name)))]


def golden_file(command: str) -> Path:
    """Where the golden of a command is."""
    return COMMANDS / f"{command.replace(' ', '-')}.json"


def call(line: str, places: dict[str, Path]) -> tuple[int, str, str]:
    """Run a command line in this process: exit code, standard output, standard error."""
    arguments = [token.format(**places) for token in shlex.split(line)]
    printed, told = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(places["out"])  # nothing that a command writes unasked lands in the checkout
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
            code = main([*arguments, "--quiet"])
    finally:
        os.chdir(before)
        set_progress(False)
    return code, printed.getvalue(), told.getvalue()


@contextlib.contextmanager
def _without(package: str) -> Iterator[None]:
    """Take a package to be not installed."""
    before = sys.modules.get(package)
    if package:
        sys.modules[package] = None  # type: ignore[assignment]  # what Python itself does to forbid an import
    try:
        yield
    finally:
        if package and before is None:
            del sys.modules[package]
        elif package:
            sys.modules[package] = before


def run_case(case: Case, inputs: Path, out: Path, artefacts: Path = ARTEFACTS) -> dict[str, Any]:
    """Run a case into the empty folder ``out`` and condense it."""
    places = {"inputs": inputs, "artefacts": artefacts, "out": out}
    for line in case.before:
        code, _, errors = call(line, places)
        assert code == 0, errors
    with _without(case.absent):
        code, printed, errors = call(f"{case.command} {case.arguments}", places)
    assert code == (2 if case.error else 0), errors or f"exit code {code}"
    assert case.error in errors, errors
    for name, path in places.items():
        printed = printed.replace(str(path), name.upper())
    lines = [re.sub(r"\s+", " ", line).strip() for line in printed.splitlines() if line.strip()]
    names = sorted(
        str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and ".zarr/" not in str(path)
    )
    return {
        "arguments": case.arguments,
        "printed": lines[:LINES],
        "files": [name for name in names if not IGNORED.search(name)],
        "written": {
            name: value for name, value in condense(out, case.without).items() if fnmatch(name, case.held)
        },
    }
