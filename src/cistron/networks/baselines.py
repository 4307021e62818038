"""Methods that are one formula each: from cells and settings to a network."""

import numpy as np

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.methods import NoSettings
from cistron.networks.covariation import co_variation
from cistron.networks.effects import direct_effects, mean_shift
from cistron.networks.network import Network
from cistron.networks.settings import CovariationSettings, DirectSettings, MeanShiftSettings
from cistron.networks.wasserstein_distance import wasserstein
from cistron.runtime.seeds import random_generator


def infer_mean_shift(cells: PerturbedCells, settings: MeanShiftSettings, seed: int) -> Network:
    """How far each target's mean moves when a source is perturbed.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Which statistic.
    seed
        Seed of everything random.
    """
    return mean_shift(cells, settings.statistic)


def infer_wasserstein(cells: PerturbedCells, settings: NoSettings, seed: int) -> Network:
    """Wasserstein distance of each target between perturbed and control cells.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        It has none.
    seed
        Seed of everything random.
    """
    return wasserstein(cells)


def infer_direct(cells: PerturbedCells, settings: DirectSettings, seed: int) -> Network:
    """Direct effects by inverting the matrix of total effects.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Which shifts count.
    seed
        Seed of everything random.
    """
    return direct_effects(cells, settings.cut)


def infer_correlation(cells: PerturbedCells, settings: CovariationSettings, seed: int) -> Network:
    """Absolute correlation over all cells.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        How many cells are used.
    seed
        Seed of everything random.
    """
    return co_variation(cells, False, settings.most_cells, seed)


def infer_partial_correlation(cells: PerturbedCells, settings: CovariationSettings, seed: int) -> Network:
    """Absolute partial correlation over all cells.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        How many cells are used.
    seed
        Seed of everything random.
    """
    return co_variation(cells, True, settings.most_cells, seed)


def infer_random(cells: PerturbedCells, settings: NoSettings, seed: int) -> Network:
    """Random weights.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        It has none.
    seed
        Seed of everything random.
    """
    size = len(cells.genes)
    weight = random_generator(seed, "random network").random((size, size)).astype(np.float32)
    np.fill_diagonal(weight, np.nan)
    return Network(cells.genes, weight)
