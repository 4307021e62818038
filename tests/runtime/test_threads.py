"""--threads holds for libraries that are loaded before, inside and in other processes."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cistron.cli.running import run_command
from cistron.runtime import limit_threads, run_shards

_COUNT = """
import os, sys
import numpy, scipy.linalg
from cistron.cli.running import run_command
from cistron.runtime import limit_threads
assert "torch" not in sys.modules
with limit_threads(1):
    import torch, pyarrow, sklearn.linear_model, zarr, lightgbm
    torch.ones(200, 200) @ torch.ones(200, 200)
    from threadpoolctl import threadpool_info
    inside = [pool["num_threads"] for pool in threadpool_info()] + [torch.get_num_threads(), pyarrow.cpu_count()]
    import subprocess
    child = subprocess.run(
        [sys.executable, "-c", "import torch; print(torch.get_num_threads())"], capture_output=True, text=True
    )
    with limit_threads(None) as nested:
        inside += [nested, torch.get_num_threads()]
print(inside, child.stdout.strip(), torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS"))
"""


def test_libraries_loaded_inside_and_children_keep_the_limit():
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", _COUNT], capture_output=True, text=True, check=True, env=environment
    )
    inside, child, after, variable = done.stdout.strip().rsplit(" ", 3)
    assert set(inside.strip("[]").split(", ")) == {"1"}
    assert child == "1"
    assert int(after) == len(os.sched_getaffinity(0))
    assert variable == "None"


def _write_threads(path: Path) -> None:
    import torch
    from threadpoolctl import threadpool_info

    found = [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]
    np.save(path, np.array(found))


@pytest.mark.parametrize("workers", [1, 2])
def test_shards_keep_the_limit(tmp_path, workers):
    run_shards(
        _write_threads, {name: {} for name in "ab"}, tmp_path, suffix=".npy", workers=workers, threads=1
    )
    for name in "ab":
        assert set(np.load(tmp_path / f"{name}.npy")) == {1}


def test_every_command_runs_under_its_limit():
    """The application limits the whole of a command and not the parts that remember to."""
    seen = []

    def command(*, threads: int | None = None) -> None:
        with limit_threads(None) as number:
            seen.append((number, os.environ["OMP_NUM_THREADS"], threads))

    run_command(command, inspect.signature(command).bind(threads=1), "any", overwrite=False)
    assert seen == [(1, "1", 1)]


@pytest.mark.parametrize("words", [["data", "path", "hgnc"], ["evaluate", "labels"]])
def test_threads_can_be_given_to_every_command(run, monkeypatch, words, tmp_path):
    """Also to one without such an option of its own, and once to one that has it."""
    seen = []
    monkeypatch.setattr(
        "cistron.cli.running._limited", lambda command, threads: seen.append(threads) or command
    )
    table = tmp_path / "t.tsv"
    table.write_text("gene\ta\n")
    given = words if words[0] == "data" else [*words, table, "--labels", table, "--output", tmp_path / "o"]
    run(*given, "--threads", "2")
    run(*given)
    assert seen == [2, None if words[0] == "data" else 1]
    assert run(*words, "--help")[1].count("--threads") == 1
