"""Scale matrices for the networks: centre each gene, divide by one standard deviation, from fitting entries only."""

from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.runtime.seeds import random_generator

_ROWS = 1024  # rows at once: bounds the memory of temporary arrays


def draw_held_out(values: np.ndarray, share: float, most: int, seed: int, name: str | int = 0) -> np.ndarray:
    """Draw entries that are kept from fitting, to judge and to stop by.

    Parameters
    ----------
    values
        Matrix, float [gene, sample]; NaN is missing and is never drawn.
    share
        Share of the observed entries to hold out.
    most
        Largest number to hold out (more would cost time and tell no more).
    seed, name
        Seed of the run and name of the matrix.

    Returns
    -------
    ndarray of bool
        Held out [gene, sample]. At least one observed entry of each gene is left to fit on.
    """
    generator = random_generator(seed, "held-out entries", name)
    probability = np.float32(min(share, most / max(values.size, 1)))
    held_out = np.empty(values.shape, dtype=bool)
    for start in range(0, len(values), _ROWS):
        block = values[start : start + _ROWS]
        observed = np.isfinite(block)
        drawn = observed & (generator.random(block.shape, dtype=np.float32) < probability)
        emptied = np.flatnonzero(observed.any(axis=1) & ~(observed & ~drawn).any(axis=1))
        drawn[emptied, observed[emptied].argmax(axis=1)] = False
        held_out[start : start + _ROWS] = drawn
    return held_out


@dataclass(frozen=True)
class EntryScale:
    """Mean of each gene and one standard deviation of a matrix.

    Attributes
    ----------
    centre
        Mean of each gene over the entries that were fitted on, float32 [gene]; NaN for a gene without any.
    spread
        Standard deviation of the centred entries.
    entries
        Entries of each gene that were fitted on, int64 [gene].
    """

    centre: np.ndarray
    spread: float
    entries: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, held_out: np.ndarray | None = None) -> "EntryScale":
        """Compute the scale from the observed entries that are not held out.

        Raises
        ------
        InputError
            If the matrix has no observed entries, or they do not vary.
        """
        centre = np.full(len(values), np.nan, dtype=np.float32)
        entries = np.zeros(len(values), dtype=np.int64)
        total, squares = 0, 0.0
        for start in range(0, len(values), _ROWS):
            rows = slice(start, start + _ROWS)
            used = np.isfinite(values[rows])
            if held_out is not None:
                used &= ~held_out[rows]
            block = np.where(used, values[rows], 0.0)
            count = used.sum(axis=1)
            mean = block.sum(axis=1, dtype=np.float64) / np.maximum(count, 1)
            block = np.where(used, block - mean[:, None], 0.0)
            centre[rows] = np.where(count > 0, mean, np.nan)
            entries[rows] = count
            squares += float(np.square(block, dtype=np.float64).sum())
            total += int(count.sum())
        spread = np.sqrt(squares / max(total, 1))
        if not spread > 0:
            raise InputError(
                f"the matrix does not vary within genes: {total:,} observed entries of {len(values):,} genes x "
                f"{values.shape[1]:,} samples; at least 2 samples with different values are needed"
            )
        return cls(centre, float(spread), entries)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Give the scaled matrix, float32 [gene, sample]; missing entries stay NaN."""
        scaled = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(values), _ROWS):
            rows = slice(start, start + _ROWS)
            scaled[rows] = (values[rows] - self.centre[rows, None]) / self.spread
        return scaled

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Give values on the scale of the input, float32 [gene, sample]."""
        return (scaled * self.spread + self.centre[:, None]).astype(np.float32)
