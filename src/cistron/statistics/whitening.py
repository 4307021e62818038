"""Whitening by the covariance of neighbouring genes, block by block.

With Sigma = Q diag(e) Q' on a chromosome and a ridge d on its diagonal, W = diag(e + d)^(-1/2) Q' gives
W (Sigma + d I) W' = I. The eigendecomposition does not depend on d, so one decomposition serves all traits,
each of which has a ridge of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from cistron.errors import InputError


@dataclass(frozen=True)
class CovarianceRepair:
    """What was added to the diagonal of a covariance that is not positive definite.

    Attributes
    ----------
    smallest_eigenvalue
        Smallest eigenvalue as delivered.
    variance
        Variance of the z-scores.
    ridge
        Number added to the diagonal.
    smallest_after
        Smallest eigenvalue afterwards.
    """

    smallest_eigenvalue: float
    variance: float
    ridge: float
    smallest_after: float


def reference_ridge(smallest_eigenvalue: float, variance: float) -> float:
    """Ridge of Brechtmann et al. (2023): abs(min(0, smallest)) + 0.05 + 0.9 max(0, variance - 1)."""
    return abs(min(0.0, smallest_eigenvalue)) + 0.05 + 0.9 * max(0.0, variance - 1.0)


@dataclass(frozen=True)
class BlockCovariance:
    """Eigendecomposition of a block-diagonal covariance.

    Attributes
    ----------
    rows
        Row numbers of each block.
    eigenvalues, vectors
        float64 [size] and [size, size] of each block.
    """

    rows: tuple[np.ndarray, ...]
    eigenvalues: tuple[np.ndarray, ...]
    vectors: tuple[np.ndarray, ...]

    @classmethod
    def decompose(cls, blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> "BlockCovariance":
        """Decompose blocks given as (row numbers, symmetric float64 [size, size]).

        Raises
        ------
        InputError
            If a block holds a value that is not finite.
        """
        rows, eigenvalues, vectors = [], [], []
        for members, block in blocks:
            if not np.isfinite(block).all():
                raise InputError("the covariance holds NaN or infinite values")
            values, directions = linalg.eigh(block, driver="evd", check_finite=False)
            rows.append(np.asarray(members))
            eigenvalues.append(values)
            vectors.append(directions)
        return cls(tuple(rows), tuple(eigenvalues), tuple(vectors))

    @property
    def smallest_eigenvalue(self) -> float:
        """Smallest eigenvalue over all blocks."""
        return min(float(values[0]) for values in self.eigenvalues)

    def repair(self, variance: float) -> CovarianceRepair:
        """Choose the reference ridge for z-scores of this variance."""
        smallest = self.smallest_eigenvalue
        ridge = reference_ridge(smallest, variance)
        return CovarianceRepair(smallest, variance, ridge, smallest + ridge)

    def rotate(self, matrix: np.ndarray) -> np.ndarray:
        """Q' matrix, block by block; float64 [row, column], rows of a block stay in its places."""
        rotated = np.empty(matrix.shape)
        for rows, vectors in zip(self.rows, self.vectors):
            rotated[rows] = vectors.T @ matrix[rows]
        return rotated

    def weights(self, ridge: float) -> np.ndarray:
        """(e + ridge)^(-1/2) for each rotated row, so that weights * rotate(matrix) is whitened.

        Raises
        ------
        InputError
            If the ridge leaves an eigenvalue that is not positive.
        """
        weights = np.empty(sum(len(rows) for rows in self.rows))
        for rows, values in zip(self.rows, self.eigenvalues):
            repaired = values + ridge
            if repaired[0] <= 0:
                raise InputError(
                    f"the covariance is not positive definite: smallest eigenvalue {values[0]:g} with ridge {ridge:g}"
                )
            weights[rows] = repaired**-0.5
        return weights

    def whiten(self, matrix: np.ndarray, ridge: float) -> np.ndarray:
        """W matrix with W (Sigma + ridge I) W' = I; float64 [row, column]."""
        return self.weights(ridge)[:, None] * self.rotate(matrix)

    def solve(self, matrix: np.ndarray, ridge: float) -> np.ndarray:
        """(Sigma + ridge I)^-1 matrix, float64 [row, column]."""
        solved = np.empty(matrix.shape)
        weights = self.weights(ridge) ** 2
        for rows, vectors in zip(self.rows, self.vectors):
            solved[rows] = vectors @ (weights[rows, None] * (vectors.T @ matrix[rows]))
        return solved


@dataclass(frozen=True)
class PublishedProjection:
    """The projection as published: L = chol(Sigma^-1), l = L z, back by L^-1.

    L Sigma L' is not the identity (L' z would be white), which is why this exists only to reproduce figures.

    Attributes
    ----------
    rows
        Row numbers of each block.
    factors
        Lower Cholesky factor of the inverse covariance of each block, float64 [size, size].
    """

    rows: tuple[np.ndarray, ...]
    factors: tuple[np.ndarray, ...]

    @classmethod
    def build(cls, blocks: Iterable[tuple[np.ndarray, np.ndarray]], ridge: float) -> "PublishedProjection":
        """Factor blocks given as (row numbers, symmetric float64 [size, size]) with ``ridge`` on the diagonal."""
        rows, factors = [], []
        for members, block in blocks:
            repaired = block + ridge * np.eye(len(block))
            rows.append(np.asarray(members))
            factors.append(linalg.cholesky(linalg.inv(repaired), lower=True))
        return cls(tuple(rows), tuple(factors))

    def project(self, matrix: np.ndarray) -> np.ndarray:
        """L matrix, float64 [row, column]."""
        projected = np.empty(matrix.shape)
        for rows, factor in zip(self.rows, self.factors):
            projected[rows] = factor @ matrix[rows]
        return projected

    def back(self, matrix: np.ndarray) -> np.ndarray:
        """L^-1 matrix, on the same genes that L was built on."""
        returned = np.empty(matrix.shape)
        for rows, factor in zip(self.rows, self.factors):
            returned[rows] = linalg.solve_triangular(factor, matrix[rows], lower=True)
        return returned
