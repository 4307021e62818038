"""A small model that was trained on the planted world of enhancers, and how.

``python tests/sequence/planted_enhancer_model.py`` trains it again (a few CPU minutes) and stores it beside this file, which the tests read.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch

from cistron.genome.sequence import encode, one_hot
from cistron.sequence import Enformer
from cistron.world.enhancers import WINDOW, training_batch

sys.path.insert(0, str(Path(__file__).parent))
try:
    import planted_model
finally:
    sys.path.remove(str(Path(__file__).parent))

SETTINGS = dataclasses.replace(planted_model.SETTINGS, length=WINDOW, crop=0)
TABLE = planted_model.TABLE
STORED = Path(__file__).with_name("planted_enhancer_model.safetensors")


def stored_model() -> Enformer:
    """Give the model that was trained by :func:`trained_model`; float16 on disk."""
    return planted_model.with_weights(new_model(), STORED).eval()


def new_model(seed: int = 0) -> Enformer:
    torch.manual_seed(seed)
    return Enformer(SETTINGS)


def trained_model(steps: int = 2500, batch: int = 8, rate: float = 2e-3, seed: int = 0) -> Enformer:
    """Train it from the stored model of planted variants, which knows the motifs: they are rare here."""
    model = planted_model.with_weights(new_model(), planted_model.STORED)
    model.train()
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    total = 0.0
    for step in range(steps):
        sequences, signal = training_batch(random, batch)
        codes = np.stack([encode(text) for text in sequences])
        predicted = model(torch.from_numpy(one_hot(codes)), ["human"])["human"]
        loss = (predicted - torch.from_numpy(signal) * torch.log(predicted + 1e-6)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if step % 100 == 99:
            sys.stdout.write(f"{step + 1} {total / 100:.4f}\n")
            sys.stdout.flush()
            total = 0.0
    return model.eval()


if __name__ == "__main__":
    planted_model.store(trained_model(), STORED)
