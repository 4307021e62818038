"""Variance of a held-out correlation, training included, by leaving out one more group.

Leaving group d out of training and testing alike tells how the score depends on that group in both roles. A
bootstrap of held-out predictions sees the second role only; where training data are scarce it misses half of
the deviation and more. Source: delete-m jackknife for unequal m, Busing, Meijer and van der Leeden 1999
(Statistics and Computing 9, 3-8).
"""

from collections.abc import Sequence

import numpy as np

from cistron.errors import InputError
from cistron.statistics.correlation import BlockSums, signed_square
from cistron.statistics.decomposed_gram import DecomposedGram
from cistron.statistics.ridge import GroupMoments, RidgeFit

_ENTRIES_AT_ONCE = 10_000_000


def signed_r2_without_each_group(
    moments: GroupMoments, fits: Sequence[RidgeFit]
) -> tuple[BlockSums, np.ndarray]:
    """Signed R2 of held-out ridge predictions, over all groups and with each group left out everywhere.

    Penalty and scaling of a held-out group stay those of its own fit, so that the result varies with the data
    and not with jumps of the choice. Predictions are never formed: their sums follow from the moments.

    Parameters
    ----------
    moments
        Moments of rows that are not whitened; the first column is the intercept.
    fits
        Fits of :func:`cistron.statistics.leave_group_out` on these moments.

    Returns
    -------
    BlockSums
        Sums of predictions and targets by group, from which the signed R2 of any resampling follows.
    ndarray
        Signed R2 with each group left out of training and testing, float64 [group, target].

    Raises
    ------
    InputError
        If there are fewer than three groups.
    """
    groups, targets = moments.square.shape
    if groups < 3:
        raise InputError(f"the jackknife needs at least 3 groups. Given: {groups}")
    first, second = np.triu_indices(groups, 1)
    sums = np.zeros((groups, 6, groups, targets))  # by group left out, then by group predicted
    together = max(1, _ENTRIES_AT_ONCE // moments.gram[0].size)
    for start in range(0, len(first), together):
        pair = slice(start, start + together)
        for tested, dropped, coefficients in pair_fits(moments, fits, first[pair], second[pair]):
            sums[dropped, :, tested] = np.moveaxis(sums_of_predictions(moments, coefficients, tested), 1, 0)
    without = np.stack([signed_square(np.nan_to_num(BlockSums(one).correlation())) for one in sums])
    return held_out_sums(moments, fits), without


def held_out_sums(moments: GroupMoments, fits: Sequence[RidgeFit]) -> BlockSums:
    """Sums of held-out predictions and targets by group, without forming the predictions.

    Parameters
    ----------
    moments
        Moments of rows that are not whitened; the first column is the intercept.
    fits
        Fits of :func:`cistron.statistics.leave_group_out` on these moments.
    """
    return BlockSums(
        sums_of_predictions(moments, np.stack([fit.coefficients for fit in fits]), np.arange(len(fits)))
    )


def pair_fits(
    moments: GroupMoments, fits: Sequence[RidgeFit], first: np.ndarray, second: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Coefficients without both groups of each pair, with the penalties of either.

    Parameters
    ----------
    moments
        Moments of all groups.
    fits
        Fits of :func:`cistron.statistics.leave_group_out` on these moments.
    first, second
        Groups of each pair, int [pair].

    Returns
    -------
    list of tuple
        ``tested, dropped, coefficients`` twice, each group of a pair tested once; coefficients float64
        [pair, column, target].
    """
    arrays = (moments.gram, moments.cross, moments.count)
    gram, cross, count = (array.sum(axis=0) - array[first] - array[second] for array in arrays)
    penalty = np.stack([fit.penalty for fit in fits])
    standardised = np.stack([fit.standardised for fit in fits])
    shape = (len(first), gram.shape[1], cross.shape[2])
    found = [np.zeros(shape), np.zeros(shape)]
    for scaling in (True, False):
        uses = [standardised[tested] == scaling for tested in (first, second)]  # (pair, target)
        if not any(used.any() for used in uses):
            continue
        decomposed = DecomposedGram(gram, cross, count, moments.unpenalised, scaling)
        for tested, used, coefficients in zip((first, second), uses, found):
            if used.any():
                np.copyto(coefficients, decomposed.coefficients(penalty[tested]), where=used[:, None])
    return [(first, second, found[0]), (second, first, found[1])]


def sums_of_predictions(moments: GroupMoments, coefficients: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """n, sum x, y, xx, yy, xy of predictions x and targets y over each tested group, float64 [6, set, target].

    Parameters
    ----------
    moments
        Moments of all groups.
    coefficients
        Of the fit that each tested group is predicted by, float64 [set, column, target].
    tested
        Groups, int [set].
    """
    gram, cross = moments.gram[tested], moments.cross[tested]
    moved = gram @ coefficients  # (S, column, T)
    return np.stack(
        [
            np.broadcast_to(moments.count[tested][:, None], moments.square[tested].shape),
            moved[:, 0],
            cross[:, 0],
            (moved * coefficients).sum(axis=1),
            moments.square[tested],
            (cross * coefficients).sum(axis=1),
        ]
    )


def jackknife_variance(value: np.ndarray, without: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Variance of a statistic from its values with each group left out; groups may differ in size.

    Parameters
    ----------
    value
        The statistic over all groups, float64 [target].
    without
        The statistic with each group left out, float64 [group, target].
    sizes
        Rows of each group, float64 [group].

    Returns
    -------
    ndarray
        float64 [target].
    """
    ratio = (sizes.sum() / sizes)[:, None]
    pseudo = ratio * value - (ratio - 1.0) * without
    centre = (pseudo / ratio).sum(axis=0)  # pseudo-values weighted by the share of their group
    return ((pseudo - centre) ** 2 / (ratio - 1.0)).mean(axis=0)
