"""A small model that is trained on the planted world of variants, in about ten CPU seconds."""

import numpy as np
import pandas as pd
import torch

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


def new_model(seed: int = 0) -> Enformer:
    torch.manual_seed(seed)
    return Enformer(SETTINGS)


def trained_model(steps: int, length: int, batch: int, rate: float, seed: int = 0) -> Enformer:
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
