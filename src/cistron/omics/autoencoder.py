"""Autoencoder of genes: z = f_e(x), x' = f_d(z), with multilayer perceptrons (page ``docs/wings/omics_autoencoder.md``)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cistron.errors import InputError
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.scaling import ScaledEntries, scaled_entries
from cistron.runtime.seeds import random_generator, seed_for
from cistron.training import FitReport, FitSettings, fit, in_batches


@dataclass(frozen=True)
class AutoencoderSettings:
    """Settings of the autoencoder. ``AutoencoderSettings.paper()`` is the report's form.

    Attributes
    ----------
    dimensions
        Dimensions of the latent space.
    layers
        Linear layers of encoder and decoder together, even, 2 to 12.
    width
        Width of the hidden layers; 0 takes twice the latent dimensions, at least 128.
    corruption
        Share of the observed entries that are hidden from the encoder in training but must be reconstructed;
        it makes the network learn how samples depend on each other instead of copying.
    held_out
        Share of observed entries that are kept from fitting, to stop by.
    held_out_entries
        Largest number of them.
    batch_size
        Genes in a batch.
    beyond_samples
        Allow more dimensions than there are samples.
    fit
        How to fit.
    """

    dimensions: int = 32
    layers: int = 4
    width: int = 0
    corruption: float = 0.2
    held_out: float = 0.05
    held_out_entries: int = 500_000
    batch_size: int = 256
    beyond_samples: bool = False
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(epochs=100, learning_rate=1e-3, patience=15, schedule="cosine")
    )

    def __post_init__(self) -> None:
        if self.dimensions < 1 or self.batch_size < 2:
            raise InputError("autoencoder: dimensions must be 1 or more and batch_size 2 or more")
        if self.layers % 2 or not 2 <= self.layers <= 12:
            raise InputError(f"autoencoder: layers must be even, 2 to 12. Given: {self.layers}")
        if not 0 <= self.corruption < 1 or not 0 < self.held_out < 0.5:
            raise InputError("autoencoder: corruption must be in [0, 1) and held_out in (0, 0.5)")

    @classmethod
    def paper(cls) -> "AutoencoderSettings":
        """Settings of the report: no corruption; its sizes were tuned, 128 is its GTEx model."""
        return cls(
            dimensions=128,
            corruption=0.0,
            held_out=0.1,
            beyond_samples=True,
            fit=FitSettings(epochs=100, learning_rate=1e-3, patience=10),
        )


class Autoencoder(nn.Module):
    """Encoder and decoder; batch normalisation and ReLU between linear layers."""

    def __init__(self, samples: int, settings: AutoencoderSettings) -> None:
        super().__init__()
        width = settings.width or max(2 * settings.dimensions, 128)
        hidden = [width] * (settings.layers // 2 - 1)
        self.encoder = _perceptron([samples, *hidden, settings.dimensions])
        self.decoder = _perceptron([settings.dimensions, *hidden, samples])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Reconstruct: float [gene, sample] -> float [gene, sample]."""
        return self.decoder(self.encoder(values))


