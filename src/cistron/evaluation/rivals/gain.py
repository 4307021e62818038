"""What an embedding knows beyond trivial columns: both models fitted on the same genes and groups, their difference paired."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.statistics.correlated_scores import correlation_estimates
from cistron.statistics.estimate import Estimate
from cistron.statistics.held_out_ranks import LeftOutModel, Members
from cistron.statistics.set_scores import METRICS, set_estimates

_COLUMNS_PER_GENE = 0.1
# Least deviation of a gain in those of a score with independent entries. The effects of groups keep the penalty of each fold; a
# data set of few members that happens to shrink the embedding to nothing would have an interval of almost no width. Chosen on
# planted worlds (benchmarks/gains_intervals.py).
_LEAST_SHARE = 0.06
_LEAST_OF_FEW = 15.0  # divided by the number of members


@dataclass(frozen=True)
class Gain:
    """Scores of one metric: trivial columns, both together, and what the embedding adds.

    Attributes
    ----------
    rival
        The trivial columns alone, not penalised.
    full
        Ridge on the embedding beside the trivial columns, which are not penalised.
    beyond
        ``full`` less ``rival``; ``beyond.interval()`` is paired.
    """

    rival: Estimate
    full: Estimate
    beyond: Estimate

    def knows(self) -> np.ndarray:
        """Whether the interval of :attr:`beyond` lies above 0, bool [target]: the rule for a filled mark and for "knows"."""
        knows: np.ndarray = self.beyond.interval()[0] > 0
        return knows


def gain_beyond(
    rivals: np.ndarray,
    embedding: np.ndarray,
    member: np.ndarray,
    groups: np.ndarray,
    metrics: Sequence[str] = METRICS,
) -> dict[str, Gain]:
    """Measure what an embedding tells of classes of genes (or of pairs) beyond trivial columns.

    Ridge regression on the 0/1 targets in closed form, all targets at once, each group left out in turn; a row is
    scored by its rank within its group.

    Parameters
    ----------
    rivals
        Trivial columns, float64 [row, column], no missing values (:meth:`cistron.evaluation.rivals.Rivals.of`).
    embedding
        Columns of the embedding, float [row, dimension].
    member
        Targets, bool [row, target]; each has at least one member and one other row.
    groups
        Group of each row, int [row], numbered from 0 without gaps: chromosomes or groups of them, or parts of a
        gene-disjoint split. At least four; intervals rest on their being independent.
    metrics
        Which of ``auroc`` and ``auprc`` are measured.

    Returns
    -------
    dict
        :class:`Gain` by metric.

    Raises
    ------
    InputError
        If there are fewer than four groups, or so many trivial columns that they cannot be fitted freely.
    """
    _check(rivals, groups)
    members = Members.of(np.asarray(member, dtype=bool), groups)
    values = np.asarray(embedding, dtype=np.float64)
    none = np.empty((len(values), 0))
    rival, full = (
        set_estimates(LeftOutModel.fit(rivals, penalised, members), metrics) for penalised in (none, values)
    )
    return {metric: _gain(rival[metric], full[metric], np.asarray(member).sum(axis=0)) for metric in metrics}


def least_share(members: np.ndarray | int) -> np.ndarray:
    """Least deviation of a gain in deviations of the score that is gained upon, for scores of that many members or genes."""
    return np.asarray(_LEAST_SHARE + _LEAST_OF_FEW / np.asarray(members))


def _gain(rival: Estimate, full: Estimate, members: np.ndarray | int) -> Gain:
    least = least_share(members) ** 2 * np.maximum(rival.least, full.least)
    return Gain(rival, full, full.minus(rival, least))


def gain_beyond_in_numbers(
    rivals: np.ndarray, embedding: np.ndarray, target: np.ndarray, groups: np.ndarray
) -> Gain:
    """Measure what an embedding tells of numbers of genes beyond trivial columns.

    As :func:`gain_beyond`, scored by the correlation of held-out predictions and numbers.

    Parameters
    ----------
    rivals
        Trivial columns, float64 [row, column], no missing values.
    embedding
        Columns of the embedding, float [row, dimension].
    target
        Numbers, float64 [row, target].
    groups
        Group of each row, int [row], numbered from 0 without gaps.

    Returns
    -------
    Gain
        Correlations.

    Raises
    ------
    InputError
        As :func:`gain_beyond`.
    """
    _check(rivals, groups)
    values = np.asarray(embedding, dtype=np.float64)
    none = np.empty((len(values), 0))
    rival, full = (correlation_estimates(rivals, penalised, target, groups) for penalised in (none, values))
    return _gain(rival, full, len(values))


def _check(rivals: np.ndarray, groups: np.ndarray) -> None:
    if groups.max(initial=-1) < 3:
        raise InputError(
            f"an interval needs at least 4 groups of genes (chromosomes). Given: {int(groups.max(initial=-1)) + 1}"
        )
    if rivals.shape[1] > _COLUMNS_PER_GENE * len(rivals):
        raise InputError(
            f"{rivals.shape[1]} trivial columns for {len(rivals):,} genes; give at most one for ten genes"
        )
