"""Closed-form ridge regression with whole groups left out, for many targets at once.

The Gram matrix of each group (chromosome) is computed once. The training Gram of a fold is the total less the
group that is held out, so a fold costs one eigendecomposition that serves all targets and all penalties
(Golub, Heath and Wahba 1979 for generalised cross-validation; Hoerl and Kennard 1970 for ridge).
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from cistron.errors import InputError

DEFAULT_PENALTIES = np.logspace(0, 6, 13)


@dataclass(frozen=True)
class GroupMoments:
    """Sums of products over the rows of each group, from which ridge is computed.

    Attributes
    ----------
    groups
        Group of each row, int [row], 0 to G - 1.
    count
        Rows of each group, float64 [G].
    gram
        Sums of products of the columns, float64 [G, column, column]; the ``unpenalised`` columns come first.
    cross
        Sums of products of columns and targets, float64 [G, column, target].
    square
        Sums of squared targets, float64 [G, target].
    unpenalised
        Number of columns that are not penalised.
    """

    groups: np.ndarray
    count: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    square: np.ndarray
    unpenalised: int


def group_moments(
    unpenalised: np.ndarray, penalised: np.ndarray, targets: np.ndarray, groups: np.ndarray
) -> GroupMoments:
    """Sum the products of columns and targets within each group.

    Parameters
    ----------
    unpenalised
        Columns that are fitted freely, float64 [row, q]; the intercept is one of them.
    penalised
        Columns that are penalised, float64 [row, p].
    targets
        Targets, float64 [row, target].
    groups
        Group of each row, int [row], numbered from 0 without gaps.

    Returns
    -------
    GroupMoments
        The sums. Rows that were whitened give the moments of generalised least squares.
    """
    columns = np.hstack([unpenalised, penalised])
    number = int(groups.max()) + 1
    width, traits = columns.shape[1], targets.shape[1]
    gram = np.empty((number, width, width))
    cross = np.empty((number, width, traits))
    square = np.empty((number, traits))
    count = np.empty(number)
    for group in range(number):
        rows = groups == group
        part, target = columns[rows], targets[rows]
        gram[group] = part.T @ part
        cross[group] = part.T @ target
        square[group] = (target**2).sum(axis=0)
        count[group] = rows.sum()
    return GroupMoments(groups, count, gram, cross, square, unpenalised.shape[1])


@dataclass(frozen=True)
class RidgeFit:
    """Coefficients of one training set.

    Attributes
    ----------
    coefficients
        float64 [column, target], unpenalised columns first, on the scale of the columns as given.
    penalty
        Penalty chosen for each target, float64 [target], on the scale of the columns after scaling.
    standardised
        Whether the columns of each target were standardised, bool [target].
    degrees_of_freedom
        Effective degrees of freedom for each target, float64 [target].
    """

    coefficients: np.ndarray
    penalty: np.ndarray
    standardised: np.ndarray
    degrees_of_freedom: np.ndarray


class _Decomposed:
    """One training set, ready for any penalty: unpenalised columns partialled out, the rest scaled and rotated."""

    def __init__(
        self,
        gram: np.ndarray,
        cross: np.ndarray,
        square: np.ndarray,
        count: float,
        q: int,
        standardise: bool,
    ) -> None:
        self.q, self.count = q, count
        # Schur complement: the penalised columns and targets given the unpenalised ones.
        self.free = linalg.pinvh(gram[:q, :q])
        self.slope = self.free @ gram[:q, q:]  # (q, p)
        self.base = self.free @ cross[:q]  # (q, T)
        inner = gram[q:, q:] - gram[q:, :q] @ self.slope  # (p, p)
        moved = cross[q:] - gram[q:, :q] @ self.base  # (p, T)
        self.total = np.maximum(square - (cross[:q] * self.base).sum(axis=0), 0.0)  # (T,)
        spread = np.diag(inner).copy()
        varied = spread > 1e-10 * np.maximum(np.diag(gram)[q:], 1e-300)
        if not standardise and varied.any():
            # One number for all columns: their mean variance is 1, their ratios stay as they are.
            spread = np.where(varied, spread[varied].mean(), 1.0)
        self.scale = np.where(varied, np.sqrt(np.where(varied, spread, 1.0) / count), np.inf)
        inner = inner / self.scale[:, None] / self.scale[None, :]
        self.eigenvalues, self.vectors = linalg.eigh(inner, check_finite=False, driver="evd")
        self.eigenvalues = np.maximum(self.eigenvalues, 0.0)
        self.rotated = self.vectors.T @ (moved / self.scale[:, None])  # (p, T)

    def shrinkage(self, penalty: np.ndarray | float) -> np.ndarray:
        """1 / (eigenvalue + penalty), 0 for directions that the data do not determine."""
        least = 1e-10 * max(float(self.eigenvalues.max(initial=0.0)), 1e-300)
        denominator = self.eigenvalues[:, None] + penalty  # (p, T or 1)
        return np.where(denominator > least, 1.0 / np.maximum(denominator, least), 0.0)

    def generalised_cross_validation(self, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Criterion [penalty, target] and degrees of freedom [penalty]."""
        shrink = self.shrinkage(penalties[None, :])  # (p, A)
        freedom = self.q + (self.eigenvalues[:, None] * shrink).sum(axis=0)  # (A,)
        energy = self.rotated**2  # (p, T)
        residual = self.total - 2 * shrink.T @ energy + (self.eigenvalues[:, None] * shrink**2).T @ energy
        left = np.maximum(self.count - freedom, 1e-3)
        return self.count * np.maximum(residual, 0.0) / left[:, None] ** 2, freedom

    def coefficients(self, penalty: np.ndarray) -> np.ndarray:
        """Coefficients [column, target] at a penalty for each target."""
        penalised = self.vectors @ (self.shrinkage(penalty[None, :]) * self.rotated) / self.scale[:, None]
        return np.vstack([self.base - self.slope @ penalised, penalised])


