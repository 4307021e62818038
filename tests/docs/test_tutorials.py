"""The tutorials run, from an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parents[2] / "docs/tutorials").glob("*.py"))


def test_there_are_tutorials_and_each_has_a_page():
    assert TUTORIALS
    assert all(script.with_suffix(".md").exists() for script in TUTORIALS)


@pytest.mark.parametrize("script", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_runs(script, tmp_path):
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"CISTRON_PROGRESS": "0", "OMP_NUM_THREADS": "2"},
        timeout=1800,  # against one that hangs; on a busy machine one took more than 300 seconds
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
