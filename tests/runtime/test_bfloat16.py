"""bfloat16 is used where it is fast; elsewhere float32 takes its place, and a remark says so."""

import numpy as np
import pytest
import torch

from cistron.runtime import bfloat16
from cistron.runtime.bfloat16 import fast_bfloat16, precision_in_force
from cistron.training import FitSettings, fit


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(bfloat16, "fast_bfloat16", lambda device="cpu": False)


@pytest.fixture(autouse=True)
def forget():
    fast_bfloat16.cache_clear()
    yield
    fast_bfloat16.cache_clear()


def test_processors_are_told_by_name_else_by_the_clock(monkeypatch):
    timed = []

    def seconds(kind):
        timed.append(kind)
        return {torch.bfloat16: 3.0, torch.float32: 1.0}[kind]

    monkeypatch.setattr(bfloat16, "_seconds", seconds)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert not fast_bfloat16()
    assert not timed
    fast_bfloat16.cache_clear()
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not fast_bfloat16()
    assert timed == [torch.bfloat16, torch.float32]
    fast_bfloat16.cache_clear()
    monkeypatch.setattr(bfloat16, "_seconds", lambda kind: 1.0)
    assert fast_bfloat16()
    assert fast_bfloat16("mps")


def test_what_was_asked_for_is_kept_where_it_is_fast_and_replaced_where_not(monkeypatch, remarks):
    monkeypatch.setattr(bfloat16, "fast_bfloat16", lambda device="cpu": device != "cpu")
    assert precision_in_force("bf16-mixed", "32-true", "cuda:0") == "bf16-mixed"
    assert precision_in_force("fp32", "fp32") == "fp32"
    assert not remarks()
    for wanted in ("mixed", "bf16", "bf16-mixed"):
        assert precision_in_force(wanted, "fp32") == "fp32"
        assert f"no fast bfloat16: fp32 is used in place of {wanted}" in remarks()


def test_training_falls_back(slow, remarks):
    kinds = []
    model = torch.nn.Linear(4, 1)

    def loss(module, batch):
        found = module(batch)
        kinds.append(found.dtype)
        return {"loss": found.float().square().mean()}

    batches = [torch.from_numpy(np.ones((8, 4), dtype=np.float32))]
    fit(
        model,
        loss,
        lambda epoch: batches,
        settings=FitSettings(epochs=1, precision="bf16-mixed", accelerator="cpu"),
    )
    assert set(kinds) == {torch.float32}
    assert "32-true is used in place of bf16-mixed" in remarks()
