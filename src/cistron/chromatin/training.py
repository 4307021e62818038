"""Fit the network: statistics of the training data, batches, loss, and an ensemble with one seed per member."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cistron.chromatin.linear_path import LinearFit, bin_means, fit_linear
from cistron.chromatin.network import ExpressionNetwork
from cistron.chromatin.peers import make_network
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.settings_peers import SingleCellTypeSettings
from cistron.chromatin.signal import Signal
from cistron.runtime import random_generator, seed_for
from cistron.training import FitReport, fit

AnyNetworkSettings = NetworkSettings | SingleCellTypeSettings
PROFILE_BINS = 20
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)


@dataclass(frozen=True)
class Examples:
    """Marks and expression of a part of the data.

    Attributes
    ----------
    signal
        Marks.
    expression
        float32 [gene, cell type], NaN where it counts in no loss.
    """

    signal: Signal
    expression: np.ndarray


@dataclass(frozen=True)
class SignalSummary:
    """Statistics of the marks over the training part.

    Attributes
    ----------
    mark_centre, mark_scale
        Mean and standard deviation of each mark, float64 [mark].
    quantiles
        :data:`QUANTILES` of each mark, float64 [quantile, mark].
    profiles
        Mean signal in 20 bins, float32 [gene, cell type, mark x bin].
    profile_mean, profile_precision
        Mean and shrunken inverse covariance of the profiles, float64 [feature] and [feature, feature].
    """

    mark_centre: np.ndarray
    mark_scale: np.ndarray
    quantiles: np.ndarray
    profiles: np.ndarray
    profile_mean: np.ndarray
    profile_precision: np.ndarray


def summarise(signal: Signal, seed: int) -> SignalSummary:
    """Go through the training marks once."""
    marks = signal.shape[2]
    known = signal.measured  # [cell type, mark]
    count, total, square = 0, np.zeros(marks), np.zeros(marks)
    samples: list[np.ndarray] = []
    profiles = np.zeros((*signal.shape[:2], marks * PROFILE_BINS), np.float32)
    random = random_generator(seed, "chromatin summary")
    for rows, values in signal.blocks():
        total += values.sum(axis=(0, 1, 3), dtype=np.float64)
        square += np.square(values, dtype=np.float64).sum(axis=(0, 1, 3))
        count += len(rows)
        profiles[rows] = bin_means(values, PROFILE_BINS)
        chosen = random.integers(0, signal.shape[3], 24)
        samples.append(values[:, :, :, chosen].transpose(2, 1, 0, 3).reshape(marks, signal.shape[1], -1))
    size = np.maximum(known.sum(axis=0), 1) * count * signal.shape[3]
    centre = total / size
    scale = np.sqrt(np.maximum(square / size - centre**2, 1e-8))
    taken = np.concatenate(samples, axis=2)
    quantiles = np.stack([np.quantile(taken[m][known[:, m]], QUANTILES) for m in range(marks)], axis=1)
    mean, precision = _profile_distance(profiles, known)
    return SignalSummary(centre, scale, quantiles, profiles, mean, precision)


def _profile_distance(profiles: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and inverse covariance of profiles, shrunken a tenth towards its diagonal; unmeasured marks count as the mean."""
    feature = np.repeat(known, PROFILE_BINS, axis=1)  # [cell type, feature]
    mean = (profiles * feature).sum(axis=(0, 1)) / np.maximum(feature.sum(axis=0) * len(profiles), 1)
    centred = np.where(feature, profiles - mean, 0.0).reshape(-1, profiles.shape[2])
    covariance = np.cov(centred, rowvar=False)
    diagonal = np.diag(covariance)
    shrunken = 0.9 * covariance + np.diag(0.1 * diagonal + 0.01 * diagonal.mean() + 1e-8)
    return mean, np.linalg.inv(shrunken)


