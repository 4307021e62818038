"""Correlations where nothing is missing: lines are standardised once, and resampling is products of matrices with weights.

What depends on the observed values alone (their ranks, their standardised lines, their sums for every bootstrap draw) is computed
once for all predictions that are compared with them (:class:`ObservedSide`). Arithmetic is float32 on lines whose mean was removed;
sums of squares are float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cistron.evaluation.expression.correlations import FLAT, LEAST, average_ranks, two_way_effects

_SAME = 1e-5  # difference of standardised values that is rounding
_KEPT_VALUES = 1 << 25  # observed values of which standardised copies are kept (six of them: 0.8 GB)


@dataclass(frozen=True)
class Lines:
    """Lines (cells or genes) with mean 0 and variance 1.

    Attributes
    ----------
    values
        float32 [line, entry]; 0 where a line does not vary.
    square
        Sum of squares about the mean, float64 [line]; 0 where a line does not vary by more than rounding.
    """

    values: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, scale: np.ndarray | None = None) -> "Lines":
        """Standardise lines.

        Parameters
        ----------
        values
            Finite, float32 [line, entry].
        scale
            Largest value of each line before anything was subtracted, which tells variation from rounding; that of the
            lines themselves when absent.
        """
        entries = values.shape[1]
        scale = largest(values) if scale is None else scale
        centred = values - values.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
        # float32 leaves a little of the mean
        centred -= centred.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
        return cls._scaled(centred, entries * (FLAT * scale) ** 2)

    @classmethod
    def of_ranks(cls, values: np.ndarray, varied: np.ndarray) -> "Lines":
        """Standardise the ranks of lines.

        Parameters
        ----------
        values
            Finite, float32 [line, entry].
        varied
            Which lines vary by more than rounding, bool [line]; the others get no ranks.
        """
        ranks = average_ranks(values, 1)
        ranks -= np.float32((values.shape[1] + 1) / 2)
        return cls._scaled(ranks, np.where(varied, 0.0, np.inf))

    @classmethod
    def _scaled(cls, centred: np.ndarray, flat: np.ndarray) -> "Lines":
        square = np.vecdot(centred, centred).astype(np.float64)
        # float32 squares of tiny values underflow
        tiny = square < 1e-30
        if tiny.any():
            square[tiny] = (centred[tiny].astype(np.float64) ** 2).sum(axis=1)
        square = np.where(square <= flat, 0.0, square)
        deviation = np.sqrt(square / centred.shape[1])
        factor = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        if (factor > 1e30).any():
            return cls((centred.astype(np.float64) * factor[:, None]).astype(np.float32), square)
        centred *= factor.astype(np.float32)[:, None]
        return cls(centred, square)


def largest(values: np.ndarray) -> np.ndarray:
    """Largest absolute value of each line, float64 [line]."""
    return np.maximum(values.max(axis=1, initial=0.0), -values.min(axis=1, initial=0.0)).astype(np.float64)


@dataclass(frozen=True)
class Resampled:
    """Lines (cells) and their sums for every draw of entries (genes).

    Attributes
    ----------
    lines
        The lines.
    sums, squares
        Sums of values and of squares over the drawn entries, float32 [line, draw]; ``None`` without draws.
    """

    lines: Lines
    sums: np.ndarray | None
    squares: np.ndarray | None

    @classmethod
    def of(cls, lines: Lines, weights: np.ndarray | None) -> "Resampled":
        """Sum over drawn entries; ``weights`` are the times that each is taken, float32 [entry, draw]."""
        if weights is None:
            return cls(lines, None, None)
        first = lines.values[:1]
        if np.abs(first - lines.values[-1]).max() < _SAME and np.abs(lines.values - first).max() < _SAME:
            shape = (len(lines.values), weights.shape[1])  # the mean of genes in every cell, for one
            sums, squares = (np.broadcast_to(part @ weights, shape) for part in (first, first * first))
            return cls(lines, sums, squares)
        return cls(lines, lines.values @ weights, (lines.values * lines.values) @ weights)


def line_correlations(
    first: Resampled, second: Resampled, weights: np.ndarray | None, orders: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Correlations of matching lines, of permuted entries, and for every draw.

    Parameters
    ----------
    first, second
        Lines of both sides.
    weights
        Times that each entry is taken, float32 [entry, draw].
    orders
        Permutations of the entries of ``first``, int [order, entry].

    Returns
    -------
    ndarray
        float64 [1 + order, line]; NaN with fewer than 3 entries or where a side does not vary.
    ndarray or None
        float32 [line, draw].
    """
    x, y = first.lines.values, second.lines.values
    entries = x.shape[1]
    undefined = (first.lines.square == 0) | (second.lines.square == 0) | (entries < LEAST)
    products = x * y
    own = [products.sum(axis=1), *(np.vecdot(x.take(order, axis=1, mode="clip"), y) for order in orders)]
    found = np.clip(np.stack(own).astype(np.float64) / entries, -1.0, 1.0)
    found[:, undefined] = np.nan
    if weights is None:
        return found, None
    assert first.sums is not None
    assert first.squares is not None
    assert second.sums is not None
    assert second.squares is not None
    a, b, taken = first.sums, second.sums, np.float32(entries)
    covariance = products @ weights - a * b / taken
    spread = (first.squares - a * a / taken) * (second.squares - b * b / taken)
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = np.where(spread > 1e-6, covariance / np.sqrt(np.maximum(spread, np.float32(1e-30))), np.nan)
    draws[undefined] = np.nan
    return found, np.clip(draws, -1.0, 1.0)


