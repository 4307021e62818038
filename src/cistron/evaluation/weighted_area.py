"""Area under the ROC curve for many weightings of the same scores at once, from sorted sums."""

import numpy as np


def weighted_area(scores: np.ndarray, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probability that a member scores above a non-member, for each weighting; ties count one half.

    Parameters
    ----------
    scores
        Higher for members, float64 [item].
    member
        Whether an item is a member, bool [item].
    weights
        Times that each item is taken, float64 [draw, item].

    Returns
    -------
    ndarray
        float64 [draw]; NaN where a weighting leaves no member or no non-member.
    """
    order = np.argsort(scores, kind="stable")
    member, weights = np.asarray(member, dtype=bool)[order], weights[:, order]
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    positive = np.add.reduceat(weights * member, starts, axis=1)
    negative = np.add.reduceat(weights * ~member, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    whole = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, (positive * below).sum(axis=1) / whole, np.nan)


def area(scores: np.ndarray, member: np.ndarray) -> float:
    """The same for one weighting, every item once."""
    return float(weighted_area(scores, member, np.ones((1, len(scores))))[0])
