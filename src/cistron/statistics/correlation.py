"""Correlations, and sums over blocks of rows from which they are computed for any resampling of the blocks."""

from dataclasses import dataclass

import numpy as np


def pearson(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pearson correlation of matching columns.

    Parameters
    ----------
    first, second
        float [row, column]; rows where either is NaN are left out, column by column.

    Returns
    -------
    ndarray
        float64 [column]; NaN where a side does not vary.
    """
    return BlockSums.collect(first, second, np.zeros(len(first), dtype=np.int64)).correlation()


def signed_square(correlation: np.ndarray) -> np.ndarray:
    """r abs(r): the squared correlation with the sign kept, so that an inverted prediction is not counted as signal."""
    return correlation * np.abs(correlation)


@dataclass(frozen=True)
class BlockSums:
    """Sums over blocks of rows for pairs of columns.

    Attributes
    ----------
    sums
        n, sum x, sum y, sum xx, sum yy, sum xy; float64 [6, block, column].
    """

    sums: np.ndarray

    @classmethod
    def collect(cls, first: np.ndarray, second: np.ndarray, blocks: np.ndarray) -> "BlockSums":
        """Sum over blocks numbered from 0; NaN pairs are left out.

        Parameters
        ----------
        first, second
            Values, float [row, column]; NaN is missing.
        blocks
            Number of the block of each row, int [row].
        """
        x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
        seen = np.isfinite(x) & np.isfinite(y)
        number = int(blocks.max()) + 1
        if (np.diff(blocks) < 0).any():
            order = np.argsort(blocks, kind="stable")
            x, y, seen, blocks = x[order], y[order], seen[order], blocks[order]
        # Centred first: correlation does not change, cancellation does.
        if seen.all():
            x, y = x - x.mean(axis=0), y - y.mean(axis=0)
        else:
            rows = np.maximum(seen.sum(axis=0), 1)
            x, y = np.where(seen, x, 0.0), np.where(seen, y, 0.0)
            x, y = (np.where(seen, values - values.sum(axis=0) / rows, 0.0) for values in (x, y))
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        sums = np.zeros((6, number, x.shape[1]))
        for part, values in enumerate((seen.astype(np.float64), x, y, x * x, y * y, x * y)):
            sums[part, blocks[starts]] = np.add.reduceat(values, starts, axis=0)
        return cls(sums)

    @property
    def count(self) -> np.ndarray:
        """Pairs behind each column, float64 [column]."""
        return self.sums[0].sum(axis=0)

    def correlation(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Pearson correlation over all blocks, or over blocks taken ``weights`` times.

        Parameters
        ----------
        weights
            Times that each block is taken, float64 [draw, block].

        Returns
        -------
        ndarray
            float64 [column], or [draw, column] with weights; NaN where a side does not vary.
        """
        draws = np.ones((1, self.sums.shape[1])) if weights is None else weights
        n, x, y, xx, yy, xy = (draws @ part for part in self.sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = xy - x * y / n
            spread = (xx - x * x / n) * (yy - y * y / n)
            # A variance this far below the scale of the sums is rounding, not variation.
            flat = spread <= 1e-20 * np.maximum(xx * yy, 1e-300)
            result = np.where(flat, np.nan, covariance / np.sqrt(np.where(flat, 1.0, spread)))
        result = np.clip(result, -1.0, 1.0)
        return result[0] if weights is None else result
