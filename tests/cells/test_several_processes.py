"""Training on two processes (gloo) gives the weights of one process that adds up the gradients of two batches."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cistron.cells.saving import load_cell_model


@pytest.mark.filterwarnings("ignore")
def test_two_processes_train_one_model_and_write_it_once(run, files, tmp_path):
    small = {
        "dimension": 16,
        "depth": 1,
        "heads": 2,
        "context": 24,
        "targets": 40,
        "steps-per-epoch": 6,
        "dropout": 0,
    }
    sizes = [str(word) for name, value in small.items() for word in (f"--transformer.{name}", value)]
    common = [
        "cells",
        "train",
        str(files["cells"]),
        "--embedding",
        str(files["embedding"]),
        "--method",
        "transformer",
    ]
    common += ["--epochs", "2", *sizes]
    two = tmp_path / "two"
    command = [sys.executable, "-m", "cistron.cli", *common, "--output", str(two)]
    command += ["--devices", "2", "--strategy", "ddp", "--transformer.fit.accelerator", "cpu"]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    }
    done = subprocess.run(
        command,
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote") == 1
    log = (tmp_path / "two.fitting" / "log.csv").read_text().splitlines()
    assert log[0].startswith("epoch,steps")
    assert [line.split(",")[:2] for line in log[1:]] == [
        ["0", "3"],
        ["1", "6"],
    ]  # three steps of two batches an epoch
    code, *_ = run(*common, "--transformer.fit.accumulate", "2", "--output", tmp_path / "one")
    assert code == 0
    weights = [load_cell_model(tmp_path / name).predictor.arrays() for name in ("one", "two")]
    for name, value in weights[0].items():
        np.testing.assert_allclose(weights[1][name], value, atol=2e-4, err_msg=name)
    assert not np.allclose(weights[0]["network.own.weight"], 0)
