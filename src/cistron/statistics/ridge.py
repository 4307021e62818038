"""Closed-form ridge regression with whole groups left out, for many targets at once.

The Gram matrix of each group (chromosome) is computed once. The training Gram of a fold is the total less the
group that is held out, so a fold costs one eigendecomposition that serves all targets and all penalties
(Golub, Heath and Wahba 1979 for generalised cross-validation; Hoerl and Kennard 1970 for ridge).
"""

from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.statistics.decomposed_gram import DecomposedGram

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
    together = bool((np.diff(groups) >= 0).all())  # then a group is a slice, and its rows are not copied
    edges = np.searchsorted(groups, np.arange(number + 1)) if together else None
    for group in range(number):
        rows = groups == group if edges is None else slice(edges[group], edges[group + 1])
        part, target = columns[rows], targets[rows]
        gram[group] = part.T @ part
        cross[group] = part.T @ target
        square[group] = (target**2).sum(axis=0)
        count[group] = len(part)
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
    wanted = np.asarray(penalties, dtype=np.float64)
    counts = np.array([float(count)])
    return _fit_sets(gram[None], cross[None], square[None], counts, unpenalised, wanted, scaling)[0]


_WANTED = {"auto": (True, False), "standardise": (True,), "keep": (False,)}
_ENTRIES_AT_ONCE = 20_000_000  # numbers in the stacked products of the training sets that are fitted together


def _fit_sets(
    gram: np.ndarray,
    cross: np.ndarray,
    square: np.ndarray,
    count: np.ndarray,
    unpenalised: int,
    penalties: np.ndarray,
    scaling: str,
) -> list[RidgeFit]:
    """Fit several training sets, stacked on the first axis."""
    sets = np.arange(len(count))
    best: list[np.ndarray] = []  # criterion, coefficients, penalty, standardised, degrees of freedom
    for standardise in _WANTED[scaling]:
        decomposed = DecomposedGram(gram, cross, count, unpenalised, standardise)
        criterion, freedom = decomposed.generalised_cross_validation(square, penalties)
        index = criterion.argmin(axis=1)  # (S, T)
        penalty = penalties[index]
        found = [
            criterion.min(axis=1),
            decomposed.coefficients(penalty),
            penalty,
            np.full(penalty.shape, standardise),
            freedom[sets[:, None], index],
        ]
        if best:
            first = best[0] <= found[0]
            found = [
                np.where(first[:, None] if one.ndim == 3 else first, one, other)
                for one, other in zip(best, found)
            ]
        best = found
    return [RidgeFit(*(part[number] for part in best[1:])) for number in sets]


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
    arrays = (moments.gram, moments.cross, moments.square, moments.count)
    together = max(1, _ENTRIES_AT_ONCE // moments.gram[0].size)
    fits: list[RidgeFit] = []
    for start in range(0, len(moments.count), together):
        gram, cross, square, count = (array.sum(axis=0) - array[start : start + together] for array in arrays)
        wanted = np.asarray(penalties, dtype=np.float64)
        fits += _fit_sets(gram, cross, square, count, moments.unpenalised, wanted, scaling)
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
