"""A held-out score with an interval that covers training as well as testing.

In leave-group-out prediction each group is tested once and trained on otherwise, and each pair of groups enters both
ways. The variance of the score over data sets is therefore L + Q: L from each group by itself, in both roles, and Q from
pairs of groups, which is all that remains where there is nothing to learn. A bootstrap of held-out scores sees half of
L and little of Q; the jackknife, which leaves a group out of both roles, has the expectation L + 2 Q (Efron and Stein 1981,
Annals of Statistics 9, 586). Effects of single groups and of pairs are both measured here, so that L + Q follows.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

INTERVAL = "95%, groups of chromosomes left out of training and testing"
# Pairs weigh more where few groups hold the members of a set; chosen on planted worlds (benchmarks/genesets_intervals.py).
_FEW_CARRIERS = 0.6
_LEAST_SHARE = 0.1  # of the sets that stand for the derivative of a median


@dataclass(frozen=True)
class Estimate:
    """Scores of several targets and their deviations.

    Attributes
    ----------
    value
        Score of each target, float64 [target].
    single
        Effect of each group by itself, of mean 0 over groups, float64 [group, target].
    pair
        Effect of each pair of groups, symmetric with empty diagonal, float64 [group, group, target].
    least
        Least variance, were the entries behind a score independent, float64 [target].
    held
        Share of the score within the training rows that holds outside of them, in [0, 1], float64 [target].
    carriers
        Number of groups that carry the score, were they equal: (sum of members)^2 / sum of squared members by group,
        float64 [target].
    bounded
        Whether the score lies in (0, 1) and its interval is made on the logit scale.
    """

    value: np.ndarray
    single: np.ndarray
    pair: np.ndarray
    least: np.ndarray
    held: np.ndarray
    carriers: np.ndarray
    bounded: bool = False

    @classmethod
    def of_groups(
        cls,
        value: np.ndarray,
        tested: np.ndarray,
        trained: np.ndarray,
        least: np.ndarray,
        *,
        held: np.ndarray | None = None,
        carriers: np.ndarray | None = None,
        bounded: bool = False,
    ) -> "Estimate":
        """Decompose a score by groups.

        Parameters
        ----------
        value
            The score, float64 [target].
        tested
            What the score gains by testing on a group, to first order, float64 [group, target].
        trained
            What the tests of a group gain by training on a second one, float64 [tested group, trained group, target].
        least
            As the attribute.
        held
            Share of the score within the training rows that holds outside of them, in [0, 1], float64 [target]. Where training has found its direction, two groups of training data disturb each other by half of
            what they give to each other's tests. When absent, single effects count in full and pairs undisturbed.
        carriers
            As the attribute; all groups when absent.
        bounded
            As the attribute.
        """
        groups = len(tested)
        effect = trained.sum(axis=0)
        single = tested + effect
        single = single - single.mean(axis=0)
        share = np.ones_like(value) if held is None else np.clip(held, 0.0, 1.0)
        disturbed = np.zeros_like(value) if held is None else share
        pair = (trained + np.swapaxes(trained, 0, 1)) * (1.0 - disturbed / 2.0)
        total = pair.sum(axis=0)
        mean = total.sum(axis=0) / (groups * (groups - 1))
        own = (total - (groups - 1) * mean) / max(groups - 2, 1)
        pair = pair - mean - own[:, None] - own[None, :]
        pair[np.arange(groups), np.arange(groups)] = 0.0
        number = np.full_like(value, groups) if carriers is None else carriers
        return cls(value, single, pair, least, share, number, bounded)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.single)

    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance from single groups (L) and from pairs (Q), two float64 [target].

        L is what the jackknife leaves after 2 Q, and not less than 0; where nothing is held outside of training that
        remainder is chance, so it counts as far as the score is held (planted worlds: benchmarks/genesets_intervals.py).
        """
        number = self.groups
        pairs = (self.pair**2).sum(axis=(0, 1)) / 2.0 * (number - 1) / max(number - 3, 1)
        both = (self.single**2).sum(axis=0) * number / (number - 1)
        return np.maximum(both - 2.0 * pairs, 0.0) * np.sqrt(self.held), pairs

    def _half_width(self, level: float) -> np.ndarray:
        """Half of the interval, on the scale of the score."""
        single, pairs = self.variances()
        student = stats.t.ppf(0.5 + level / 2, self.groups - 1)
        normal = stats.norm.ppf(0.5 + level / 2)
        return np.sqrt(self._squared(single, pairs, student, normal))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Interval, two float64 [target]; it holds :attr:`value`."""
        half = self._half_width(level)
        if not self.bounded:
            return self.value - half, self.value + half
        centre, slope = _logit(self.value)
        low, high = (special.expit(centre + sign * half * slope) for sign in (-1.0, 1.0))
        return np.minimum(low, self.value), np.maximum(high, self.value)

    def p_value(self, null: np.ndarray | float = 0.0) -> np.ndarray:
        """Two-sided p-value that the score is ``null``: 1 less the level of the interval that reaches it, float64 [target]."""
        if self.bounded:
            centre, slope = _logit(self.value)
            distance = np.abs(centre - _logit(np.broadcast_to(null, centre.shape))[0]) / slope
        else:
            distance = np.abs(self.value - null)
        low, high = np.zeros_like(distance), np.full_like(distance, 1.0)
        for _ in range(40):  # the width falls with p, so bisection finds it
            middle = (low + high) / 2
            reached = self._reaches(distance, middle)
            low, high = np.where(reached, middle, low), np.where(reached, high, middle)
        return high

    def _reaches(self, distance: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Whether the interval of level 1 - p reaches that far."""
        single, pairs = self.variances()
        student = stats.t.isf(p / 2, self.groups - 1)
        normal = stats.norm.isf(p / 2)
        return distance**2 <= self._squared(single, pairs, student, normal)

    def _squared(
        self, single: np.ndarray, pairs: np.ndarray, student: np.ndarray | float, normal: np.ndarray | float
    ) -> np.ndarray:
        """Square of half of an interval whose quantiles are those of Student and of the normal distribution."""
        wide = single * student**2 + pairs * (normal * (1.0 + _FEW_CARRIERS / self.carriers)) ** 2
        found: np.ndarray = np.maximum(wide, self.least * normal**2)
        return found

    def minus(self, other: "Estimate", least: np.ndarray | None = None) -> "Estimate":
        """Difference of two scores of the same targets on the same groups: effects are subtracted, so it is paired.

        Parameters
        ----------
        other
            What is subtracted.
        least
            Least variance of the difference; 0 when absent.
        """
        floor = np.zeros_like(self.value) if least is None else least
        return Estimate(
            self.value - other.value,
            self.single - other.single,
            self.pair - other.pair,
            floor,
            np.ones_like(self.value),
            self.carriers,
        )

    def mean(self) -> "Estimate":
        """Mean over targets as an estimate of one target."""
        return Estimate(
            self.value.mean(keepdims=True),
            self.single.mean(axis=1, keepdims=True),
            self.pair.mean(axis=2, keepdims=True),
            np.zeros(1),
            self.held.mean(keepdims=True),
            np.full(1, float(self.groups)),
            self.bounded,
        )

    def median(self) -> "Estimate":
        """Median over targets as an estimate of one target.

        To first order a median moves with the targets that lie near it, so effects are averaged over the tenth of the
        targets (five at least) that are nearest.
        """
        centre = np.median(self.value)
        number = min(len(self.value), max(5, round(_LEAST_SHARE * len(self.value))))
        near = np.argsort(np.abs(self.value - centre), kind="stable")[:number]
        return Estimate(
            np.array([centre]),
            self.single[:, near].mean(axis=1, keepdims=True),
            self.pair[:, :, near].mean(axis=2, keepdims=True),
            np.zeros(1),
            self.held[near].mean(keepdims=True),
            np.full(1, float(self.groups)),
            self.bounded,
        )


def _logit(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log odds and their derivative, kept finite at the ends."""
    inside = np.clip(value, 1e-5, 1.0 - 1e-5)
    return np.log(inside / (1.0 - inside)), 1.0 / (inside * (1.0 - inside))