SCALINGS = ("auto", "standardise", "keep")


def fit_ridge(
    gram: np.ndarray,
    cross: np.ndarray,
    square: np.ndarray,
    count: float,
    unpenalised: int,
    penalties: np.ndarray,
    scaling: str = "standardise",
) -> RidgeFit:
    """Fit ridge to moments, penalty and scaling of each target chosen by generalised cross-validation.

    Parameters
    ----------
    gram, cross, square, count
        Moments of the training rows, float64 [column, column], [column, target], [target] and a number.
    unpenalised
        Number of leading columns that are not penalised.
    penalties
        Penalties to choose from, float64 [penalty]; a single one is taken as it is, 0 gives least squares.
    scaling
        ``standardise`` penalises all columns alike, ``keep`` lets columns of large variance (leading principal
        components) count for more, ``auto`` chooses between both for each target.

    Returns
    -------
    RidgeFit
        Coefficients, penalties, scaling and degrees of freedom.
    """
    penalties = np.asarray(penalties, dtype=np.float64)
    wanted = {"auto": (True, False), "standardise": (True,), "keep": (False,)}[scaling]
    tried = []
    for standardise in wanted:
        decomposed = _Decomposed(gram, cross, square, count, unpenalised, standardise)
        criterion, freedom = decomposed.generalised_cross_validation(penalties)
        best = criterion.argmin(axis=0)
        fit = RidgeFit(
            decomposed.coefficients(penalties[best]),
            penalties[best],
            np.full(len(best), standardise),
            freedom[best],
        )
        tried.append((criterion.min(axis=0), fit))
    if len(tried) == 1:
        return tried[0][1]
    first = tried[0][0] <= tried[1][0]
    fits = [fit for _, fit in tried]
    return RidgeFit(
        *(
            np.where(first, getattr(fits[0], field), getattr(fits[1], field))
            for field in ("coefficients", "penalty", "standardised", "degrees_of_freedom")
        )
    )


def leave_group_out(
    moments: GroupMoments, penalties: np.ndarray = DEFAULT_PENALTIES, scaling: str = "standardise"
) -> list[RidgeFit]:
    """Fit ridge once for each group, on all other groups.

    Parameters
    ----------
    moments
        Sums of :func:`group_moments`.
    penalties
        Penalties to choose from.
    scaling
        As in :func:`fit_ridge`.

    Returns
    -------
    list of RidgeFit
        One fit a group, that group left out.

    Raises
    ------
    InputError
        If there are fewer than two groups, or a penalty is negative.
    """
    if len(moments.count) < 2:
        raise InputError(f"leaving a group out needs at least 2 groups. Given: {len(moments.count)}")
    if np.min(penalties) < 0:
        raise InputError(f"penalties must be 0 or more. Given: {np.min(penalties):g}")
    total = [array.sum(axis=0) for array in (moments.gram, moments.cross, moments.square, moments.count)]
    fits = []
    for group in range(len(moments.count)):
        gram, cross, square, count = (
            whole - array[group]
            for whole, array in zip(total, (moments.gram, moments.cross, moments.square, moments.count))
        )
        fits.append(fit_ridge(gram, cross, square, float(count), moments.unpenalised, penalties, scaling))
    return fits


def predict_left_out(fits: list[RidgeFit], columns: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Predict each row with the fit that did not see its group.

    Parameters
    ----------
    fits
        Fits of :func:`leave_group_out`.
    columns
        Columns as given there (unpenalised first), not whitened, float64 [row, column].
    groups
        Group of each row, int [row].

    Returns
    -------
    ndarray
        float64 [row, target].
    """
    predictions = np.empty((len(columns), fits[0].coefficients.shape[1]))
    for group, fit in enumerate(fits):
        rows = groups == group
        predictions[rows] = columns[rows] @ fit.coefficients
    return predictions
