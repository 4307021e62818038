"""Autoencoder of genes: z = f_e(x), x' = f_d(z), with multilayer perceptrons (page ``docs/wings/omics_autoencoder.md``)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cistron.errors import InputError
from cistron.omics.axes import principal_axes
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.scaling import ScaledEntries, scaled_entries
from cistron.omics.settings import AutoencoderSettings, fit_identity
from cistron.runtime.seeds import random_generator, seed_for
from cistron.training import FitReport, fit, in_batches


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
    for number, (before, after) in enumerate(pairwise(sizes)):
        if number:
            layers += [nn.BatchNorm1d(before), nn.ReLU()]
        layers.append(nn.Linear(before, after))
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Encoded:
    """Result of a fit: the embedding and how well held-out entries are reconstructed.

    Attributes
    ----------
    genes
        Genes with at least one entry to fit on.
    values
        Latent values, in principal axes if the settings say so, float32 [gene, dimension].
    held_out_r2
        Share of the variance of held-out entries about the gene means that is explained.
    report
        What the fit did.
    model
        The fitted module.
    test_r2
        R2 of the entries that nothing saw; NaN where ``settings.tested`` is 0.
    """

    genes: list[str]
    values: np.ndarray
    held_out_r2: float
    report: FitReport
    model: Autoencoder
    test_r2: float = float("nan")


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
    data = scaled_entries(prepared, settings.held_out, settings.held_out_entries, seed, settings.tested)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "autoencoder start"))
        model = Autoencoder(samples, settings)
    report = fit(
        model,
        lambda module, batch: _loss(module, batch, settings.corruption),
        lambda epoch: _batches(data, settings.batch_size, seed, epoch),
        validation=_HeldOut(data),
        validation_loss=_held_out_loss,
        settings=settings.fit,
        directory=directory,
        identity=fit_identity(settings) | {"data": data.fingerprint()},
        seed=seed,
        description=description,
    )
    best = report.history.loc[report.history["epoch"] == report.best_epoch].iloc[0]
    latent = _latent(model, data)
    if settings.axes:
        rows = np.sort(random_generator(seed, "autoencoder axes").permutation(len(latent))[:4000])
        explained = in_batches(model, latent[rows], function=model.decoder)
        latent = principal_axes(latent, rows, [explained]).apply(latent)
    r2 = 1.0 - best["validation_loss"] / max(best["validation_variance"], 1e-300)
    tested = _test_r2(model, data) if settings.tested else float("nan")
    return Encoded(data.genes, latent.astype(np.float32), float(r2), report, model, tested)


def _test_r2(model: nn.Module, data: ScaledEntries) -> float:
    """R2 of the entries that nothing saw, about the gene means; the encoder is given all others."""
    values, mask = data.with_test_entries()
    sums = np.zeros(2)
    model.eval()
    with torch.no_grad():
        for batch in _HeldOut(replace(data, values=values, held_out=mask)):
            found = _held_out_loss(model, batch)
            sums += np.array([float(found["loss"]), float(found["variance"])]) * float(found["count"])
    return float(1.0 - sums[0] / max(sums[1], 1e-300))


def _latent(model: Autoencoder, data: ScaledEntries, size: int = 2048) -> np.ndarray:
    """Encode all genes from all observed entries, the held-out ones included, because scoring is over."""
    parts = []
    for start in range(0, len(data.values), size):
        rows = slice(start, start + size)
        values = np.where(np.isfinite(data.values[rows]), data.values[rows], data.gene_mean[rows, None])
        parts.append(in_batches(model, values, function=model.encoder))
    return np.concatenate(parts)


def _given(data: ScaledEntries, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values that the encoder sees (the gene's mean where missing or held out), and where they count."""
    used = np.isfinite(data.values[rows]) & ~data.held_out[rows]
    return np.where(used, data.values[rows], data.gene_mean[rows, None]), used


def _batches(data: ScaledEntries, size: int, seed: int, epoch: int) -> Iterator[dict[str, torch.Tensor]]:
    order = random_generator(seed, "autoencoder batches", epoch).permutation(len(data.values))
    for rows in np.array_split(order, max(1, round(len(order) / size))):
        values, used = _given(data, rows)
        yield {
            "values": torch.from_numpy(values),
            "means": torch.from_numpy(data.gene_mean[rows]),
            "weights": torch.from_numpy(used.astype(np.float32)),
        }


def _loss(model: nn.Module, batch: dict[str, torch.Tensor], corruption: float) -> dict[str, Any]:
    given = batch["values"]
    if corruption > 0:
        hidden = torch.rand_like(given) < corruption
        given = torch.where(hidden, batch["means"][:, None], given)
    squares = (model(given) - batch["values"]).square() * batch["weights"]
    count = batch["weights"].sum().clamp(min=1.0)
    return {"loss": squares.sum() / count, "count": count}


class _HeldOut:
    """Batches of genes with held-out entries; made anew in each validation, so that no second copy is kept."""

    def __init__(self, data: ScaledEntries, size: int = 2048) -> None:
        self._data, self._size = data, size

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        data = self._data
        genes = np.flatnonzero(data.held_out.any(axis=1))
        for start in range(0, len(genes), self._size):
            rows = genes[start : start + self._size]
            values, _ = _given(data, rows)
            yield {
                "values": torch.from_numpy(values),
                "means": torch.from_numpy(data.gene_mean[rows]),
                "truth": torch.from_numpy(np.nan_to_num(data.values[rows])),
                "weights": torch.from_numpy(data.held_out[rows].astype(np.float32)),
            }


def _held_out_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, Any]:
    count = batch["weights"].sum().clamp(min=1.0)
    error = (model(batch["values"]) - batch["truth"]).square() * batch["weights"]
    about_mean = (batch["means"][:, None] - batch["truth"]).square() * batch["weights"]
    return {"loss": error.sum() / count, "variance": about_mean.sum() / count, "count": count}
