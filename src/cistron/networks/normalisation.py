"""One scale for all cells that a change of composition does not move.

Dividing a cell by its total count makes every gene a share. Where one gene is 44% of the counts and rises by 40%, all others
appear to fall. Two things keep that out of the shifts:

1. genes that hold more than a fifth of the counts of the control cells do not count towards a cell's total;
2. nor do, in the cells of one perturbation, genes whose share it changes by more than a fifth of the counts, such as its own gene where
   that was activated to half of a cell (a twentieth in panels too small for a median of ratios). Their share in control cells stands in for them;
3. the total of each perturbation's cells is corrected by the median ratio of its pseudobulk to that of the control cells
   over genes (Anders and Huber 2010, Genome Biology 11, R106, on pseudobulks because single cells are mostly zeros). The
   correction is shrunk towards none by its own standard error.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells

DOMINANT = 0.2  # share of the counts from which on a gene is left out of the total
FEWEST_COUNTS = 20.0  # a ratio of pseudobulks with fewer expected counts is mostly noise
FEWEST_GENES = 10  # ratios that a median needs
# Share of the counts by which a gene changes from which on it is left out of the totals of these cells: in panels of more genes than a
# median of ratios needs, and of fewer. With 0.05 for both, AUPRC fell by 0.07 and 0.04 on planted panels of 15 and 20 genes, where little is left of a total then.
CHANGED = (0.2, 0.05)
LEAST_REST = 0.3  # share of the counts of the control cells that totals are made of at least


@dataclass(frozen=True)
class Composition:
    """What is done to the totals of the cells.

    Attributes
    ----------
    dominant
        Numbers of the genes that hold more than a fifth of the counts and are left out of the totals.
    correction
        Factor on the totals of the cells of each perturbation, 1 where nothing is to be corrected [perturbation].
    left_out
        Numbers of the genes that are left out of the totals of the cells of a perturbation, by its number.
    """

    dominant: np.ndarray
    correction: np.ndarray
    left_out: dict[int, np.ndarray] = field(default_factory=dict)


def _changed(before: np.ndarray, after: np.ndarray, limit: float) -> np.ndarray:
    """Find the genes whose share changes much, the largest change first: what is left is shared out anew after each.

    Parameters
    ----------
    before, after
        Counts of the control cells and of the perturbed cells [gene].
    limit
        Change of the share that is much.
    """
    rest = np.ones(len(before), dtype=bool)
    while True:
        shares = [part[rest] / max(part[rest].sum(), 1e-12) for part in (before, after)]
        change = np.abs(shares[1] - shares[0])
        largest = np.flatnonzero(rest)[np.argmax(change)]
        left = before[rest].sum() - before[largest]
        if change.max() <= limit or rest.sum() < 4 or left < LEAST_REST * before.sum():
            return np.flatnonzero(~rest)
        rest[largest] = False


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


def composition(counts: sparse.csr_matrix, perturbation: np.ndarray, *, shares: bool = True) -> Composition:
    """Find dominant genes, those that a perturbation changes much, and the correction of each perturbation.

    Parameters
    ----------
    counts
        Not logarithmic: counts, or counts scaled to one depth [cell, gene].
    perturbation
        Perturbed gene of each cell, -1 control, -2 not used.
    shares
        Whether cells are divided by their total here. Values that were divided by the total of more genes than are left
        are compared as they are: one that rises does not push the others down.
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
    shares = shares or bool(len(dominant))
    correction, left_out = np.ones(len(sources)), {}
    number = np.bincount(group[group >= 0], minlength=len(sources) + 1)
    for row, source in enumerate(sources):
        before, after = sums[0, rest], sums[1 + row, rest]
        stays = np.ones(len(rest), dtype=bool)
        if shares and after.any():
            stays[_changed(before, after, CHANGED[int(len(rest) <= FEWEST_GENES)])] = False
            if not stays.all():
                left_out[int(source)] = rest[~stays]
            level = after[stays].sum() / before[stays].sum()
        else:
            level = number[1 + row] / number[0]
        expected = before * level
        kept = stays & (expected >= FEWEST_COUNTS) & (before > 0) & (after > 0) & (rest != source)
        if kept.sum() < FEWEST_GENES:
            continue
        ratio = np.log(after[kept] / expected[kept])
        # the noise of a ratio has a part of the counts and a part that is the same for all genes
        weight = 1 / (1 / expected[kept] + 0.01)
        middle = weighted_median(ratio, weight)
        spread = 1.4826 * weighted_median(np.abs(ratio - middle), weight)
        error = 1.25 * spread * np.sqrt((weight**2).sum()) / weight.sum()
        correction[row] = np.exp(middle * max(0.0, 1 - error**2 / max(middle**2, 1e-12)))
    return Composition(dominant, correction, left_out)


def _made_to_one_total(matrix: sparse.csr_matrix) -> bool:
    """Tell whether all cells have one total over the genes that are here."""
    totals = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    totals = totals[totals > 0]
    return bool(len(totals)) and float(np.ptp(totals)) < 0.01 * float(np.median(totals))


def _leave_out(
    totals: np.ndarray, matrix: sparse.csr_matrix, perturbation: np.ndarray, found: Composition
) -> None:
    """Take what a perturbation changes much out of the totals of its cells, and put its share in control cells there, in place."""
    if not found.left_out:
        return
    control = np.asarray(matrix[perturbation == -1].sum(axis=0), dtype=np.float64).ravel()
    control[found.dominant] = 0
    for source, genes in found.left_out.items():
        rows = np.flatnonzero(perturbation == source)
        changed = np.asarray(matrix[rows][:, genes].sum(axis=1), dtype=np.float64).ravel()
        totals[rows] = (totals[rows] - changed) / (1 - control[genes].sum() / control.sum())


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
    shares = cells.scale == "counts" or _made_to_one_total(matrix)
    found = composition(matrix, cells.perturbation, shares=shares)
    if cells.scale == "log-normalised" and not len(found.dominant) and not found.left_out:
        factors = np.ones(matrix.shape[0])
    else:
        totals = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
        if len(found.dominant):
            totals -= np.asarray(matrix[:, found.dominant].sum(axis=1), dtype=np.float64).ravel()
        _leave_out(totals, matrix, cells.perturbation, found)
        median = float(np.median(totals[totals > 0])) if (totals > 0).any() else 1.0
        factors = np.where(totals > 0, totals, median) / median
    hit = cells.perturbation >= 0
    sources = np.unique(cells.perturbation[hit])
    factors[hit] *= found.correction[np.searchsorted(sources, cells.perturbation[hit])]
    return matrix, factors


def changed_genes(cells: PerturbedCells) -> dict[str, list[str]]:
    """Name the genes that are left out of the totals of the cells of a perturbation, by its name."""
    if cells.scale == "continuous" or not len(cells.control):
        return {}
    matrix = cells.values
    if cells.scale == "log-normalised":
        matrix = matrix.copy()
        np.expm1(matrix.data, out=matrix.data)
    shares = cells.scale == "counts" or _made_to_one_total(matrix)
    found = composition(matrix, cells.perturbation, shares=shares)
    return {
        cells.genes[source]: [cells.genes[gene] for gene in genes] for source, genes in found.left_out.items()
    }


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
