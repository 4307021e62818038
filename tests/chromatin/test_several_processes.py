"""``cistron chromatin train`` on two processes (gloo): one is killed, the next run goes on, and the result is that of one process."""

import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from tests.chromatin.conftest import TINY

from cistron.chromatin.estimator import ExpressionPredictor
from cistron.chromatin.saving import load_chromatin_model
from cistron.chromatin.signal import Signal
from cistron.chromatin.training import Examples, TrainingBatches

_SETTINGS = ("channels", "kernel", "hidden", "layers")


def _command(store, output, epochs):
    line = ["chromatin", "train", str(store.path), "--output", str(output), "--network.members", "1", "--network.dropout", "0"]  # fmt: skip
    for name in _SETTINGS:
        line += [f"--network.{name}", str(getattr(TINY, name))]
    fit = {"epochs": epochs, "warmup-steps": 0, "schedule": "constant", "accelerator": "cpu", "checkpoint-seconds": 0, "patience": 5000}  # fmt: skip
    return line + [str(word) for name, value in fit.items() for word in (f"--network.fit.{name}", value)]


def _start(words):
    environment = {
        name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cistron.cli", *words, "--devices", "2", "--strategy", "ddp"],
        env={**environment, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.filterwarnings("ignore")
def test_a_killed_process_ends_the_job_and_the_next_run_goes_on(store, run, tmp_path, monkeypatch):
    two = tmp_path / "two"
    killed = _start([*_command(store, two, 5000), "--quiet"])
    checkpoint = tmp_path / "two.fit" / "member_0" / "last.ckpt"
    while not checkpoint.exists() and killed.poll() is None:
        time.sleep(0.02)
    (follower,) = psutil.Process(killed.pid).children()
    follower.kill()
    printed, errors = killed.communicate(timeout=300)
    assert killed.returncode == 2
    assert "process 2 was killed by signal 9" in errors
    assert "goes on from the last checkpoint" in errors
    assert errors.count("\n") == 1
    assert not printed
    assert not two.exists()
    assert not follower.is_running()

    log = (checkpoint.parent / "log.csv").read_text().splitlines()
    epochs = len(log) + 2  # more than are done
    again = _start(_command(store, two, epochs))
    printed, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert "taken up at epoch" in errors
    assert printed.count("wrote") == 1
    assert not checkpoint.parent.exists()

    one = _command(store, tmp_path / "one", epochs)
    code, *_ = run(*one, "--network.fit.accumulate", "2")
    assert code == 0
    weights = [load_chromatin_model(tmp_path / name).networks[0].state_dict() for name in ("one", "two")]
    for name, value in weights[0].items():
        np.testing.assert_allclose(weights[1][name].numpy(), value.numpy(), atol=2e-4, err_msg=name)

    # A further process of a run that is finished does nothing: nobody would answer it.
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(ExpressionPredictor, "train_files", None)
    code, out, errors = run(*_command(store, two, epochs), "--devices", "2", "--strategy", "ddp")
    assert (code, out, errors) == (0, "", "")


def test_processes_take_as_many_batches_of_their_own(store, monkeypatch):
    genes = np.arange(len(store.genes))
    held = Examples(Signal(store, genes), store.require_expression())
    for epoch in (0, 1):
        whole = list(TrainingBatches(held, TINY, 3, epoch))
        parts = [list(TrainingBatches(held, TINY, 3, epoch).for_rank(rank, 2)) for rank in (0, 1)]
        assert len(parts[0]) == len(parts[1]) == len(whole) // 2
        for number, batch in enumerate(whole[: len(whole) // 2 * 2]):
            for mine, other in zip(parts[number % 2][number // 2], batch):
                assert mine.shape == other.shape
                assert (mine == other).all()


def test_streamed_marks_are_read_by_the_process_that_needs_them(store, monkeypatch):
    monkeypatch.setattr("cistron.chromatin.signal.GENES_PER_CHUNK", 16)
    monkeypatch.setattr("cistron.chromatin.signal._CHUNKS_TOGETHER", 4)
    signal = Signal(store, np.arange(len(store.genes)), memory=0)
    read = []
    monkeypatch.setattr(signal, "read", lambda rows: read.append(rows) or np.zeros((len(rows), 1, 1, 1)))
    steps, seen = [], []
    for rank in range(3):
        read.clear()
        batches = [rows for rows, _ in signal.shuffled(8, 5, 0, rank, 3)]
        steps.append(len(batches))
        seen.append(set(np.concatenate(read)))
        assert set(np.concatenate(batches)) <= seen[-1]
    assert len(set(steps)) == 1
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(signal)
