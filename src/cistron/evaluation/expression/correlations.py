"""Correlations along rows and columns with missing entries, and their resampling over genes by matrix products."""

import numpy as np

_RANKED = 1 << 16  # values that are ranked at a time, so that they stay in the processor's cache
LEAST = 3  # pairs behind a correlation; two points always correlate perfectly
FLAT = 1e-6  # standard deviation, relative to the largest value, below which float32 holds rounding only


def average_ranks(values: np.ndarray, axis: int) -> np.ndarray:
    """Rank from 1 along an axis, ties averaged; NaN stays NaN and does not count.

    Parameters
    ----------
    values
        float [row, column].
    axis
        0 ranks within columns, 1 within rows.

    Returns
    -------
    ndarray
        float32 [row, column].
    """
    rows = np.ascontiguousarray(values if axis == 1 else values.T)
    result = np.empty(rows.shape, dtype=np.float32)
    step = max(1, _RANKED // max(rows.shape[1], 1))
    for start in range(0, len(rows), step):
        _rank(rows[start : start + step], result[start : start + step])
    return result if axis == 1 else result.T


def _rank(rows: np.ndarray, result: np.ndarray) -> None:
    """Ranks of a few rows, written to ``result``."""
    entries = rows.shape[1]
    missing = np.isnan(rows)
    some_missing = bool(missing.any())
    if rows.dtype == np.float32 and not some_missing:
        order, starts = _sorted_float32(rows)
    else:
        order = np.argsort(rows, axis=1)  # NaN comes last
        ascending = np.take_along_axis(rows, order, axis=1)
        starts = np.ones(rows.shape, dtype=bool)
        starts[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    order += np.arange(0, rows.size, max(entries, 1))[:, None]
    if starts.all():
        result.reshape(-1)[order] = np.arange(1, entries + 1, dtype=np.float32)
    else:
        first = np.flatnonzero(starts)  # of each run of equal values, over all rows
        length = np.append(first[1:], rows.size) - first
        ranks = np.repeat((first % entries + (length + 1) * 0.5).astype(np.float32), length)
        result.reshape(-1)[order.ravel()] = ranks
    if some_missing:
        result[missing] = np.nan


def _sorted_float32(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of each row, and where a run of equal values starts in it.

    The bits of a float and its place are sorted as one integer, which takes half the time of sorting places by value.
    """
    bits = (rows + np.float32(0)).view(np.int32)  # minus 0 becomes 0
    packed = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).astype(np.int64) << 32
    packed |= np.arange(rows.shape[1])
    packed.sort(axis=1)
    order = packed & 0xFFFFFFFF
    packed >>= 32
    starts = np.ones(rows.shape, dtype=bool)
    starts[:, 1:] = packed[:, 1:] != packed[:, :-1]
    return order, starts


def row_correlations(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Pearson correlation of matching rows, and of resampled columns.

    Parameters
    ----------
    first, second
        float [row, column]; pairs with a NaN are left out.
    weights
        Times that each column is taken, float32 [column, draw].

    Returns
    -------
    ndarray
        float64 [row]; NaN with fewer than 3 pairs or where a side does not vary.
    ndarray or None
        The same for each draw, float32 [row, draw].
    """
    seen = np.isfinite(first) & np.isfinite(second)
    number = seen.sum(axis=1).astype(np.float64)
    x, flat = _standardised(first, seen, number)
    y, flat_too = _standardised(second, seen, number)
    undefined = flat | flat_too | (number < LEAST)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(undefined, np.nan, (x * y).sum(axis=1) / number)
    correlation = np.clip(correlation, -1.0, 1.0)
    if weights is None:
        return correlation, None
    x, y = x.astype(np.float32), y.astype(np.float32)
    taken = weights.sum(axis=0)[None, :] if seen.all() else seen.astype(np.float32) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = x @ weights, y @ weights
        covariance = (x * y) @ weights - a * b / taken
        spread = ((x * x) @ weights - a * a / taken) * ((y * y) @ weights - b * b / taken)
        draws = np.where(spread > 1e-6, covariance / np.sqrt(np.maximum(spread, 1e-30)), np.nan)
    draws[undefined] = np.nan
    return correlation, np.clip(draws, -1.0, 1.0)


def permuted_row_correlations(first: np.ndarray, second: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """:func:`row_correlations` of ``first[:, order]`` and ``second`` for each order, float64 [order, row].

    Parameters
    ----------
    first, second
        Values, float [row, column]; NaN is missing.
    orders
        Permutations of the columns, int [order, column].
    """
    seen = np.isfinite(first) & np.isfinite(second)
    if not len(orders) or not seen.all():
        found = [row_correlations(first[:, order], second)[0] for order in orders]
        return np.array(found).reshape(len(orders), len(first))
    # Nothing is missing: a permutation changes neither mean nor variance of a row.
    number = np.full(len(first), float(first.shape[1]))
    (x, flat), (y, flat_too) = (_standardised(values, seen, number) for values in (first, second))
    products = np.stack([np.einsum("rc,rc->r", x[:, order], y) for order in orders]) / number
    return np.where(flat | flat_too | (number < LEAST), np.nan, np.clip(products, -1.0, 1.0))


def _standardised(values: np.ndarray, seen: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows with mean 0 and variance 1 over what is seen, 0 elsewhere; and which rows do not vary."""
    filled = np.where(seen, values, 0.0).astype(np.float64)
    scale = np.abs(filled).max(axis=1, initial=0.0)
    count = np.maximum(number, 1.0)
    centred = np.where(seen, filled - (filled.sum(axis=1) / count)[:, None], 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1) / count)
    flat = deviation <= FLAT * scale
    return centred / np.where(flat, 1.0, deviation)[:, None], flat


def column_sums(
    first: np.ndarray,
    second: np.ndarray,
    scales: tuple[np.ndarray, np.ndarray] | None = None,
    orders: np.ndarray | None = None,
) -> np.ndarray:
    """Sums over rows of centred products, column by column.

    Parameters
    ----------
    first, second
        float [row, column]; pairs with a NaN are left out, then each column's mean is removed.
    scales
        Largest value of each column before anything was subtracted, which tells variation from rounding; that of
        the columns themselves when absent.
    orders
        Permutations of the columns of ``first``, int [order, column].

    Returns
    -------
    ndarray
        n, sum aa, sum bb, sum ab; float64 [4, column], or [order, 4, column]. A sum of squares that is rounding is 0.
    """
    scales = scales or (_largest(first), _largest(second))
    places = np.arange(first.shape[1])[None, :] if orders is None else orders
    seen, seen_too = np.isfinite(first), np.isfinite(second)
    if seen.all() and seen_too.all():
        # Nothing is missing: a permutation changes neither mean nor sum of squares of a column.
        (a, aa), (b, bb) = _centred(first, seen, scales[0]), _centred(second, seen, scales[1])
        number = np.full(first.shape[1], float(len(first)))
        found = [
            np.stack([number, aa[order], bb, np.einsum("rc,rc->c", a if orders is None else a[:, order], b)])
            for order in places
        ]
    else:
        found = []
        for order in places:
            both = seen[:, order] & seen_too
            a, aa = _centred(first[:, order], both, scales[0][order])
            b, bb = _centred(second, both, scales[1])
            found.append(np.stack([both.sum(axis=0, dtype=np.float64), aa, bb, np.einsum("rc,rc->c", a, b)]))
    return found[0] if orders is None else np.stack(found)


def _largest(values: np.ndarray) -> np.ndarray:
    """Largest absolute value of each column."""
    return np.abs(np.where(np.isfinite(values), values, 0.0)).max(axis=0, initial=0.0)


def _centred(values: np.ndarray, seen: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns less their mean over what is seen, 0 elsewhere, and their sums of squares; rounding is 0."""
    number = seen.sum(axis=0)
    filled = np.where(seen, values, 0.0).astype(np.float64, copy=False)
    centred = np.where(seen, filled - filled.sum(axis=0) / np.maximum(number, 1), 0.0)
    square = np.einsum("rc,rc->c", centred, centred)
    flat = square <= number * (FLAT * scale) ** 2
    centred[:, flat] = 0.0
    return centred, np.where(flat, 0.0, square)


def correlations_of(sums: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column from :func:`column_sums`; NaN where undefined."""
    number, aa, bb, ab = sums
    defined = (number >= LEAST) & (aa > 0) & (bb > 0)
    spread = np.sqrt(np.where(defined, aa * bb, 1.0))
    return np.where(defined, np.clip(ab / spread, -1.0, 1.0), np.nan)


def pooled_correlation(sums: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """One correlation over the centred entries of all columns, or for each draw of columns.

    Parameters
    ----------
    sums
        Of :func:`column_sums`.
    weights
        float [column, draw].

    Returns
    -------
    ndarray
        float64, a number or [draw]; NaN where a side does not vary.
    """
    taken = np.ones((sums.shape[1], 1)) if weights is None else weights
    pooled = correlation_of_totals(sums @ taken)
    return pooled[0] if weights is None else pooled


def correlation_of_totals(totals: np.ndarray) -> np.ndarray:
    """Correlation from n, sum aa, sum bb and sum ab over all columns, float64 [4, draw] to [draw]; NaN where a side does not vary."""
    _, aa, bb, ab = totals
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((aa > 0) & (bb > 0), ab / np.sqrt(aa * bb), np.nan)


def two_way_effects(values: np.ndarray, rounds: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Row and column effects whose removal makes all row and column means 0.

    Exact after one round where nothing is missing; otherwise rows and columns are fitted in turn.

    Parameters
    ----------
    values
        float [row, column], NaN where missing.

    Returns
    -------
    ndarray
        Row effects, float64 [row].
    ndarray
        Column effects, float64 [column]; the grand mean is in them.
    """
    seen = np.isfinite(values)
    complete = bool(seen.all())
    in_row, in_column = (np.maximum(seen.sum(axis=axis), 1) for axis in (1, 0))
    filled = values if complete else np.where(seen, values, np.float32(0))
    indicator = None if complete else seen.astype(np.float32)
    row_total, column_total = (filled.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    row = np.zeros(values.shape[0])
    column = np.zeros(values.shape[1])
    for _ in range(1 if complete else rounds):
        column = (column_total - (row.sum() if indicator is None else row @ indicator)) / in_column
        row = (row_total - (column.sum() if indicator is None else indicator @ column)) / in_row
    return row, column
