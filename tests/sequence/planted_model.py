"""A small model that was trained on the planted world of variants, and how.

``python tests/sequence/planted_model.py`` trains it again (a CPU minute) and stores it beside this file, which the tests read.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from cistron.genome.sequence import encode, one_hot
from cistron.sequence import Enformer, EnformerSettings
from cistron.world.variants import TRACKS, training_batch

SETTINGS = EnformerSettings(
    channels=48,
    depth=1,
    heads=4,
    key_size=8,
    length=2048,
    crop=1,
    tracks={"human": len(TRACKS)},
    dropout=0.0,
    attention_dropout=0.0,
    positional_dropout=0.0,
    tail_dropout=0.0,
)
TABLE = pd.DataFrame(
    {
        "organism": "human",
        "index": range(len(TRACKS)),
        "identifier": ["dnase_blood", "cage_blood", "dnase_liver", "cage_liver"],
        "description": list(TRACKS),
        "strand_pair": range(len(TRACKS)),
    }
)


STORED = Path(__file__).with_name("planted_model.safetensors")


def stored_model() -> Enformer:
    """Give the model that was trained by :func:`trained_model`; float16 on disk."""
    return with_weights(new_model(), STORED).eval()


def with_weights(model: Enformer, path: Path) -> Enformer:
    """Give a model the weights of a file, float16 on disk."""
    state = load_file(path)
    model.load_state_dict(
        {name: part.float() if part.is_floating_point() else part for name, part in state.items()}
    )
    return model


def store(model: Enformer, path: Path) -> None:
    """Write the weights of a model as float16."""
    state = model.state_dict()
    save_file({name: part.half() if part.is_floating_point() else part for name, part in state.items()}, path)


def new_model(seed: int = 0) -> Enformer:
    torch.manual_seed(seed)
    return Enformer(SETTINGS)


def trained_model(
    steps: int = 2000, length: int = 1024, batch: int = 16, rate: float = 3e-3, seed: int = 0
) -> Enformer:
    """Train it."""
    model = new_model(seed).train()
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for _ in range(steps):
        sequences, signal = training_batch(random, batch, length)
        batch_codes = np.stack([encode(text) for text in sequences])
        predicted = model(torch.from_numpy(one_hot(batch_codes)), ["human"])["human"]
        measured = torch.from_numpy(signal)[:, SETTINGS.crop : -SETTINGS.crop]
        loss = (predicted - measured * torch.log(predicted + 1e-6)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model.eval()


if __name__ == "__main__":
    store(trained_model(), STORED)
