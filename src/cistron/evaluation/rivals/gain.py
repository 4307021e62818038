"""What an embedding knows beyond trivial columns: both models fitted on the same genes and groups, their difference paired."""

from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.statistics.correlated_scores import correlation_estimates
from cistron.statistics.estimate import Estimate
from cistron.statistics.held_out_ranks import LeftOutModel, Members
from cistron.statistics.set_scores import METRICS, set_estimates

_COLUMNS_PER_GENE = 0.1


@dataclass(frozen=True)
class Gain:
    """Scores of one metric: trivial columns, the embedding alone, both, and what the embedding adds.

    Attributes
    ----------
    rival
        The trivial columns alone, not penalised.
    alone
        Ridge on the embedding alone.
    full
        Ridge on the embedding beside the trivial columns, which are not penalised.
    beyond
        ``full`` less ``rival``; ``beyond.interval()`` is paired.
    """

    rival: Estimate
    alone: Estimate
    full: Estimate
    beyond: Estimate

    def knows(self) -> np.ndarray:
        """Whether the interval of :attr:`beyond` lies above 0, bool [target]: the rule for a filled mark and for "knows"."""
        knows: np.ndarray = self.beyond.interval()[0] > 0
        return knows


def gain_beyond(
    rivals: np.ndarray, embedding: np.ndarray, member: np.ndarray, groups: np.ndarray
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

    Returns
    -------
    dict
        :class:`Gain` by metric, ``auroc`` and ``auprc``.

    Raises
    ------
    InputError
        If there are fewer than four groups, or so many trivial columns that they cannot be fitted freely.
    """
    _check(rivals, groups)
    members = Members.of(np.asarray(member, dtype=bool), groups)
    values = np.asarray(embedding, dtype=np.float64)
    none = np.empty((len(values), 0))
    rival, alone, full = (
        set_estimates(LeftOutModel.fit(free, penalised, members))
        for free, penalised in ((rivals, none), (none, values), (rivals, values))
    )
    return {
        metric: Gain(rival[metric], alone[metric], full[metric], full[metric].minus(rival[metric]))
        for metric in METRICS
    }


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
    rival, alone, full = (
        correlation_estimates(free, penalised, target, groups)
        for free, penalised in ((rivals, none), (none, values), (rivals, values))
    )
    return Gain(rival, alone, full, full.minus(rival))


def _check(rivals: np.ndarray, groups: np.ndarray) -> None:
    if groups.max(initial=-1) < 3:
        raise InputError(
            f"an interval needs at least 4 groups of genes (chromosomes). Given: {int(groups.max(initial=-1)) + 1}"
        )
    if rivals.shape[1] > _COLUMNS_PER_GENE * len(rivals):
        raise InputError(
            f"{rivals.shape[1]} trivial columns for {len(rivals):,} genes; give at most one for ten genes"
        )
