"""The processes of a fit on several devices: what each decides, and what is said where one is lost. Whole runs: tests/chromatin."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cistron.cli.followers import fitting_folders, is_follower
from cistron.errors import InputError, LostProcessError
from cistron.omics.factorise import factorise
from cistron.omics.settings import VdtfFit, VdtfSettings
from cistron.training import FitSettings, fit, processes
from cistron.training.processes import lost_process_message, watched_processes

MESSAGE = lost_process_message("fitting", 2, None)


def test_all_processes_stop_and_write_checkpoints_together():
    from cistron.training.lightning_module import FittingModule

    other = torch.tensor([3.0, 0.0, 1.0], dtype=torch.float64)  # its loss; it would stop
    strategy = SimpleNamespace(reduce=lambda values, reduce_op: (values + other) / 2)
    module = SimpleNamespace(trainer=SimpleNamespace(world_size=2, strategy=strategy), device="cpu")
    means, decided = FittingModule._of_all_processes(
        module, {"loss": 1.0}, {"checkpoint": False, "stop": False}
    )
    assert means == {"loss": 2.0}
    assert decided == {"checkpoint": False, "stop": True}


def test_a_lost_connection_is_told_as_what_it_is(monkeypatch):
    with (
        pytest.raises(LostProcessError, match="another process has ended") as found,
        watched_processes(2, MESSAGE),
    ):
        raise RuntimeError(
            "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]"
        )
    assert str(found.value).endswith("run the same command again")
    # other errors stay what they are, and one process has no others
    for error in (InputError("x"), ValueError("y"), RuntimeError("shape mismatch")):
        with pytest.raises(type(error)), watched_processes(2, MESSAGE):
            raise error
    with pytest.raises(RuntimeError), watched_processes(1, MESSAGE):
        raise RuntimeError("gloo")


def test_a_process_that_waits_for_ever_is_ended(monkeypatch):
    """A GPU's exchange of numbers does not fail where a process is gone; the watch ends this one."""
    ended = []
    monkeypatch.setattr(processes, "_LOOK", 0.01)
    monkeypatch.setattr(processes, "_GRACE", 0.01)
    monkeypatch.setattr(processes, "end_process", ended.append)
    monkeypatch.setenv("RANK", "1")
    parents = iter([os.getppid()])
    monkeypatch.setattr(
        os, "getppid", lambda: next(parents, 1)
    )  # it has another parent from the second call on
    watch = processes._Watch(MESSAGE)
    watch.start()
    watch._thread.join(timeout=60)
    assert ended == ["fitting on 2 processes: the first process has ended; run the same command again"]
    child = SimpleNamespace(poll=lambda: -9, kill=lambda: None, wait=lambda: None)
    monkeypatch.setattr(processes, "_children", [SimpleNamespace(poll=lambda: None), child])
    assert "process 3 was killed by signal 9" in watch._lost()
    child.poll = lambda: 2
    assert "process 3 ended with exit code 2" in watch._lost()


def test_fewer_batches_than_processes_are_told(monkeypatch):
    # no epoch gives every process a batch
    monkeypatch.setattr(sys.modules["cistron.training.fit"], "_run", lambda *given: "cpu")
    with pytest.raises(InputError, match="fewer batches than the 2 processes"):
        fit(torch.nn.Linear(1, 1), None, lambda epoch: [], settings=FitSettings(devices=2))


def test_vdtf_says_that_it_is_fitted_on_one_device():
    settings = VdtfSettings(fit=VdtfFit(devices=2))
    with pytest.raises(InputError, match="vdtf is fitted on one device"):
        factorise([SimpleNamespace()], settings)


def test_further_processes_are_known_by_option_or_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "1")
    assert is_follower({"devices": 2})
    assert is_follower({"devices": None, "nodes": 2})
    assert is_follower({"devices": None, "network__fit__devices": 2})
    assert not is_follower({"devices": 1, "nodes": None, "network__fit__devices": object()})
    monkeypatch.setenv("RANK", "0")
    assert not is_follower({"devices": 2})
    names = [path.name for path in fitting_folders(tmp_path / "genes.h5ad")]
    assert names == ["genes.h5ad.fitting", "genes.h5ad.fit", "genes.fit"]
    assert np.unique(names).size == 3
