"""Bootstrap over blocks (chromosomes), which keeps linkage between neighbouring genes inside a block.

Source: block bootstrap, Künsch 1989; percentile intervals, Efron 1981.
"""

import numpy as np

from cistron.runtime.seeds import random_generator


def block_draws(blocks: int, draws: int, seed: int) -> np.ndarray:
    """Draw blocks with replacement.

    Parameters
    ----------
    blocks
        Number of blocks.
    draws
        Number of bootstrap samples.
    seed
        Seed of the run.

    Returns
    -------
    ndarray
        Times that each block is taken, float64 [draw, block]; each row sums to ``blocks``.
    """
    generator = random_generator(seed, "block bootstrap", blocks)
    return generator.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=draws).astype(np.float64)


def percentile_interval(samples: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over the first axis, NaN samples left out; two arrays of the remaining shape."""
    tail = (1.0 - level) / 2
    low, high = np.nanquantile(samples, [tail, 1.0 - tail], axis=0)
    return low, high


def bootstrap_p_value(samples: np.ndarray) -> np.ndarray:
    """Two-sided p-value that the quantity is 0: twice the smaller share of samples on either side of 0.

    Never below 2 / (draws + 1), because a bootstrap of that many draws can say no more.
    """
    number = np.isfinite(samples).sum(axis=0)
    below = (samples <= 0).sum(axis=0)
    above = (samples >= 0).sum(axis=0)
    return np.minimum(1.0, 2.0 * (np.minimum(below, above) + 1.0) / (number + 1.0))
