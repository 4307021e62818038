"""What varies together from cell to cell: correlation and partial correlation."""

import numpy as np
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator


def covariance(
    values: sparse.csr_matrix,
    weights: np.ndarray | None = None,
    block: int = 4000,
    batch: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Covariance of genes over cells, in blocks of cells.

    Parameters
    ----------
    values
        [cell, gene].
    weights
        Times that each cell counts.
    block
        Cells that are made dense at a time.
    batch
        Batch of each cell: what differs between batches is left out.

    Returns
    -------
    ndarray
        Covariance float64 [gene, gene].
    ndarray
        Mean of each gene.
    float
        Number of cells (sum of the weights).
    """
    weight = np.ones(values.shape[0]) if weights is None else weights.astype(np.float64)
    number = float(weight.sum())
    mean = np.asarray(values.T @ weight).ravel() / number
    size = values.shape[1]
    total = np.zeros((size, size))
    with Progress("covariance", total=values.shape[0], unit="cells") as progress:
        for start in range(0, values.shape[0], block):
            part = slice(start, start + block)
            dense = values[part].toarray() - mean.astype(np.float32)
            # float32 inside a block of a few thousand cells, float64 between blocks
            total += (dense * weight[part, None].astype(np.float32)).T @ dense
            progress.advance(len(dense))
    if batch is not None:
        indicator = sparse.csr_matrix((weight, (batch, np.arange(len(batch)))))
        sizes = np.asarray(indicator.sum(axis=1)).ravel()
        apart = (indicator @ values).toarray() / np.maximum(sizes, 1)[:, None] - mean
        total -= (apart * sizes[:, None]).T @ apart
    return total / max(number - 1, 1), mean, number


def correlation_matrix(covariances: np.ndarray) -> np.ndarray:
    """Correlation of a covariance; genes that do not vary correlate with nothing."""
    deviation = np.sqrt(np.maximum(np.diag(covariances), 0))
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-12)
    return np.clip(covariances * inverse[:, None] * inverse[None, :], -1, 1)


def partial_correlation_matrix(
    covariances: np.ndarray, cells: float, least_shrinkage: float = 0.0
) -> np.ndarray:
    """Partial correlation of each pair given all others, with shrinkage towards independence.

    The correlation ``R`` becomes ``(1 - l) R + l I`` with ``l = genes / (genes + cells)``, which keeps it
    invertible when there are more genes than cells.

    Parameters
    ----------
    covariances
        float64 [gene, gene].
    cells
        Cells that they were computed on.
    least_shrinkage
        Least ``l``.
    """
    correlation = correlation_matrix(covariances)
    size = len(correlation)
    share = max(size / (size + cells), least_shrinkage)
    shrunk = (1 - share) * correlation
    np.fill_diagonal(shrunk, 1.0)
    precision = np.linalg.inv(shrunk)
    deviation = np.sqrt(np.diag(precision))
    partial = -precision / deviation[:, None] / deviation[None, :]
    np.fill_diagonal(partial, 1.0)
    return partial


def sample_cells(cells: PerturbedCells, most: int, seed: int) -> tuple[sparse.csr_matrix, np.ndarray | None]:
    """Normalised values and batches of at most ``most`` cells that are not set aside, chosen at random.

    Parameters
    ----------
    cells
        Perturbed cells.
    most
        Cells, at most.
    seed
        Seed of the choice.
    """
    used = np.flatnonzero(cells.perturbation >= -1)
    if len(used) > most:
        used = np.sort(random_generator(seed, "cells for covariation").choice(used, most, replace=False))
    return normalise(cells)[used], None if cells.batch is None else cells.batch[used]


def co_variation(cells: PerturbedCells, partial: bool, most_cells: int, seed: int) -> Network:
    """Score both directions of a pair by the absolute (partial) correlation over all cells.

    Parameters
    ----------
    cells
        Perturbed cells.
    partial
        Partial correlation; plain otherwise.
    most_cells
        Cells used, at most.
    seed
        Seed of their choice.
    """
    values, batch = sample_cells(cells, most_cells, seed)
    covariances, _, number = covariance(values, batch=batch)
    matrix = partial_correlation_matrix(covariances, number) if partial else correlation_matrix(covariances)
    weight = np.abs(matrix).astype(np.float32)
    np.fill_diagonal(weight, np.nan)
    sign = np.sign(matrix).astype(np.int8)
    np.fill_diagonal(sign, 0)
    return Network(cells.genes, weight, sign=sign)
