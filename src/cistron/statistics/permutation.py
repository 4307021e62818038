"""Negative controls: genes are rearranged, so that an embedding tells nothing of them but keeps its distribution."""

import numpy as np

from cistron.runtime.seeds import random_generator


def permute_within(blocks: np.ndarray, seed: int, draw: int) -> np.ndarray:
    """Shuffle row numbers within blocks.

    Parameters
    ----------
    blocks
        Block of each row, int [row].
    seed, draw
        Seed of the run and number of the draw.

    Returns
    -------
    ndarray
        Row number that takes each place, int [row]: ``matrix[permute_within(...)]`` is the control.
    """
    generator = random_generator(seed, "permute within blocks", draw)
    order = np.arange(len(blocks))
    for block in np.unique(blocks):
        rows = np.flatnonzero(blocks == block)
        order[rows] = generator.permutation(rows)
    return order


def shift_within(blocks: np.ndarray, positions: np.ndarray, seed: int, draw: int) -> np.ndarray:
    """Shift rows circularly along each block by at least a tenth of it.

    Neighbours stay neighbours, so similarity between neighbouring genes is kept, unlike in a permutation.

    Parameters
    ----------
    blocks
        Block of each row, int [row].
    positions
        Order of the rows within a block, any numbers [row].
    seed, draw
        Seed of the run and number of the draw.

    Returns
    -------
    ndarray
        Row number that takes each place, int [row].
    """
    generator = random_generator(seed, "circular shift", draw)
    order = np.arange(len(blocks))
    for block in np.unique(blocks):
        rows = np.flatnonzero(blocks == block)
        rows = rows[np.argsort(positions[rows], kind="stable")]
        least = max(1, len(rows) // 10)
        shift = int(generator.integers(least, len(rows) - least + 1)) if len(rows) > 2 * least else least
        order[rows] = np.roll(rows, shift)
    return order
