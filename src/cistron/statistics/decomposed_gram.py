"""Training sets as sums of products, decomposed so that any ridge penalty costs a multiplication."""

from functools import cached_property

import numpy as np

_FEW_TARGETS = 3


class DecomposedGram:
    """Several training sets of one width: unpenalised columns partialled out, the rest scaled and rotated.

    All arrays have the training set as first axis, so that many small sets are decomposed by one call.

    Parameters
    ----------
    gram
        Sums of products of the columns, float64 [set, column, column]; unpenalised columns first.
    cross
        Sums of products of columns and targets, float64 [set, column, target].
    count
        Rows of each set, float64 [set].
    unpenalised
        Number of leading columns that are not penalised.
    standardise
        Scale each penalised column to variance 1, or all of them by one number.
    """

    def __init__(
        self, gram: np.ndarray, cross: np.ndarray, count: np.ndarray, unpenalised: int, standardise: bool
    ) -> None:
        q = unpenalised
        self.unpenalised, self.count = q, count
        # Schur complement: the penalised columns and targets given the unpenalised ones.
        self.free = np.linalg.pinv(gram[:, :q, :q], hermitian=True)  # (S, q, q)
        self.slope = self.free @ gram[:, :q, q:]  # (S, q, p)
        self.base = self.free @ cross[:, :q]  # (S, q, T)
        self.explained = (cross[:, :q] * self.base).sum(axis=1)  # (S, T)
        inner = gram[:, q:, q:] - gram[:, q:, :q] @ self.slope  # (S, p, p)
        moved = cross[:, q:] - gram[:, q:, :q] @ self.base  # (S, p, T)
        spread = np.diagonal(inner, axis1=1, axis2=2).copy()  # (S, p)
        varied = spread > 1e-10 * np.maximum(np.diagonal(gram, axis1=1, axis2=2)[:, q:], 1e-300)
        if not standardise:
            # One number for all columns: their mean variance is 1, their ratios stay as they are.
            number = np.maximum(varied.sum(axis=1), 1)
            mean = np.where(varied, spread, 0.0).sum(axis=1) / number
            spread = np.broadcast_to(np.where(mean > 0, mean, 1.0)[:, None], spread.shape)
        self.scale = np.where(varied, np.sqrt(np.where(varied, spread, 1.0) / count[:, None]), np.inf)
        self.inner = inner / self.scale[:, :, None] / self.scale[:, None, :]  # (S, p, p)
        self.moved = moved / self.scale[:, :, None]  # (S, p, T)

    @cached_property
    def _decomposition(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(self.inner)
        return np.maximum(values, 0.0), vectors

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the scaled columns, float64 [set, p]."""
        return self._decomposition[0]

    @property
    def vectors(self) -> np.ndarray:
        """Their eigenvectors, float64 [set, p, p]."""
        return self._decomposition[1]

    @cached_property
    def rotated(self) -> np.ndarray:
        """Sums of products of eigenvectors and targets, float64 [set, p, target]."""
        return np.swapaxes(self.vectors, 1, 2) @ self.moved

    def _shrinkage(self, penalty: np.ndarray) -> np.ndarray:
        """1 / (eigenvalue + penalty) [set, p, ...], 0 for directions that the data do not determine."""
        largest = self.eigenvalues.max(axis=1, initial=0.0)
        least = (1e-10 * np.maximum(largest, 1e-300))[:, None, None]
        denominator = self.eigenvalues[:, :, None] + penalty[:, None, :]
        return np.where(denominator > least, 1.0 / np.maximum(denominator, least), 0.0)

    def generalised_cross_validation(
        self, square: np.ndarray, penalties: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Criterion of each penalty.

        Parameters
        ----------
        square
            Sums of squared targets, float64 [set, target].
        penalties
            float64 [penalty].

        Returns
        -------
        ndarray
            Criterion, float64 [set, penalty, target].
        ndarray
            Degrees of freedom, float64 [set, penalty].
        """
        total = np.maximum(square - self.explained, 0.0)  # (S, T)
        shrink = self._shrinkage(np.broadcast_to(penalties, (len(self.count), len(penalties))))  # (S, p, A)
        used = self.eigenvalues[:, :, None] * shrink
        freedom = self.unpenalised + used.sum(axis=1)  # (S, A)
        change = np.swapaxes(used * shrink - 2 * shrink, 1, 2) @ self.rotated**2  # (S, A, T)
        residual = np.maximum(total[:, None] + change, 0.0)
        left = np.maximum(self.count[:, None] - freedom, 1e-3)
        return self.count[:, None, None] * residual / left[:, :, None] ** 2, freedom

    def coefficients(self, penalty: np.ndarray) -> np.ndarray:
        """Coefficients at a penalty for each set and target, float64 [set, target] to [set, column, target]."""
        if "_decomposition" not in self.__dict__ and self._few(penalty):
            scaled = self._solved(penalty)
        else:
            scaled = self.vectors @ (self._shrinkage(penalty) * self.rotated)  # (S, p, T)
        penalised = scaled / self.scale[:, :, None]
        return np.concatenate([self.base - self.slope @ penalised, penalised], axis=1)

    def _few(self, penalty: np.ndarray) -> bool:
        """Whether solving for each target is cheaper than a decomposition, and as safe."""
        trace = np.trace(self.inner, axis1=1, axis2=2).max(initial=0.0)
        return penalty.shape[1] <= _FEW_TARGETS and bool(penalty.min() > 1e-9 * trace)

    def _solved(self, penalty: np.ndarray) -> np.ndarray:
        """Coefficients of the scaled columns by one solution a target, float64 [set, p, target]."""
        found = np.empty_like(self.moved)
        shifted = self.inner.copy()
        diagonal = np.arange(shifted.shape[1])
        own = shifted[:, diagonal, diagonal]
        for target in range(penalty.shape[1]):
            shifted[:, diagonal, diagonal] = own + penalty[:, [target]]
            found[:, :, target] = np.linalg.solve(shifted, self.moved[:, :, [target]])[:, :, 0]
        return found
