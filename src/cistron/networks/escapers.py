"""Cells that carry a guide and escaped its effect: the chance of each cell that it was perturbed, from its own target's count.

The count of the perturbed gene in its cells is a mixture of what control cells have and of what the perturbation leaves, both
negative binomial; the share of escapers is one number of the screen. Cells are weighed by that chance only where there are
many escapers and counts tell them apart: with few counts a weight says little and costs cells.
"""

import numpy as np
from scipy.special import gammaln

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.deconvolution import own_moves
from cistron.networks.effects import screen_directions
from cistron.networks.fold_changes import dispersions, fold_changes
from cistron.networks.normalisation import size_factors

LEAST_SHARE = 0.1  # of escapers, from which on cells are weighed
LEAST_TOLD = 0.4  # share of the variance of "escaped or not" that counts must explain


def _log_negative_binomial(count: np.ndarray, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    size = 1 / dispersion
    kept = size * np.log(size / (size + mean)) + count * np.log(mean / (size + mean))
    return np.asarray(
        gammaln(count + size) - gammaln(size) + kept
    )  # less log(count!), which is the same for both


def chance_of_effect(cells: PerturbedCells) -> tuple[np.ndarray, float]:
    """Chance of each cell that its perturbation took effect, 1 for control cells, and the share of escapers.

    Parameters
    ----------
    cells
        Perturbed cells with counts.

    Returns
    -------
    ndarray
        float64 [cell].
    float
        Share of the perturbed cells that escaped; 0 where perturbed genes do not visibly move.
    """
    counts, factors = size_factors(cells)
    chance = np.ones(len(cells.perturbation))
    effects = fold_changes(cells)
    directions = screen_directions(effects)
    hit = np.flatnonzero(cells.perturbation >= 0)
    if not directions.seen or not len(hit):
        return chance, 0.0
    control = cells.control
    batch = np.zeros(len(control), dtype=np.int64)
    dispersion, rate = dispersions(counts[control], factors[control], np.ones(len(control)), batch)
    gene = cells.perturbation[hit]
    count = np.asarray(counts[hit, gene], dtype=np.float64).ravel()
    rest = np.maximum(rate[gene] * factors[hit], 1e-6)
    row = np.searchsorted(effects.sources, gene)
    fold = directions.sign * own_moves(effects, directions)
    working = 0.9
    escaped = _log_negative_binomial(count, rest, dispersion[gene])
    for _ in range(10):
        moved = _log_negative_binomial(count, np.maximum(rest * np.exp(fold[row]), 1e-6), dispersion[gene])
        odds = moved - escaped + np.log(working / (1 - working))
        chance[hit] = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        # a prior of ten cells, nine of them perturbed; and of three expected counts with the usual fold change
        working = float(np.clip((chance[hit].sum() + 9) / (len(hit) + 10), 0.3, 0.99))
        usual = np.exp(np.median(fold))
        left = np.bincount(row, chance[hit] * count) + 3 * usual
        fold = np.log(left / (np.bincount(row, chance[hit] * rest) + 3))
    return chance, 1 - working


def cell_weights(cells: PerturbedCells) -> np.ndarray | None:
    """Weights of the cells, float64 [cell]; ``None`` where weighing them would say nothing."""
    if cells.scale != "counts":
        return None
    chance, share = chance_of_effect(cells)
    of_perturbed = chance[cells.perturbation >= 0]
    if share < LEAST_SHARE or of_perturbed.var() < LEAST_TOLD * share * (1 - share):
        return None
    return chance
