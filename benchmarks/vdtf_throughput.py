"""Entries a second in VDTF training: tiles of genes x samples against a plain loader of index pairs.

Same model size (gene and sample dimension 32, three linear layers of width 64), same optimiser for the
network, one thread, one process; ratios of CPU seconds. The plain loader is what one would write first: a
``TensorDataset`` of (gene, sample, value), a shuffling ``DataLoader``, one call of the perceptron on the
concatenated vectors for each batch.
"""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from cistron.omics import OmicsMatrix, PreprocessingSettings, VdtfSettings, prepare_matrix
from cistron.omics.factorise import _optimiser
from cistron.omics.scaling import scaled_entries
from cistron.omics.tensor_factorisation import TensorFactorisation
from cistron.omics.tiles import AssayEntries, tiles_of_epoch
from cistron.runtime import set_progress

GENES, SAMPLES, SECONDS = 19_000, 76, 3.0


class Plain(nn.Module):
    """a_i ~ N(mu_i, sigma_i^2), f([a_i, b_j]) for a list of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.log_deviation = nn.Embedding(GENES, 32), nn.Embedding(GENES, 32)
        self.sample = nn.Embedding(SAMPLES, 32)
        self.network = nn.Sequential(
            nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 1)
        )

    def forward(self, genes: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """Values of pairs."""
        mean = self.mean(genes)
        a = mean + self.log_deviation(genes).exp() * torch.randn_like(mean)
        return self.network(torch.cat([a, self.sample(samples)], dim=1))[:, 0]


def plain_rate(values: np.ndarray, batch_size: int, loader: bool) -> float:
    """Entries a CPU second of the plain form; without ``loader`` the pairs are drawn as whole arrays."""
    model = Plain()
    optimiser = torch.optim.Adam(model.parameters(), lr=1.5e-3)
    genes, samples = np.nonzero(np.isfinite(values))
    parts = [torch.from_numpy(part) for part in (genes, samples, values[genes, samples])]
    if loader:
        data = torch.utils.data.TensorDataset(*parts)
        batches = iter(torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True))
    else:
        order = torch.randperm(len(genes)).split(batch_size)
        batches = ([part[rows] for part in parts] for rows in order)
    done, started = 0, time.process_time()
    for gene, sample, value in batches:
        loss = (model(gene, sample) - value).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        done += len(value)
        if time.process_time() - started > SECONDS:
            break
    return done / (time.process_time() - started)


def tile_rate(entries: list[AssayEntries], settings: VdtfSettings, steps: float = SECONDS) -> float:
    """Entries a CPU second of tiles."""
    fitted = torch.from_numpy((np.isfinite(entries[0].values)).sum(axis=1))[None]
    model = TensorFactorisation(GENES, [SAMPLES], fitted, settings)
    optimiser = _optimiser(model, settings)
    done, started = 0, time.process_time()
    for epoch in range(100):
        for tile in tiles_of_epoch(entries, settings.tile_entries, settings.tile_samples, 0, epoch):
            loss = model.loss(tile)["loss"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            done += int(tile["weights"].sum())
            if time.process_time() - started > steps:
                return done / (time.process_time() - started)
    raise AssertionError("no time measured")


def main() -> None:
    """Print entries a CPU second and ratios."""
    torch.set_num_threads(1)
    set_progress(False)
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(GENES, SAMPLES)), index=[f"ENSG{n:011d}" for n in range(GENES)]
    )
    prepared = prepare_matrix(
        OmicsMatrix.from_frame(frame.set_axis([f"s{n}" for n in range(SAMPLES)], axis=1)),
        PreprocessingSettings(),
    )
    data = scaled_entries(prepared, 0.05, 500_000, 0)
    entries = [AssayEntries(data.values, data.held_out, np.arange(GENES), data.gene_mean)]
    rates = {f"plain loader, batch {size:,}": plain_rate(data.values, size, True) for size in (1024, 8192)}
    reference = max(rates.values())
    rates["whole arrays of pairs, batch 8,192"] = plain_rate(data.values, 8192, False)
    for entries_, samples in ((8192, 16), (8192, 76), (65_536, 76)):
        settings = replace(VdtfSettings(), tile_entries=entries_, tile_samples=samples)
        rates[f"tiles of {entries_:,} with {samples} samples"] = tile_rate(entries, settings)
    print(f"{'form':40s} entries a CPU second   times the plain loader")
    for name, rate in rates.items():
        print(f"{name:40s} {rate:20,.0f}   {rate / reference:6.1f}")
