"""One scale for all cells that a change of composition does not move.

Dividing a cell by its total count makes every gene a share. Where one gene is 44% of the counts and rises by 40%, all others
appear to fall. Two things keep that out of the shifts:

1. genes that hold more than a fifth of the counts of the control cells do not count towards a cell's total;
2. the total of each perturbation's cells is corrected by the median ratio of its pseudobulk to that of the control cells
   over genes (Anders and Huber 2010, Genome Biology 11, R106, on pseudobulks because single cells are mostly zeros). The
   correction is shrunk towards none by its own standard error.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells

DOMINANT = 0.2  # share of the counts from which on a gene is left out of the total
FEWEST_COUNTS = 20.0  # a ratio of pseudobulks with fewer expected counts is mostly noise
FEWEST_GENES = 10  # ratios that a median needs


@dataclass(frozen=True)
class Composition:
    """What is done to the totals of the cells.

    Attributes
    ----------
    dominant
        Numbers of the genes that hold more than a fifth of the counts and are left out of the totals.
    correction
        Factor on the totals of the cells of each perturbation, 1 where nothing is to be corrected [perturbation].
    """

    dominant: np.ndarray
    correction: np.ndarray


def _sums(matrix: sparse.csr_matrix, group: np.ndarray, groups: int) -> np.ndarray:
    used = np.flatnonzero(group >= 0)
    indicator = sparse.csr_matrix(
        (np.ones(len(used), dtype=np.float32), (group[used], used)), shape=(groups, len(group))
    )
    return (indicator @ matrix).toarray().astype(np.float64)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Give the value at which half of the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def composition(counts: sparse.csr_matrix, perturbation: np.ndarray) -> Composition:
    """Find dominant genes and the correction of each perturbation.

    Parameters
    ----------
    counts
        Not logarithmic: counts, or counts scaled to one depth [cell, gene].
    perturbation
        Perturbed gene of each cell, -1 control, -2 not used.
    """
    sources = np.unique(perturbation[perturbation >= 0])
    group = np.full(len(perturbation), -1)
    group[perturbation == -1] = 0
    hit = perturbation >= 0
    group[hit] = np.searchsorted(sources, perturbation[hit]) + 1
    sums = _sums(counts, group, len(sources) + 1)
    if not sums[0].any():  # no control cells
        return Composition(np.empty(0, dtype=np.int64), np.ones(len(sources)))
    dominant = np.flatnonzero(sums[0] > DOMINANT * sums[0].sum())
    rest = np.setdiff1d(np.arange(counts.shape[1]), dominant)
    if len(rest) < 2 or not sums[0, rest].any():
        dominant, rest = np.empty(0, dtype=np.int64), np.arange(counts.shape[1])
    share = sums[:, rest] / np.maximum(sums[:, rest].sum(axis=1, keepdims=True), 1e-12)
    correction = np.ones(len(sources))
    for row, source in enumerate(sources):
        expected = share[0] * sums[1 + row, rest].sum()
        kept = (expected >= FEWEST_COUNTS) & (share[1 + row] > 0) & (rest != source)
        if kept.sum() < FEWEST_GENES:
            continue
        ratio = np.log(share[1 + row, kept] / share[0, kept])
        # the noise of a ratio has a part of the counts and a part that is the same for all genes
        weight = 1 / (1 / expected[kept] + 0.01)
        middle = weighted_median(ratio, weight)
        spread = 1.4826 * weighted_median(np.abs(ratio - middle), weight)
        error = 1.25 * spread * np.sqrt((weight**2).sum()) / weight.sum()
        correction[row] = np.exp(middle * max(0.0, 1 - error**2 / max(middle**2, 1e-12)))
    return Composition(dominant, correction)


def size_factors(cells: PerturbedCells) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Give counts (or values scaled to one depth) and the factor that each cell is divided by.

    Returns
    -------
    csr_matrix
        Not logarithmic, float32 [cell, gene].
    ndarray
        Total of each cell over the median, corrected for composition, float64 [cell].
    """
    matrix = sparse.csr_matrix(cells.values, dtype=np.float32, copy=True)
    if cells.scale == "log-normalised":
        np.expm1(matrix.data, out=matrix.data)
    found = composition(matrix, cells.perturbation)
    if cells.scale == "log-normalised" and not len(found.dominant):
        factors = np.ones(matrix.shape[0])
    else:
        totals = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
        if len(found.dominant):
            totals -= np.asarray(matrix[:, found.dominant].sum(axis=1), dtype=np.float64).ravel()
        median = float(np.median(totals[totals > 0])) if (totals > 0).any() else 1.0
        factors = np.where(totals > 0, totals, median) / median
    hit = cells.perturbation >= 0
    sources = np.unique(cells.perturbation[hit])
    factors[hit] *= found.correction[np.searchsorted(sources, cells.perturbation[hit])]
    return matrix, factors


def normalise(cells: PerturbedCells) -> sparse.csr_matrix:
    """Bring cells to log(1 + count / size factor), float32 [cell, gene].

    Log-normalised values are corrected the same way, others (``continuous``) are returned as they are. Stays sparse.
    """
    if cells.scale == "continuous":
        return cells.values
    matrix, factors = size_factors(cells)
    matrix.data /= np.repeat(factors.astype(np.float32), np.diff(matrix.indptr))
    np.log1p(matrix.data, out=matrix.data)
    return matrix


def dominant_genes(cells: PerturbedCells) -> dict[str, float]:
    """Name the genes that hold more than a fifth of the counts of the control cells, with their shares."""
    if cells.scale == "continuous" or not len(cells.control):
        return {}
    matrix = cells.values[cells.control]
    if cells.scale == "log-normalised":
        matrix = log_normalise(matrix, cells.scale).copy()
        np.expm1(matrix.data, out=matrix.data)
    sums = np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()
    shares = sums / max(sums.sum(), 1e-12)
    return {cells.genes[gene]: float(shares[gene]) for gene in np.flatnonzero(shares > DOMINANT)}
