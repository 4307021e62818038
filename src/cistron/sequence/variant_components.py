"""Principal components of variant effects over tracks, in one pass over pieces: memory is tracks x tracks, whatever the rows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import eigsh

_DENSE = 500  # tracks up to which all eigenvectors cost nothing


@dataclass(frozen=True)
class Components:
    """Components of standardised tracks.

    Attributes
    ----------
    mean, deviation
        Of each track, float64 [track]; a track that never changes has deviation 1.
    loadings
        float64 [track, component], columns of length 1; the largest entry of each is positive.
    explained
        Share of the variance of the standardised tracks, float64 [component].
    """

    mean: np.ndarray
    deviation: np.ndarray
    loadings: np.ndarray
    explained: np.ndarray

    def project(self, values: np.ndarray) -> np.ndarray:
        """Give the components of rows [row, track], float32 [row, component]."""
        return (((values - self.mean) / self.deviation) @ self.loadings).astype(np.float32)


def principal_components(pieces: Iterable[np.ndarray], number: int) -> Components:
    """Find the principal components of the correlation matrix of tracks.

    Parameters
    ----------
    pieces
        Blocks of rows, float [row, track].
    number
        Components, at most the number of tracks.
    """
    rows, total, squares = 0, np.zeros(0), np.zeros((0, 0))
    for piece in pieces:
        values = piece.astype(np.float64)
        if not rows:
            total, squares = np.zeros(values.shape[1]), np.zeros((values.shape[1],) * 2)
        rows += len(values)
        total += values.sum(0)
        squares += values.T @ values
    mean = total / rows
    covariance = squares / rows - np.outer(mean, mean)
    variance = np.diag(covariance).copy()
    # A track that all variants leave alone has rounding for a variance.
    deviation = np.sqrt(
        np.where(variance > 1e-12 * np.maximum(np.diag(squares) / rows, 1e-300), variance, 1.0)
    )
    covariance /= np.outer(deviation, deviation)
    tracks = len(mean)
    if tracks <= _DENSE or number >= tracks - 1:
        found, vectors = np.linalg.eigh(covariance)
    else:
        found, vectors = eigsh(covariance, k=number, v0=np.full(tracks, tracks**-0.5))
    order = np.argsort(found)[::-1][:number]
    loadings = vectors[:, order]
    loadings *= np.sign(loadings[np.abs(loadings).argmax(0), np.arange(number)])
    return Components(
        mean, deviation, loadings, np.clip(found[order], 0, None) / max(np.trace(covariance), 1e-300)
    )
