"""Correlation of held-out ridge predictions with numbers, with an interval that covers training as well as testing."""

import numpy as np

from cistron.statistics.correlation import BlockSums
from cistron.statistics.estimate import Estimate
from cistron.statistics.jackknife import held_out_sums, pair_fits, sums_of_predictions
from cistron.statistics.ridge import DEFAULT_PENALTIES, group_moments, leave_group_out


def correlation_estimates(
    free: np.ndarray, penalised: np.ndarray, target: np.ndarray, groups: np.ndarray
) -> Estimate:
    """Correlation of each target with its prediction by ridge, each group left out in turn.

    Parameters
    ----------
    free
        Columns that are not penalised, float64 [row, column], without the intercept.
    penalised
        Columns that are penalised, float64 [row, column].
    target
        Numbers, float64 [row, target].
    groups
        Group of each row, int [row], numbered from 0 without gaps.

    Returns
    -------
    Estimate
        Correlations with the effects of groups and of pairs of groups; 0 where a prediction does not vary.
    """
    target = target - target.mean(axis=0)  # correlations stay, cancellation goes
    columns = [np.ones((len(target), 1)), *(part - part.mean(axis=0) for part in (free, penalised))]
    moments = group_moments(np.hstack(columns[:2]), columns[2], target, groups)
    penalties = DEFAULT_PENALTIES if penalised.shape[1] else np.zeros(1)
    fits = leave_group_out(moments, penalties, "auto")
    sums = held_out_sums(moments, fits).sums  # (6, group, target)
    number = sums.shape[1]
    value = _correlation(sums)
    share = moments.count / moments.count.sum()
    left = np.stack([_correlation(np.delete(sums, group, axis=1)) for group in range(number)])
    tested = (value - left) * (1.0 - share)[:, None]
    trained = np.zeros((number, number, target.shape[1]))
    first, second = np.triu_indices(number, 1)
    for own, dropped, coefficients in pair_fits(moments, fits, first, second):
        changed = sums_of_predictions(moments, coefficients, own)  # (6, pair, target)
        for place, (one, other) in enumerate(zip(own, dropped)):
            moved = sums.copy()
            moved[:, one] = changed[:, place]
            trained[one, other] = value - _correlation(moved)
    least = (1.0 - value**2) ** 2 / len(target)
    return Estimate.of_groups(value, tested, trained, least)


def _correlation(sums: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.nan_to_num(BlockSums(sums).correlation())
    return found
