"""The Wasserstein distance of every gene between perturbed and control cells, for all perturbations at once."""

from itertools import pairwise

import numpy as np

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.direction import regulation_sign
from cistron.networks.effects import knock_out_effects, perturbation_moments, screen_directions, spread_rows
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise
from cistron.runtime.progress import Progress


def wasserstein_groups(control: np.ndarray, perturbed: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """First Wasserstein distance of each group of cells from the control cells, gene by gene.

    The area between the quantile functions is summed in closed form: over the stretch ``[(i-1)/n, i/n]`` the
    perturbed quantile is a constant x, and the control quantile crosses it at most once.

    Parameters
    ----------
    control
        Sorted along axis 0, float64 [control cell, gene].
    perturbed
        Groups one after the other, each sorted along axis 0, float64 [perturbed cell, gene].
    sizes
        Cells of each group.

    Returns
    -------
    ndarray
        float64 [group, gene].
    """
    size, genes = control.shape
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    number = np.repeat(sizes, sizes)
    rank = np.arange(len(perturbed)) - np.repeat(starts, sizes)
    low, high = rank / number * size, (rank + 1) / number * size  # in control cells
    prefix = np.vstack([np.zeros((1, genes)), np.cumsum(control, axis=0)])
    padded = np.vstack([control, control[-1:]])

    def integral(u: np.ndarray) -> np.ndarray:  # of the control quantile function from 0 to u
        whole = np.minimum(u.astype(np.int64), size)
        return prefix[whole] + (u - whole)[:, None] * padded[whole]

    crossing = np.empty(perturbed.shape, dtype=np.int64)
    for gene in range(genes):
        crossing[:, gene] = np.searchsorted(control[:, gene], perturbed[:, gene])
    at_low, at_high = integral(low), integral(high)
    at_middle = np.take_along_axis(prefix, crossing, axis=0)
    before, after = crossing <= low[:, None], crossing >= high[:, None]
    at_middle = np.where(before, at_low, np.where(after, at_high, at_middle))
    middle = np.clip(crossing, low[:, None], high[:, None])
    area = perturbed * (2 * middle - (low + high)[:, None]) - 2 * at_middle + at_low + at_high
    return np.add.reduceat(area, starts, axis=0) / size


def wasserstein(cells: PerturbedCells) -> Network:
    """Score an edge by the Wasserstein distance of the target between perturbed and control cells.

    Genes are taken in blocks, so that no more than about four million values are dense at a time.
    """
    cells.require_perturbations("wasserstein")
    sources = cells.perturbed
    order = np.argsort(cells.perturbation, kind="stable")
    order = order[cells.perturbation[order] >= 0]
    sizes = np.bincount(np.searchsorted(sources, cells.perturbation[order]))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    normalised = normalise(cells)
    effects = knock_out_effects(perturbation_moments(normalised, cells.perturbation, batch=cells.batch))
    values = normalised.tocsc()
    genes = len(cells.genes)
    block = max(1, min(genes, 4_000_000 // len(cells.perturbation)))
    distance = np.zeros((len(sources), genes), dtype=np.float32)
    direction = np.zeros_like(distance)
    with Progress("Wasserstein distances", total=genes, unit="genes") as progress:
        for start in range(0, genes, block):
            part = slice(start, min(start + block, genes))
            dense = values[:, part].toarray().astype(np.float64)
            control = np.sort(dense[cells.control], axis=0)
            perturbed = dense[order]
            for begin, end in pairwise(starts):
                perturbed[begin:end].sort(axis=0)
            distance[:, part] = wasserstein_groups(control, perturbed, sizes)
            sums = np.add.reduceat(perturbed, starts[:-1], axis=0)
            direction[:, part] = sums / sizes[:, None] - control.mean(axis=0)
            progress.advance(part.stop - part.start)
    moved = regulation_sign(direction, screen_directions(effects).sign)
    sign = spread_rows(moved, sources, genes, 0).astype(np.int8)
    return Network(cells.genes, spread_rows(distance, sources, genes), sign=sign)