def line_sums(first: Lines, second: Lines, orders: np.ndarray) -> np.ndarray:
    """Sums of centred products of matching lines, as :func:`cistron.evaluation.expression.correlations.column_sums`.

    Parameters
    ----------
    first, second
        Lines of both sides.
    orders
        Permutations of the lines of ``first``, int [order, line].

    Returns
    -------
    ndarray
        n, sum aa, sum bb, sum ab; float64 [order, 4, line].
    """
    lines, entries = first.values.shape
    found = np.empty((len(orders), 4, lines))
    found[:, 0], found[:, 2] = float(entries), second.square
    for part, order in zip(found, orders):
        part[1] = first.square[order]
        correlation = (
            np.vecdot(first.values.take(order, axis=0, mode="clip"), second.values).astype(np.float64)
            / entries
        )
        part[3] = correlation * np.sqrt(part[1] * part[2])
    return found


class GeneLines:
    """Lines of the genes of a block: values and ranks, as they are and with both means removed.

    Parameters
    ----------
    values
        Finite, float32 [cell, gene].
    effects
        Effects of the cells, float64 [cell], and of the genes of the block, float64 [gene].
    """

    def __init__(self, values: np.ndarray, effects: tuple[np.ndarray, np.ndarray]) -> None:
        lines = np.ascontiguousarray(values.T)
        scale = largest(lines)
        self.raw = Lines.of(lines, scale)
        self.ranks = Lines.of_ranks(lines, self.raw.square > 0)
        row, column = (one.astype(np.float32) for one in effects)
        lines -= column[:, None]
        lines -= row
        self.residual = Lines.of(lines, scale)
        self.residual_ranks = Lines.of_ranks(lines, self.residual.square > 0)

    @property
    def kinds(self) -> tuple[Lines, Lines, Lines, Lines]:
        """In the order of the metrics: values, ranks, doubly centred values, their ranks."""
        return self.raw, self.ranks, self.residual, self.residual_ranks


def cell_lines(values: np.ndarray, weights: np.ndarray | None) -> tuple[Resampled, Resampled]:
    """Values and ranks of cells over genes, with their sums for every draw of genes.

    Parameters
    ----------
    values
        Finite, float32 [cell, gene].
    weights
        float32 [gene, draw].
    """
    raw = Lines.of(values)
    ranks = Lines.of_ranks(values, raw.square > 0)
    return Resampled.of(raw, weights), Resampled.of(ranks, weights)


class ObservedSide:
    """Observed values of one level and what is computed of them once for all predictions.

    Parameters
    ----------
    observed
        float32 [cell, gene].
    weights
        Times that each gene is taken, float32 [gene, draw]; ``None`` without draws.
    """

    def __init__(self, observed: np.ndarray, weights: np.ndarray | None) -> None:
        self.observed, self.weights = observed, weights
        self.complete = bool(np.isfinite(observed).all())
        self._kept: dict[tuple[str, int, int], Any] | None = {} if observed.size <= _KEPT_VALUES else None
        self._effects: tuple[np.ndarray, np.ndarray] | None = None

    def __reduce__(self) -> Any:
        """Another process computes again what it needs of the observed values."""
        return ObservedSide, (self.observed, self.weights)

    @property
    def effects(self) -> tuple[np.ndarray, np.ndarray]:
        """Effects of cells and genes (:func:`cistron.evaluation.expression.correlations.two_way_effects`)."""
        if self._effects is None:
            self._effects = two_way_effects(self.observed)
        return self._effects

    def cells(self, rows: slice) -> tuple[Resampled, Resampled]:
        """Lines of some cells (:func:`cell_lines`)."""
        return self._keep("cells", rows, lambda: cell_lines(self.observed[rows], self.weights))

    def genes(self, block: slice) -> GeneLines:
        """Lines of some genes (:class:`GeneLines`)."""
        row, column = self.effects
        return self._keep("genes", block, lambda: GeneLines(self.observed[:, block], (row, column[block])))

    def _keep(self, kind: str, part: slice, make: Callable[[], Any]) -> Any:
        key = (kind, part.start, part.stop)
        if self._kept is None:
            return make()
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]
