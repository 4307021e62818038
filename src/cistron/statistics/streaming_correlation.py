"""Pearson correlation of data that do not fit into memory: sums a group, from which any subset of groups is scored."""

import numpy as np


class CorrelationSums:
    """Sums over the bins of each group (a sequence) and track.

    Parameters
    ----------
    groups, tracks
        Numbers of them.

    Attributes
    ----------
    sums
        float64 [group, track, 6]: n, x, y, xx, yy, xy.
    """

    def __init__(self, groups: int, tracks: int) -> None:
        self.sums = np.zeros((groups, tracks, 6))

    def add(self, groups: np.ndarray, observed: np.ndarray, predicted: np.ndarray) -> None:
        """Add the bins of some groups.

        Parameters
        ----------
        groups
            int [group].
        observed, predicted
            float [group, track, bin].
        """
        x, y = observed.astype(np.float64), predicted.astype(np.float64)
        parts = (np.ones_like(x), x, y, x * x, y * y, x * y)
        np.add.at(self.sums, groups, np.stack([part.sum(axis=2) for part in parts], axis=-1))

    def pearson(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Correlate over the bins of all groups.

        Parameters
        ----------
        weights
            float [draw, group]: how often each group counts (a bootstrap); once when absent.

        Returns
        -------
        ndarray
            float64 [track], or [draw, track]; NaN where one side does not vary.
        """
        if weights is None:
            return pearson_from_sums(self.sums.sum(axis=0))
        return pearson_from_sums(np.einsum("dg,gtk->dtk", weights, self.sums))

    def pearson_of_means(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Correlate the means of groups.

        Parameters
        ----------
        weights
            As of :meth:`pearson`.
        """
        count = np.maximum(self.sums[..., 0], 1)
        x, y = self.sums[..., 1] / count, self.sums[..., 2] / count
        seen = (self.sums[..., 0] > 0).astype(float)
        means = np.stack([seen, x, y, x * x, y * y, x * y], axis=-1)
        if weights is None:
            return pearson_from_sums(means.sum(axis=0))
        return pearson_from_sums(np.einsum("dg,gtk->dtk", weights, means))


def pearson_from_sums(sums: np.ndarray) -> np.ndarray:
    """Pearson of sums [..., 6]; NaN where one side does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    n = np.maximum(n, 1)
    covariance = xy - x * y / n
    spread_x, spread_y = np.maximum(xx - x * x / n, 0), np.maximum(yy - y * y / n, 0)
    small = (spread_x <= 1e-12 * np.maximum(xx, 1e-30)) | (spread_y <= 1e-12 * np.maximum(yy, 1e-30))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = covariance / np.sqrt(spread_x * spread_y)
    result: np.ndarray = np.where(small, np.nan, found)
    return result
