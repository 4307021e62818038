"""The workflows of ``examples/`` run where they are, without a cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cistron.world.sample_data import write_sample_data

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workflow") / "sandbox"
    write_sample_data(folder, genes=220, seed=3)
    return folder


def _run(words, folder, **more):
    # `cistron` is found beside the Python that runs the tests, as after an installation
    program = Path(sys.executable).parent
    path = os.pathsep.join([str(program), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"} | more
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, check=False)


def test_snakemake_runs_each_rule_once(folder):
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(EXAMPLES / "snakemake" / "Snakefile")]
    words += ["--cores", "2", "--nocolor"]
    done = _run(words, folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (folder / "workflow" / "report.html").stat().st_size > 100_000
    found = json.loads((folder / "workflow" / "embeddings" / "hpa.h5ad.json").read_text())
    assert found["outputs"] == ["workflow/embeddings/hpa.h5ad"]
    assert "Nothing to be done" in _run(words, folder).stderr


def test_a_slurm_array_and_the_job_behind_it(folder):
    for task in (1, 2, 3):
        done = _run(
            ["bash", str(EXAMPLES / "slurm" / "embed_array.sh")], folder, SLURM_ARRAY_TASK_ID=str(task)
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["exit_code"] == 0
    again = _run(["bash", str(EXAMPLES / "slurm" / "embed_array.sh")], folder, SLURM_ARRAY_TASK_ID="2")
    assert json.loads(again.stdout)["already_finished"] is True
    done = _run(["bash", str(EXAMPLES / "slurm" / "score.sh")], folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "array" / "gwas" / "report.html").exists()
