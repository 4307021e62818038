"""Fixtures of the sequence wing: small models, the official golden."""

import numpy as np
import pytest
import torch

from cistron.sequence import Enformer, EnformerSettings

TINY = EnformerSettings(
    channels=48,
    depth=2,
    heads=4,
    key_size=8,
    length=4096,
    crop=4,
    tracks={"human": 5, "mouse": 3},
)
GOLDEN = EnformerSettings(channels=384, depth=2, length=12_288, crop=24, tracks={"human": 64, "mouse": 16})


def lively(model: Enformer, seed: int = 0) -> Enformer:
    """Give every parameter and statistic a value that matters: a fresh model has zeros and ones where bugs could hide."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0, generator=generator)
            elif name.endswith(("bias", "running_mean")):
                tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
            elif "norm" in name and name.endswith("weight"):
                tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
            elif name.endswith("output.weight"):
                tensor.normal_(0, tensor.shape[1] ** -0.5, generator=generator)
            elif name.endswith("pool.weight"):
                tensor.add_(0.05 * torch.randn(tensor.shape, generator=generator))
    return model.eval()


def random_dna(length: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """One-hot DNA with a few N, float32 [batch, length, 4]."""
    codes = np.random.default_rng(seed).integers(0, 4, (batch, length))
    one_hot = np.eye(4, dtype=np.float32)[codes]
    one_hot[:, 10:20] = 0
    return torch.from_numpy(one_hot)


@pytest.fixture(scope="session")
def model() -> Enformer:
    """A tiny model with lively weights. Do not change it."""
    torch.manual_seed(0)
    return lively(Enformer(TINY))


@pytest.fixture(scope="session")
def golden(test_data):
    """The official golden: weights by checkpoint path, input, output of every stage."""
    with np.load(test_data / "sequence/goldens/golden_small.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="session")
def tiny() -> EnformerSettings:
    """Settings of the tiny model."""
    return TINY


@pytest.fixture(scope="session")
def golden_settings() -> EnformerSettings:
    """Settings of the official golden."""
    return GOLDEN


@pytest.fixture(scope="session")
def make_lively():
    """Give the function :func:`lively`."""
    return lively


@pytest.fixture(scope="session")
def dna():
    """Give the function :func:`random_dna`."""
    return random_dna


@pytest.fixture(autouse=True)
def bfloat16_as_asked_for(monkeypatch):
    """Precision is what a test asks for, whatever processor runs it; what slow ones do instead has tests of its own."""
    monkeypatch.setattr("cistron.runtime.bfloat16.fast_bfloat16", lambda device="cpu": True)
