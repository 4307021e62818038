"""Cells in which two genes were perturbed at once, as a design with two sources.

Effects are taken to add up on the scale of log fold changes: with ``y_A``, ``y_B`` and ``y_AB`` the shifts of cells in which A, B or both were
perturbed, ``y_AB - y_B`` says once more what A does, with the variance of both. All that is known of A is averaged with weights of one over
the variance. Where A was perturbed alone too, a gene at which the pair departs from the sum of the two by more than two standard
errors counts less (two genes may act together), and so does a pair that departs everywhere.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.effects import KnockOutEffects

DEPARTURE = 2.0  # standard errors from which on a departure from the sum lowers the weight
MEDIAN_SQUARE = 0.455  # of a standard normal variable


def perturbation_groups(cells: PerturbedCells) -> tuple[np.ndarray, np.ndarray]:
    """Give each pair of genes a number of its own, from the number of genes on.

    Parameters
    ----------
    cells
        Perturbed cells.

    Returns
    -------
    ndarray
        Number of the perturbation of each cell: a gene, a pair, -1 control, -2 set aside; int [cell].
    ndarray
        Genes of each pair, int [pair, 2].
    """
    if cells.pairs is None:
        return cells.perturbation, np.empty((0, 2), dtype=np.int64)
    together = np.flatnonzero(cells.pairs[:, 0] >= 0)
    pairs, number = np.unique(cells.pairs[together], axis=0, return_inverse=True)
    groups = cells.perturbation.copy()
    groups[together] = len(cells.genes) + number.ravel()
    return groups, pairs


def effects_with_pairs(
    cells: PerturbedCells, effects_of: Callable[[PerturbedCells], KnockOutEffects]
) -> KnockOutEffects:
    """Compute effects of single genes from cells with one and with two perturbed genes.

    Parameters
    ----------
    cells
        Perturbed cells.
    effects_of
        Gives the effects of perturbations, each on its own.
    """
    groups, pairs = perturbation_groups(cells)
    if not len(pairs):
        return effects_of(cells)
    found = effects_of(replace(cells, perturbation=groups, pairs=None))
    return resolve_pairs(found, pairs, len(cells.genes))


def resolve_pairs(effects: KnockOutEffects, pairs: np.ndarray, genes: int) -> KnockOutEffects:
    """Turn effects of genes and of pairs into effects of genes.

    Parameters
    ----------
    effects
        Effects; sources from ``genes`` on are pairs.
    pairs
        Genes of each pair, int [pair, 2].
    genes
        Number of genes.
    """
    alone = {int(source): row for row, source in enumerate(effects.sources) if source < genes}
    sources = np.unique([*alone, *(gene for pair in pairs.tolist() for gene in pair)])
    sources = np.array([one for one in sources.tolist() if one in alone or _partners(one, pairs, alone)])
    number = effects.shift.shape[1]
    weight, total = np.zeros((len(sources), number)), np.zeros((len(sources), number))
    cells = np.zeros(len(sources))
    row_of = {int(source): row for row, source in enumerate(sources)}
    for source, row in alone.items():
        weight[row_of[source]] = 1 / effects.error[row] ** 2
        total[row_of[source]] = effects.shift[row] * weight[row_of[source]]
        cells[row_of[source]] = effects.cells[row]
    for row in np.flatnonzero(effects.sources >= genes).tolist():
        first, second = pairs[effects.sources[row] - genes].tolist()
        for source, partner in ((first, second), (second, first)):
            if partner not in alone:
                continue
            left = effects.shift[row] - effects.shift[alone[partner]]
            variance = effects.error[row] ** 2 + effects.error[alone[partner]] ** 2
            if source in alone:
                here = alone[source]
                variance = variance * _departure(
                    left - effects.shift[here], variance + effects.error[here] ** 2
                )
            weight[row_of[source]] += 1 / variance
            total[row_of[source]] += left / variance
            cells[row_of[source]] += effects.cells[row] / 2
    return KnockOutEffects(sources, total / weight, 1 / np.sqrt(weight), effects.scale, cells)


def _partners(gene: int, pairs: np.ndarray, alone: dict[int, int]) -> bool:
    """Whether a gene that was never perturbed alone was so together with one that was."""
    members = pairs[(pairs == gene).any(axis=1)].ravel().tolist()
    return any(one in alone for one in members if one != gene)


def _departure(residual: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Factor on the variance of a pair at each gene, for its departure from the sum of the two genes [gene]."""
    square = residual**2 / variance
    everywhere = max(1.0, float(np.median(square)) / MEDIAN_SQUARE)
    return np.maximum(square / DEPARTURE**2, everywhere)
