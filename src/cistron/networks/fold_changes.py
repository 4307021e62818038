"""Shifts of counts: log fold changes of pseudobulks under a negative binomial whose dispersion is learned from control cells.

The counts of gene t in the cells of perturbation p are summed with weights ``w = 1 / (1 + phi m s)``, which are the best
ones for a negative binomial of mean ``m`` per unit of the size factor ``s`` and dispersion ``phi``: where counts are few a cell
counts by its size, where they are many all cells count alike. The sum behaves as a count ``Y`` of expectation ``E`` under the
control's rate and dispersion ``phi'``. Its z comes from the transform that stabilises the variance (Anscombe 1948),

    z = 2 / sqrt(phi') [asinh sqrt(phi' (Y + 3/8)) - asinh sqrt(phi' (E + 3/8))],

and the shift is ``log((Y + 1/2) / (E + 1/2))``. Effects multiply, so that on this scale a change of a regulator by half does the
same to a gene with few and with many counts; in standard deviations of cells it does not.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.double_perturbations import effects_with_pairs
from cistron.networks.effects import KnockOutEffects, knock_out_effects, perturbation_moments
from cistron.networks.normalisation import normalise, size_factors

# bins of phi m, dispersion times mean, and the value that stands for each
EDGES = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
MIDDLES = np.array([0.03, 0.07, 0.15, 0.3, 0.6, 1.2, 2.4, 5.0])
FEWEST_COUNTS = 50.0  # of a gene over control cells, from which its dispersion says something about others


def recovered_counts(values: sparse.csr_matrix) -> sparse.csr_matrix | None:
    """Undo log(1 + count / factor) where the least value of a cell is that of one count; ``None`` where values are no counts.

    Counts of cells without a single one come out too small together with their total, which does no harm.
    """
    counts = sparse.csr_matrix(values, dtype=np.float32, copy=True)
    counts.eliminate_zeros()
    if not counts.nnz or counts.data.min() < 0:
        return None
    np.expm1(counts.data, out=counts.data)
    number = np.diff(counts.indptr)
    filled = np.flatnonzero(number)
    least = np.ones(counts.shape[0], dtype=np.float32)
    least[filled] = np.minimum.reduceat(counts.data, counts.indptr[:-1][filled])
    counts.data /= np.repeat(least, number)
    whole = np.round(counts.data)
    if (np.abs(counts.data - whole) > 0.02 * np.maximum(whole, 1)).mean() > 0.01:
        return None
    counts.data = whole
    return counts


def screen_effects(cells: PerturbedCells, weights: np.ndarray | None = None) -> KnockOutEffects:
    """Give log fold changes of counts, or shifts in standard deviations of values that are no counts.

    Cells with two perturbed genes take part (:mod:`cistron.networks.double_perturbations`).

    Parameters
    ----------
    cells
        Perturbed cells; log-normalised values are turned back into counts where that can be.
    weights
        Whole number of times that each cell counts (a bootstrap); once when absent.
    """
    return effects_with_pairs(cells, lambda one: _effects_alone(one, weights))


def _effects_alone(cells: PerturbedCells, weights: np.ndarray | None) -> KnockOutEffects:
    if cells.scale == "log-normalised":
        counts = recovered_counts(cells.values)
        if counts is not None:
            return fold_changes(replace(cells, values=counts, scale="counts"), weights)
    if cells.scale == "counts":
        return fold_changes(cells, weights)
    return knock_out_effects(perturbation_moments(normalise(cells), cells.perturbation, weights, cells.batch))


def _sums(indicator: sparse.csr_matrix, matrix: sparse.csr_matrix) -> np.ndarray:
    return (indicator @ matrix).toarray().astype(np.float64)


def dispersions(
    counts: sparse.csr_matrix, factors: np.ndarray, weight: np.ndarray, batch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Dispersion of each gene over control cells around the mean of their batch, by moments, and its mean rate.

    Noisy dispersions are drawn towards the median of genes with counts enough.

    Parameters
    ----------
    counts
        Of control cells [cell, gene].
    factors, weight, batch
        Size factor, times that it counts and batch of each cell [cell].
    """
    size = sparse.csr_matrix(
        (weight, (batch, np.arange(len(batch)))), shape=(int(batch.max()) + 1, len(batch))
    )
    products = _sums(size.multiply(factors[None, :]).tocsr(), counts)  # sum of s x
    exposure, squares = size @ factors, size @ factors**2
    total = _sums(size, counts)
    rate = total / np.maximum(exposure, 1e-12)[:, None]
    doubled = counts.copy()
    doubled.data = doubled.data**2
    second = _sums(size, doubled).sum(axis=0)
    residual = second - 2 * (rate * products).sum(axis=0) + (rate**2 * squares[:, None]).sum(axis=0)
    expected = np.maximum((rate**2 * squares[:, None]).sum(axis=0), 1e-12)
    dispersion = (residual - total.sum(axis=0)) / expected
    mean = total.sum(axis=0) / max(float(exposure.sum()), 1e-12)
    enough = total.sum(axis=0) > FEWEST_COUNTS
    middle = float(np.median(dispersion[enough])) if enough.any() else 0.2
    noise = 2 / np.maximum(mean, 1e-9) ** 2 / max(float(weight.sum()), 1) + 0.05
    own = 0.1 / (0.1 + noise)
    return np.clip(own * dispersion + (1 - own) * middle, 0.01, 20), mean


