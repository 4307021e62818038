"""Negative controls: genes are rearranged, so that an embedding tells nothing of them but keeps its distribution."""

import numpy as np

from cistron.errors import InputError
from cistron.runtime.seeds import random_generator

_FIRST_WIDTH = 16  # rows on either side among which a partner is sought first


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


def group_like_rows(properties: np.ndarray, most: int = 16) -> np.ndarray:
    """Divide rows into small groups with like properties.

    The rows are divided in halves again and again, each time at the median of the property that varies most
    within the part, until a part has no more than ``most`` rows (a k-d tree).

    Parameters
    ----------
    properties
        float64 [row, property]; they are standardised first.
    most
        Largest number of rows of a group.

    Returns
    -------
    ndarray
        Number of the group of each row, int [row]; groups of neighbouring numbers are mostly alike.
    """
    spread = properties.std(axis=0)
    standard = (properties - properties.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    groups = np.empty(len(properties), dtype=np.int64)
    parts, number = [np.arange(len(properties))], 0
    while parts:
        rows = parts.pop()
        if len(rows) <= most:
            groups[rows] = number
            number += 1
            continue
        values = standard[rows]
        column = values[:, values.std(axis=0).argmax()]
        half = len(rows) // 2
        split = np.argpartition(column, half)
        parts += [rows[split[half:]], rows[split[:half]]]
    return groups


def permute_matched(
    groups: np.ndarray,
    blocks: np.ndarray,
    positions: np.ndarray,
    seed: int,
    draw: int,
    *,
    distance: float = 1e6,
) -> np.ndarray:
    """Exchange rows among like rows, never with themselves or with a row nearby.

    Parameters
    ----------
    groups
        Group of like rows of each row (:func:`group_like_rows`), int [row]. Rows are exchanged within their group; where
        a group lies in one place, with rows of groups of neighbouring numbers.
    blocks
        Chromosome of each row, int [row].
    positions
        Place of each row on its chromosome in base pairs, float [row].
    seed, draw
        Seed of the run and number of the draw.
    distance
        Least distance between partners on one chromosome, base pairs.

    Returns
    -------
    ndarray
        Row number that takes each place, int [row]: a permutation in which row ``i`` and its partner lie on
        different chromosomes or at least ``distance`` apart.

    Raises
    ------
    InputError
        If the rows lie so close together that no such permutation was found.
    """
    generator = random_generator(seed, "matched permutation", draw)
    size = len(groups)
    rows = np.lexsort((generator.random(size), groups))
    # One cycle a group: each row takes the place of the next, so no row keeps its own.
    following = np.arange(1, size + 1)
    last = np.flatnonzero(np.r_[groups[rows][1:] != groups[rows][:-1], True])
    following[last] = np.r_[0, last[:-1] + 1]
    partner = rows[following]

    def near(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (blocks[first] == blocks[second]) & (np.abs(positions[first] - positions[second]) < distance)

    for place in np.flatnonzero(near(rows, partner)).tolist():
        if not near(rows[place], partner[place]):
            continue  # mended by an exchange since
        width = _FIRST_WIDTH
        while True:
            low, high = max(0, place - width), min(size, place + width + 1)
            window = np.arange(low, high)
            fits = ~near(rows[place], partner[window]) & ~near(rows[window], partner[place])
            if fits.any():
                other = int(generator.choice(window[fits]))
                partner[place], partner[other] = partner[other], partner[place]
                break
            if low == 0 and high == size:
                raise InputError(
                    f"matched control: {size:,} genes lie so close together that they cannot be exchanged for others at "
                    f"least {distance / 1e6:g} Mb away; use traits with genes on more chromosomes, or --controls 0"
                )
            width *= 4
    result = np.empty(size, dtype=np.int64)
    result[rows] = partner
    return result
