"""Held-out ranks of the members of many sets, with groups left out: of one fit, of pairs of groups, of rearranged rows.

Everything that a set's AUROC and average precision need is the rank of each of its members among the genes of the
group that the fit did not see. Ranks and not predictions are pooled: a group that holds many members was fitted on
few, so its predictions lie lower, and pooled as they are they would be compared across groups by that alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cistron.statistics.jackknife import pair_fits
from cistron.statistics.ridge import (
    DEFAULT_PENALTIES,
    GroupMoments,
    RidgeFit,
    fit_ridge,
    group_moments,
    leave_group_out,
)

_TARGETS_AT_ONCE = 8192  # columns of rearranged targets that are fitted together


@dataclass(frozen=True)
class Members:
    """The members of all sets as one list of entries, sorted by group and within it by set.

    Attributes
    ----------
    rows, sets, groups
        Row, set and group of each entry, int [entry].
    group_of_row
        Group of each row, int [row], numbered from 0 without gaps.
    number
        Number of sets.
    """

    rows: np.ndarray
    sets: np.ndarray
    groups: np.ndarray
    group_of_row: np.ndarray
    number: int

    @classmethod
    def of(cls, member: np.ndarray, groups: np.ndarray) -> "Members":
        """Take membership, bool [row, set], and the group of each row, int [row]."""
        rows, sets = np.nonzero(member)
        order = np.lexsort((sets, groups[rows]))
        rows, sets = rows[order], sets[order]
        return cls(rows, sets, groups[rows], groups, member.shape[1])

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each group, int [group]."""
        return np.bincount(self.group_of_row)

    def counts(self) -> np.ndarray:
        """Members of each set in each group, float64 [group, set]."""
        return self.sums(np.ones(len(self.rows)))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum a value of each entry by group and set, float64 [group, set]."""
        groups = len(self.sizes)
        flat = np.bincount(self.groups * self.number + self.sets, values, minlength=groups * self.number)
        return flat.reshape(groups, self.number)

    def rearranged(self, order: np.ndarray) -> "Members":
        """The same sets after row ``order[i]`` took the place of row ``i``; rows keep their group."""
        return Members(order[self.rows], self.sets, self.groups, self.group_of_row, self.number)


@dataclass(frozen=True)
class LeftOutModel:
    """Ridge of all sets, each group left out in turn.

    Attributes
    ----------
    columns
        float64 [row, column]: the intercept, then columns that are fitted freely, then penalised ones.
    members
        The sets.
    moments, fits
        Sums by group, and one fit a group.
    """

    columns: np.ndarray
    members: Members
    moments: GroupMoments
    fits: list[RidgeFit]

    @classmethod
    def fit(cls, free: np.ndarray, penalised: np.ndarray, members: Members) -> "LeftOutModel":
        """Fit.

        Parameters
        ----------
        free
            Columns that are not penalised, float64 [row, column], without the intercept.
        penalised
            Columns that are penalised, float64 [row, column].
        members
            The sets.
        """
        rows = len(members.group_of_row)
        parts = [np.ones((rows, 1)), *(part - part.mean(axis=0) for part in (free, penalised))]
        target = np.zeros((rows, members.number))
        target[members.rows, members.sets] = 1.0
        moments = group_moments(np.hstack(parts[:2]), parts[2], target, members.group_of_row)
        return cls(np.hstack(parts), members, moments, _fit(moments))

    def ranks(self) -> np.ndarray:
        """Mid-rank of each member among the rows of its group, from 1, float64 [entry]."""
        return self._ranks_of(np.stack([fit.coefficients for fit in self.fits]), self.members)

    def _ranks_of(self, coefficients: np.ndarray, members: Members) -> np.ndarray:
        ranks = np.empty(len(members.rows))
        for group, coefficient in enumerate(coefficients):
            part = members.groups == group
            ranks[part] = self._ranks_in_group(group, coefficient, members.rows[part], members.sets[part])
        return ranks

    def _ranks_in_group(
        self, group: int, coefficients: np.ndarray, rows: np.ndarray, sets: np.ndarray
    ) -> np.ndarray:
        inside = np.flatnonzero(self.members.group_of_row == group)
        # The intercept is the same for all of them; without it float32 is fine enough to tell them apart.
        scores = (self.columns[inside, 1:] @ coefficients[1:]).astype(np.float32)
        own = scores[np.searchsorted(inside, rows), sets]
        ordered = np.sort(scores.T, axis=1)  # (set, row)
        return (_below(ordered, sets, own, False) + _below(ordered, sets, own, True) + 1) / 2.0

    def ranks_within(self) -> np.ndarray:
        """Mid-ranks by one fit that saw all groups, float64 [entry]: how well the sets are told apart in training."""
        moments = self.moments
        gram, cross, square = (array.sum(axis=0) for array in (moments.gram, moments.cross, moments.square))
        penalties = DEFAULT_PENALTIES if len(gram) > moments.unpenalised else np.zeros(1)
        fit = fit_ridge(
            gram, cross, square, float(moments.count.sum()), moments.unpenalised, penalties, "auto"
        )
        groups = len(self.members.sizes)
        return self._ranks_of(
            np.broadcast_to(fit.coefficients, (groups, *fit.coefficients.shape)), self.members
        )

    def reflected_ranks(self, draws: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Ranks of the members when the columns of each group are reflected along their principal axes at random.

        Whatever genes of one group share, in their columns or in the sets, stays as it is; only what holds across groups
        is lost.

        Parameters
        ----------
        draws
            Number of draws.
        generator
            Source of randomness.

        Yields
        ------
        ndarray
            Mid-ranks of one draw, float64 [entry].
        """
        q = self.moments.unpenalised
        total = self.moments.gram.sum(axis=0)
        axes = np.eye(len(total))
        axes[q:, q:] = np.linalg.eigh(total[q:, q:])[1]
        turned = axes.T @ self.moments.gram @ axes
        cross = axes.T @ self.moments.cross
        columns = self.columns @ axes
        for _ in range(draws):
            signs = generator.choice([-1.0, 1.0], size=(len(cross), len(total)))
            signs[:, :q] = 1.0
            moments = GroupMoments(
                self.moments.groups, self.moments.count, turned * signs[:, :, None] * signs[:, None, :],
                cross * signs[:, :, None], self.moments.square, q,
            )  # fmt: skip
            reflected = LeftOutModel(
                columns * signs[self.members.group_of_row], self.members, moments, _fit(moments)
            )
            yield reflected.ranks()

    def pair_ranks(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Ranks of the members of a group when a second group is dropped from training too.

        Yields
        ------
        tested, dropped
            Both groups.
        entries
            Entries of the tested group, int [n].
        ranks
            Their mid-ranks, float64 [n].
        """
        groups = len(self.members.sizes)
        first, second = np.triu_indices(groups, 1)
        entries = [np.flatnonzero(self.members.groups == group) for group in range(groups)]
        together = max(1, 4_000_000 // max(self.moments.cross[0].size, self.moments.gram[0].size))
        for start in range(0, len(first), together):
            part = slice(start, start + together)
            for tested, dropped, coefficients in pair_fits(
                self.moments, self.fits, first[part], second[part]
            ):
                for one, other, coefficient in zip(tested, dropped, coefficients):
                    own = entries[one]
                    rows, sets = self.members.rows[own], self.members.sets[own]
                    yield int(one), int(other), own, self._ranks_in_group(int(one), coefficient, rows, sets)

    def rearranged_ranks(self, orders: np.ndarray) -> Iterator[np.ndarray]:
        """Ranks of the members when rows of the columns are exchanged within groups; the same Gram matrices serve all.

        Parameters
        ----------
        orders
            Row that takes each place, int [draw, row]; rows stay in their group.

        Yields
        ------
        ndarray
            Mid-ranks of one draw, float64 [entry].
        """
        number = self.members.number
        together = max(1, _TARGETS_AT_ONCE // number)
        for start in range(0, len(orders), together):
            drawn = [self.members.rearranged(order) for order in orders[start : start + together]]
            cross = np.concatenate([self._cross(members) for members in drawn], axis=2)
            square = np.tile(self.moments.square, (1, len(drawn)))
            moments = GroupMoments(
                self.moments.groups, self.moments.count, self.moments.gram, cross, square, self.moments.unpenalised
            )  # fmt: skip
            coefficients = np.stack([fit.coefficients for fit in _fit(moments)])
            for place, members in enumerate(drawn):
                yield self._ranks_of(coefficients[:, :, place * number : (place + 1) * number], members)

    def _cross(self, members: Members) -> np.ndarray:
        """Sums of products of columns and membership, float64 [group, column, set]."""
        groups = len(members.sizes)
        shape = (groups * members.number, len(self.columns))
        place = members.groups * members.number + members.sets
        chosen = sparse.csr_matrix((np.ones(len(place)), (place, members.rows)), shape=shape)
        summed = chosen @ self.columns
        return np.swapaxes(summed.reshape(groups, members.number, -1), 1, 2)


def _fit(moments: GroupMoments) -> list[RidgeFit]:
    penalised = moments.gram.shape[1] - moments.unpenalised
    return leave_group_out(moments, DEFAULT_PENALTIES if penalised else np.zeros(1), "auto")


def _below(ordered: np.ndarray, lines: np.ndarray, values: np.ndarray, equal: bool) -> np.ndarray:
    """How many numbers of a line are below (or equal to) each value: one binary search for all, int [value].

    ``ordered`` is [line, n], rising along each line; ``lines`` says in which line each value is looked up.
    """
    size = ordered.shape[1]
    low, high = np.zeros(len(values), dtype=np.int64), np.full(len(values), size, dtype=np.int64)
    for _ in range(int(size).bit_length()):
        middle = (low + high) // 2
        found = ordered[lines, np.minimum(middle, size - 1)]
        under = ((found <= values) if equal else (found < values)) & (middle < high)
        low = np.where(under, middle + 1, low)
        high = np.where(under | (low >= high), high, middle)
    return low