def start_network(
    marks: int, bins: int, settings: AnyNetworkSettings, summary: SignalSummary, examples: Examples, seed: int
) -> ExpressionNetwork:
    """Build a network with standardised marks and its linear path fitted.

    Parameters
    ----------
    marks, bins
        Shape of the input.
    settings
        Settings of the network.
    summary
        Of the training marks.
    examples
        Training examples, for the linear path and the mean expression.
    seed
        Seed of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "chromatin network"))
        network = make_network(marks, bins, settings)
    network.mark_centre.copy_(torch.from_numpy(summary.mark_centre))
    network.mark_scale.copy_(torch.from_numpy(summary.mark_scale))
    network.expression_mean.fill_(float(np.nanmean(examples.expression)))
    if network.linear is not None:
        assert isinstance(settings, NetworkSettings)
        if settings.linear_bins == PROFILE_BINS:
            features = summary.profiles
        else:
            features = np.concatenate(
                [bin_means(values, settings.linear_bins) for _, values in examples.signal.blocks()]
            )
        known = np.repeat(examples.signal.measured, settings.linear_bins, axis=1)[None]
        set_linear(
            network, fit_linear(features, known, examples.expression, per_cell=settings.merge == "none")
        )
    return network


def set_linear(network: ExpressionNetwork, fitted: LinearFit) -> None:
    """Put a closed-form fit into the linear path."""
    assert network.linear is not None
    for name in ("centre", "scale", "difference", "level"):
        getattr(network.linear, name).copy_(torch.from_numpy(np.ascontiguousarray(getattr(fitted, name))))
    network.linear.intercept.fill_(fitted.intercept)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def training_batches(
    examples: Examples,
    settings: AnyNetworkSettings,
    seed: int,
    epoch: int,
    rank: int = 0,
    ranks: int = 1,
) -> Iterator[Batch]:
    """Batches of marks, mask [gene, cell type, mark] and expression; some steps see a subset of the cell types.

    Parameters
    ----------
    examples
        Training examples.
    settings
        Settings of the network.
    seed, epoch
        They determine the order and what is masked.
    rank
        Number of this process, from 0.
    ranks
        Number of processes, each of which gets batches of its own.
    """
    own = () if ranks == 1 or examples.signal.in_memory else (rank,)
    random = random_generator(seed, "cell types and marks", epoch, *own)
    number = examples.signal.shape[1]
    measured = torch.from_numpy(examples.signal.measured)
    for rows, values in examples.signal.shuffled(settings.batch_size, seed, epoch, rank, ranks):
        mask, chosen = measured.expand(len(rows), -1, -1), np.arange(number)
        if number > 1 and random.random() < settings.subsets:
            chosen = np.sort(random.permutation(number)[: random.integers(1, number)])
            mask = mask[:, chosen]
        if settings.mark_dropout:
            kept = torch.from_numpy(random.random(mask.shape) >= settings.mark_dropout)
            # a cell type keeps all of its marks where it would lose the last one
            mask = torch.where((mask & kept).any(dim=-1, keepdim=True), mask & kept, mask)
        # Another process's turn: its draws are made all the same, so that a batch does not hang on who takes it.
        if values is None:
            continue
        x, y = torch.from_numpy(values), torch.from_numpy(examples.expression[rows])
        yield (x, mask, y) if len(chosen) == number else (x[:, chosen], mask, y[:, chosen])


class TrainingBatches:
    """Batches of one epoch, which may be gone through again.

    Parameters
    ----------
    examples
        Marks and expression of the training part.
    settings
        Settings of the network; batch size, subsets and dropout of marks are used.
    seed
        Seed of the run.
    epoch
        Number of the epoch; each has an order of its own.
    """

    def __init__(self, examples: Examples, settings: AnyNetworkSettings, seed: int, epoch: int) -> None:
        self._made = (examples, settings, seed, epoch)

    def __iter__(self) -> Iterator[Batch]:
        return training_batches(*self._made)

    def for_rank(self, rank: int, ranks: int) -> Iterator[Batch]:
        """Batches of one of several processes.

        Parameters
        ----------
        rank
            Number of the process, from 0.
        ranks
            Number of processes.
        """
        return training_batches(*self._made, rank, ranks)


class ValidationBatches:
    """Batches of the validation part in order, made anew each time."""

    def __init__(self, examples: Examples, size: int = 128) -> None:
        self._examples, self._size = examples, size

    def __iter__(self) -> Iterator[Batch]:
        measured = torch.from_numpy(self._examples.signal.measured)
        for rows, values in self._examples.signal.blocks(self._size):
            y = torch.from_numpy(self._examples.expression[rows])
            yield torch.from_numpy(values), measured.expand(len(rows), -1, -1), y


def expression_loss(
    model: torch.nn.Module, batch: Batch, level_weight: float = 1.0
) -> dict[str, torch.Tensor]:
    """Squared error, divided into that of a gene's mean over cell types and that of the differences between them.

    With ``level_weight`` 1 their sum is the plain mean squared error over what was measured.

    Parameters
    ----------
    model
        Network.
    batch
        Marks, mask and expression.
    level_weight
        Weight of the error of a gene's mean.
    """
    values, measured, expression = batch
    seen = torch.isfinite(expression)
    weight = seen.float()
    error = torch.where(seen, model(values, measured) - torch.nan_to_num(expression), 0.0)
    count = weight.sum(dim=1).clamp(min=1)
    level = error.sum(dim=1) / count  # [gene]
    apart = ((error - level[:, None]) * weight).square().sum()
    total = weight.sum().clamp(min=1)
    levels = (count * level.square()).sum() / total
    return {
        "loss": level_weight * levels + apart / total,
        "level": levels,
        "difference": apart / total,
        "count": total,
    }


def fit_ensemble(
    training: Examples,
    validation: Examples | None,
    summary: SignalSummary,
    settings: AnyNetworkSettings,
    *,
    identity: dict[str, Any],
    directory: str | Path | None,
    seed: int,
) -> tuple[list[ExpressionNetwork], list[FitReport]]:
    """Fit the networks of an ensemble, one after the other; each is taken up where it was interrupted.

    Parameters
    ----------
    training, validation
        Examples to fit on and to stop by; ``None`` for no early stop.
    summary
        Of the training marks.
    settings
        Settings of the network.
    identity
        What tells this data from other data.
    directory
        Folder of checkpoints, one a member.
    seed
        Seed of everything random.
    """
    marks, bins = training.signal.shape[2:]
    networks, reports = [], []
    for member in range(settings.members):
        own = seed_for(seed, "member", member)
        network = start_network(marks, bins, settings, summary, training, own)
        report = fit(
            network,
            lambda model, batch: expression_loss(model, batch, settings.level_weight),
            lambda epoch, own=own: TrainingBatches(training, settings, own, epoch),  # type: ignore[misc]
            validation=None if validation is None else ValidationBatches(validation),
            settings=settings.fit,
            directory=None if directory is None else Path(directory) / f"member_{member}",
            identity={
                name: value for name, value in asdict(settings).items() if name not in ("fit", "members")
            }
            | identity,
            seed=own,
            description=f"network {member + 1} of {settings.members}",
        )
        networks.append(network)
        reports.append(report)
    return networks, reports
