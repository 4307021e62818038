"""Every command that writes, killed (SIGKILL) at random points: the next run must end with the same, and leave nothing behind.

Each run is a fork of this process, so that a command costs its own time and not that of its imports.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

KILLS = 30
MOST = 6  # kills in a row before a run is let through
SEED = 20
GOLDENS = Path(__file__).parents[1] / "tests" / "goldens"


def _fork(work: Callable[[], int], seconds: float | None = None) -> int:
    """Run ``work`` in a child; kill it after ``seconds``. Gives its exit code, -9 where it was killed."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if deadline is not None and time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline = None
        time.sleep(0.001)


def _load() -> None:
    """Import all that commands import, before the first fork."""
    import importlib

    for name in ("omics", "cells", "networks", "sequence", "chromatin", "evaluation.gwas", "report"):
        importlib.import_module(f"cistron.{name}")
    for name in (
        "lightning",
        "sklearn.linear_model",
        "xgboost",
        "matplotlib.pyplot",
        "zarr",
        "pybigtools",
        "optuna",
    ):
        importlib.import_module(name)


def kill_commands(
    commands: list[str] | None = None, kills: int = KILLS
) -> list[tuple[str, int, int, int, int]]:
    """Kill commands and run them again.

    Parameters
    ----------
    commands
        Commands of the goldens' cases; all that write when absent.
    kills
        Kills of each.

    Returns
    -------
    list of tuple
        Command, kills, kills that left something, reruns that ended with other results, leftovers after reruns.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(GOLDENS))
    from cases import CASES
    from condense import condense, differences
    from inputs import write_inputs
    from running import ARTEFACTS, call

    from cistron.cli.main import app
    from cistron.cli.running import writing_commands

    _load()
    chosen = {case.command: case for case in reversed(CASES) if not case.error}
    wanted = commands or [name for name in writing_commands(app) if name in chosen]
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        places = {"inputs": root / "inputs", "artefacts": ARTEFACTS}
        assert _fork(lambda: write_inputs(root / "inputs") is None) == 0
        for command in wanted:
            case = chosen[command]
            line = f"{command} {case.arguments}"
            draw = random.Random(f"{SEED} {command}")

            def run(folder: Path, line: str = line) -> int:
                folder.mkdir(exist_ok=True)
                code, _, errors = call(line, {**places, "out": folder})
                if code:
                    sys.__stderr__.write(errors)
                return code

            reference = root / f"{command} reference"
            began = time.monotonic()
            assert _fork(lambda: run(reference)) == 0, line  # noqa: B023  (run at once)
            took = time.monotonic() - began
            expected = condense(reference)
            done = left = other = remains = round_ = 0
            while done < kills:
                folder, round_ = root / f"{command} {round_}", round_ + 1
                for _ in range(draw.randint(1, MOST)):
                    code = _fork(lambda: run(folder), draw.uniform(0, took))  # noqa: B023
                    done += code == -signal.SIGKILL
                    left += code == -signal.SIGKILL and folder.is_dir() and any(folder.iterdir())
                    if code == 0 or done >= kills:
                        break
                code = _fork(lambda: run(folder))  # noqa: B023
                other += code != 0 or bool(differences(expected, condense(folder), case.tolerance))
                found = [
                    path for path in folder.rglob(".*") if ".partial-" in path.name or ".shards-" in path.name
                ]
                for path in found[:1]:
                    sys.stderr.write(f"{command} {round_}: left {path}, code {code}\n")
                remains += bool(found)
            rows.append((command, done, left, other, remains))
    return rows


def main() -> None:
    """Print the table."""
    print(f"{'command':<24} {'kills':>6} {'left something':>15} {'rerun differs':>14} {'leftovers':>10}")
    total = [0, 0, 0, 0]
    for command, *counts in kill_commands():
        total = [a + b for a, b in zip(total, counts)]
        print(f"{command:<24} {counts[0]:>6} {counts[1]:>15} {counts[2]:>14} {counts[3]:>10}")
    print(f"{'all':<24} {total[0]:>6} {total[1]:>15} {total[2]:>14} {total[3]:>10}")
