"""Ridge with whole groups left out, whose penalty is chosen by groups left out as well.

Generalised cross-validation takes rows as independent. Neighbouring genes share what is left of their z-scores, so
it shrinks too little wherever columns can follow that. Leaving whole groups out tells what predicts elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cistron.errors import InputError
from cistron.statistics.decomposed_gram import DecomposedGram
from cistron.statistics.ridge import GroupMoments, RidgeFit

_WANTED = {"auto": (True, False), "standardise": (True,), "keep": (False,)}
_ENTRIES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class RidgeChoice:
    """What was chosen for each group that is left out, and for each target.

    Attributes
    ----------
    alternative
        Number of the alternative, int [group, target].
    penalty
        Its penalty, float64 [group, target].
    standardised
        Whether its columns are standardised, bool [group, target].
    """

    alternative: np.ndarray
    penalty: np.ndarray
    standardised: np.ndarray

    def fits(self, moments: GroupMoments, number: int = 0) -> list[RidgeFit]:
        """Fit the chosen penalties to the moments of one alternative, each group left out.

        Parameters
        ----------
        moments
            Moments of the alternative.
        number
            Its number; coefficients of targets for which another one was chosen are 0.
        """
        own = self.alternative == number
        gram, cross, _, count = _training(moments)
        coefficients = np.zeros((*gram.shape[:2], own.shape[1]))
        for standardise in (True, False):
            wanted = own & (self.standardised == standardise)
            groups = np.flatnonzero(wanted.any(axis=1))
            if len(groups):
                parts = (gram[groups], cross[groups], count[groups])
                decomposed = DecomposedGram(*parts, moments.unpenalised, standardise)
                found = decomposed.coefficients(self.penalty[groups])
                coefficients[groups] = np.where(wanted[groups][:, None], found, coefficients[groups])
        unknown = np.full(own.shape[1], np.nan)
        return [
            RidgeFit(coefficients[group], self.penalty[group], self.standardised[group], unknown)
            for group in range(len(own))
        ]

    @cached_property
    def usual(self) -> np.ndarray:
        """Alternative that most groups take, int [target]."""
        counts = [(self.alternative == number).sum(axis=0) for number in range(self.alternative.max() + 1)]
        usual: np.ndarray = np.argmax(counts, axis=0)
        return usual


def choose_by_groups(
    alternatives: Sequence[GroupMoments], penalties: np.ndarray, scaling: str = "auto", parts: int = 5
) -> RidgeChoice:
    """Choose among alternative columns, penalties and scalings by the squared error on groups left out.

    Groups are put into a few parts of like size. What is chosen for a group sees nothing of its part: the error is
    that on each other part, of a fit without both.

    Parameters
    ----------
    alternatives
        Moments of the same rows and targets with different columns, all of one width.
    penalties
        Penalties to choose from, float64 [penalty].
    scaling
        As in :func:`cistron.statistics.fit_ridge`.
    parts
        Number of parts; no more than there are groups.

    Returns
    -------
    RidgeChoice
        The choice.

    Raises
    ------
    InputError
        If there are fewer than three groups.
    """
    first = alternatives[0]
    if len(first.count) < 3:
        raise InputError(f"a choice by groups needs at least 3 groups. Given: {len(first.count)}")
    label = _parts(first.count, min(parts, len(first.count)))
    wanted = _WANTED[scaling]
    errors = np.stack(
        [
            _errors(_merged(moments, label), penalties, standardise)
            for moments in alternatives
            for standardise in wanted
        ],
        axis=1,
    )  # (part, alternative x scaling, penalty, target)
    best = errors.reshape(len(errors), -1, errors.shape[-1]).argmin(axis=1)[label]  # (group, target)
    variant = best // len(penalties)
    standardised = np.array(wanted)[variant % len(wanted)]
    return RidgeChoice(variant // len(wanted), penalties[best % len(penalties)], standardised)


def _training(moments: GroupMoments) -> tuple[np.ndarray, ...]:
    arrays = (moments.gram, moments.cross, moments.square, moments.count)
    return tuple(array.sum(axis=0) - array for array in arrays)


def _parts(sizes: np.ndarray, number: int) -> np.ndarray:
    """Part of each group, int [group]: the largest group first, each to the smallest part so far."""
    label, load = np.zeros(len(sizes), dtype=np.int64), np.zeros(number)
    for group in np.argsort(-sizes, kind="stable"):
        label[group] = load.argmin()
        load[label[group]] += sizes[group]
    return label


def _merged(moments: GroupMoments, label: np.ndarray) -> GroupMoments:
    """Moments of the parts."""
    indicator = (np.arange(label.max() + 1)[:, None] == label).astype(np.float64)
    arrays = (moments.count, moments.gram, moments.cross, moments.square)
    count, gram, cross, square = (np.tensordot(indicator, array, 1) for array in arrays)
    return GroupMoments(label[moments.groups], count, gram, cross, square, moments.unpenalised)


def _errors(moments: GroupMoments, penalties: np.ndarray, standardise: bool) -> np.ndarray:
    """Squared error over all other parts of fits without them and without a part, float64 [part, penalty, target]."""
    parts, targets = moments.square.shape
    first, second = np.triu_indices(parts, 1)
    total = [array.sum(axis=0) for array in (moments.gram, moments.cross, moments.count)]
    errors = np.zeros((parts, len(penalties), targets))
    together = max(1, _ENTRIES_AT_ONCE // moments.gram[0].size)
    for start in range(0, len(first), together):
        pair = (first[start : start + together], second[start : start + together])
        arrays = (moments.gram, moments.cross, moments.count)
        gram, cross, count = (whole - part[pair[0]] - part[pair[1]] for whole, part in zip(total, arrays))
        decomposed = DecomposedGram(gram, cross, count, moments.unpenalised, standardise)
        _ = decomposed.eigenvalues  # one decomposition serves all penalties
        for number, penalty in enumerate(penalties):
            coefficients = decomposed.coefficients(np.full((len(pair[0]), targets), penalty))
            for without, tested in (pair, pair[::-1]):
                moved = ((moments.gram[tested] @ coefficients) * coefficients).sum(axis=1)
                agreed = (moments.cross[tested] * coefficients).sum(axis=1)
                np.add.at(errors[:, number], without, moments.square[tested] - 2 * agreed + moved)
    return errors