def _perceptron(sizes: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(zip(sizes[:-1], sizes[1:])):
        if number:
            layers += [nn.BatchNorm1d(before), nn.ReLU()]
        layers.append(nn.Linear(before, after))
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Encoded:
    """What a fit gives.

    Attributes
    ----------
    genes
        Genes with at least one entry to fit on.
    values
        Latent values divided by their standard deviation, float32 [gene, dimension].
    held_out_r2
        Share of the variance of held-out entries about the gene means that is explained.
    report
        What the fit did.
    model
        The fitted module.
    """

    genes: list[str]
    values: np.ndarray
    held_out_r2: float
    report: FitReport
    model: Autoencoder


def encode(
    prepared: PreparedMatrix,
    settings: AutoencoderSettings | None = None,
    *,
    directory: str | Path | None = None,
    seed: int = 0,
    description: str = "autoencoder",
) -> Encoded:
    """Fit the autoencoder to a matrix and encode its genes.

    Missing and held-out entries are given to the encoder as the gene's mean and do not count in the loss.

    Parameters
    ----------
    prepared
        Prepared matrix; its scale is computed again without the held-out entries.
    settings
        Settings of the model.
    directory
        Folder of the record and the checkpoint; a killed run is taken up from it.
    seed
        Seed of the run.
    description
        What the progress says.

    Returns
    -------
    Encoded
        The embedding and how well held-out entries are reconstructed.

    Raises
    ------
    InputError
        If the matrix does not vary, or the dimension exceeds the number of samples.
    """
    settings = settings or AutoencoderSettings()
    samples = len(prepared.matrix.samples)
    if settings.dimensions > samples and not settings.beyond_samples:
        raise InputError(
            f"autoencoder: {settings.dimensions} dimensions were asked for, but matrix {prepared.matrix.name} has "
            f"{samples:,} samples; choose fewer, or allow it with --beyond-samples"
        )
    data = scaled_entries(prepared, settings.held_out, settings.held_out_entries, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "autoencoder start"))
        model = Autoencoder(samples, settings)
    # What is hidden in validation must be hidden in the embedding too, or the two would differ.
    used = np.isfinite(data.values) & ~data.held_out
    filled = np.where(used, data.values, data.gene_mean[:, None])
    report = fit(
        model,
        lambda module, batch: _loss(module, batch, settings.corruption),
        lambda epoch: _batches(data, filled, used, settings.batch_size, seed, epoch),
        validation=list(_held_out(data, filled)),
        validation_loss=_held_out_loss,
        settings=settings.fit,
        directory=directory,
        identity={k: v for k, v in asdict(settings).items() if k != "fit"} | {"data": data.fingerprint()},
        seed=seed,
        description=description,
    )
    best = report.history.loc[report.history["epoch"] == report.best_epoch].iloc[0]
    # Every observed entry speaks in the embedding: nothing is judged by it any more.
    whole = np.where(np.isfinite(data.values), data.values, data.gene_mean[:, None])
    latent = in_batches(model, whole, function=model.encoder)
    deviation = latent.std(axis=0)
    latent = (latent - latent.mean(axis=0)) / np.where(deviation > 1e-6 * deviation.max(), deviation, 1.0)
    r2 = 1.0 - best["validation_loss"] / max(best["validation_variance"], 1e-300)
    return Encoded(data.genes, latent.astype(np.float32), float(r2), report, model)


def _batches(
    data: ScaledEntries, filled: np.ndarray, used: np.ndarray, size: int, seed: int, epoch: int
) -> Iterator[dict[str, torch.Tensor]]:
    order = random_generator(seed, "autoencoder batches", epoch).permutation(len(filled))
    for rows in np.array_split(order, max(1, round(len(order) / size))):
        yield {
            "values": torch.from_numpy(filled[rows]),
            "means": torch.from_numpy(data.gene_mean[rows]),
            "weights": torch.from_numpy(used[rows].astype(np.float32)),
        }


def _loss(model: nn.Module, batch: dict[str, torch.Tensor], corruption: float) -> dict[str, Any]:
    given = batch["values"]
    if corruption > 0:
        hidden = torch.rand_like(given) < corruption
        given = torch.where(hidden, batch["means"][:, None], given)
    squares = (model(given) - batch["values"]).square() * batch["weights"]
    count = batch["weights"].sum().clamp(min=1.0)
    return {"loss": squares.sum() / count, "count": count}


def _held_out(data: ScaledEntries, filled: np.ndarray, size: int = 2048) -> Iterator[dict[str, torch.Tensor]]:
    rows = np.flatnonzero(data.held_out.any(axis=1))
    for start in range(0, len(rows), size):
        chosen = rows[start : start + size]
        yield {
            "values": torch.from_numpy(filled[chosen]),
            "means": torch.from_numpy(data.gene_mean[chosen]),
            "truth": torch.from_numpy(np.nan_to_num(data.values[chosen])),
            "weights": torch.from_numpy(data.held_out[chosen].astype(np.float32)),
        }


def _held_out_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, Any]:
    count = batch["weights"].sum().clamp(min=1.0)
    error = (model(batch["values"]) - batch["truth"]).square() * batch["weights"]
    about_mean = (batch["means"][:, None] - batch["truth"]).square() * batch["weights"]
    return {"loss": error.sum() / count, "variance": about_mean.sum() / count, "count": count}