def fold_changes(cells: PerturbedCells, weights: np.ndarray | None = None) -> KnockOutEffects:
    """Give the log fold change that each perturbation makes in each gene, with its error.

    Parameters
    ----------
    cells
        Perturbed cells with counts.
    weights
        Times that each cell counts (a bootstrap), or the chance that its perturbation took effect; once when absent.
    """
    counts, factors = size_factors(cells)
    perturbation = cells.perturbation
    sources = np.unique(perturbation[perturbation >= 0])
    group = np.searchsorted(sources, perturbation) + 1
    group[perturbation == -1] = 0
    used = np.flatnonzero(perturbation >= -1)
    weight = np.ones(len(perturbation)) if weights is None else weights.astype(np.float64)
    batch = np.zeros(len(perturbation), dtype=np.int64) if cells.batch is None else cells.batch
    control = np.flatnonzero(perturbation == -1)
    dispersion, mean = dispersions(counts[control], factors[control], weight[control], batch[control])
    batches = int(batch.max()) + 1
    # one row for each batch of the control, then one for each perturbation
    row = np.where(group == 0, batch, group + batches - 1)
    rows, genes = batches + len(sources), counts.shape[1]
    total, exposure, square, linear = (np.zeros((rows, genes)) for _ in range(4))
    place = np.digitize(dispersion * mean, EDGES)
    columns = counts.tocsc()
    # exposure of each perturbation in each batch, by bin
    expected = np.zeros((len(sources), genes))
    for number in np.unique(place):
        members = np.flatnonzero(place == number)
        best = weight / (1 + MIDDLES[number] * factors)

        def spread(values: np.ndarray) -> sparse.csr_matrix:
            return sparse.csr_matrix((values[used], (row[used], used)), shape=(rows, len(row)))

        total[:, members] = _sums(spread(best), columns[:, members].tocsr())
        exposure[:, members] = (spread(best) @ factors)[:, None]
        square[:, members] = (spread(best * best / np.maximum(weight, 1e-12)) @ factors**2)[:, None]
        linear[:, members] = (spread(best * best / np.maximum(weight, 1e-12)) @ factors)[:, None]
        rate = total[:batches, members] / np.maximum(exposure[:batches, members], 1e-12)
        hit = used[group[used] > 0]
        mixed = sparse.csr_matrix(
            ((best * factors)[hit], (group[hit] - 1, batch[hit])), shape=(len(sources), batches)
        )
        expected[:, members] = mixed @ rate
    # brought to units in which the variance of few counts is their mean
    unit = exposure / np.maximum(linear, 1e-12)
    seen, expected = total[batches:] * unit[batches:], expected * unit[batches:]
    spread_of = dispersion * square[batches:] / np.maximum(exposure[batches:], 1e-12) ** 2
    of_control = total[:batches] * unit[:batches]
    exposed = exposure[:batches].sum(axis=0)
    control_variance = (
        1 / np.maximum(of_control.sum(axis=0), 1)
        + dispersion * square[:batches].sum(axis=0) / np.maximum(exposed, 1e-12) ** 2
    )
    return _standardised(
        sources, seen, expected, spread_of, control_variance, np.bincount(group[used], weight[used])[1:]
    )


def _standardised(
    sources: np.ndarray,
    seen: np.ndarray,
    expected: np.ndarray,
    dispersion: np.ndarray,
    control_variance: np.ndarray,
    cells: np.ndarray,
) -> KnockOutEffects:
    """Turn sums, expectations and dispersions, each [perturbation, gene], into shifts whose z is a normal score."""
    root = np.sqrt(dispersion)

    def stabilised(count: np.ndarray) -> np.ndarray:
        return 2 / root * np.arcsinh(root * np.sqrt(count + 0.375))

    slope = expected / np.sqrt(expected + 0.375) / np.sqrt(1 + dispersion * (expected + 0.375))
    z = (stabilised(seen) - stabilised(expected)) / np.sqrt(1 + slope**2 * control_variance)
    shift = np.log((seen + 0.5) / (expected + 0.5))
    usual = np.sqrt(1 / np.maximum((seen + expected) / 2, 0.25) + dispersion + control_variance)
    error = np.where(np.abs(z) > 0.3, np.abs(shift) / np.maximum(np.abs(z), 1e-9), usual)
    error = np.clip(error, 0.3 * usual, 4 * usual)
    return KnockOutEffects(sources, z * error, error, np.ones(seen.shape[1]), cells)
