"""Fixtures that all tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cistron.cli import main
from cistron.runtime import set_progress

TEST_DATA = Path(os.environ.get("CISTRON_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()


@pytest.fixture(autouse=True)
def _quiet():
    """No progress in the log of the tests."""
    set_progress(False)
    yield
    set_progress(False)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the real data; tests that ask for it are skipped where it is absent."""
    if not (TEST_DATA / "README.md").exists():
        pytest.skip(f"the real data are not at {TEST_DATA}; set CISTRON_TEST_DATA")
    return TEST_DATA


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in this process: ``code, output, errors = run("embedding", "check", path)``."""

    def _run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--quiet"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _run


@pytest.fixture
def remarks(capsys) -> Callable[[], str]:
    """What was remarked on standard error since the last call; remarks are on."""
    set_progress(True)
    return lambda: capsys.readouterr().err


@pytest.fixture
def aloud(capsys) -> Callable[..., tuple[int, str, str]]:
    """Like ``run``, with the remarks on standard error."""

    def _aloud(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        set_progress(True)
        code = main([*map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _aloud


@pytest.fixture
def fails(run) -> Callable[..., str]:
    """Run a command that must fail: exit code 2, one line on standard error, which is returned."""

    def _fails(*arguments: object) -> str:
        code, _, errors = run(*arguments)
        assert code == 2, f"exit code {code}: {errors}"
        lines = errors.strip().splitlines()
        assert len(lines) == 1, errors
        assert lines[0].startswith("cistron: error: ")
        return lines[0]

    return _fails
