"""Kernels of the expression task: numbers that can be checked by hand, and scipy as an independent oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cistron.evaluation.expression.correlations import (
    average_ranks,
    column_sums,
    correlations_of,
    permuted_row_correlations,
    pooled_correlation,
    row_correlations,
    two_way_effects,
)

NAN = np.nan


def _matrices(seed, shape=(6, 30), missing=0.2, ties=False):
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, *shape))
    y = y + x
    if ties:
        x, y = np.round(x), np.round(y)
    x[generator.random(shape) < missing] = NAN
    y[generator.random(shape) < missing] = NAN
    return x, y


def test_ranks_by_hand():
    values = np.array([[3.0, 1.0, 1.0, NAN], [5.0, NAN, 4.0, 6.0]])
    np.testing.assert_array_equal(average_ranks(values, 1), [[3, 1.5, 1.5, NAN], [2, NAN, 1, 3]])
    np.testing.assert_array_equal(average_ranks(values.T, 0), [[3, 2], [1.5, NAN], [1.5, 1], [NAN, 3]])


@given(seed=st.integers(0, 10_000), ties=st.booleans())
@settings(max_examples=40, deadline=None)
def test_ranks_equal_scipy(seed, ties):
    x, _ = _matrices(seed, ties=ties)
    for axis in (0, 1):
        wanted = stats.rankdata(x, axis=axis, nan_policy="omit")
        np.testing.assert_array_equal(average_ranks(x, axis), wanted)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_rows_and_columns_equal_scipy(seed):
    x, y = _matrices(seed)
    found, _ = row_correlations(x, y)
    for a, b, r in zip(x, y, found):
        seen = np.isfinite(a) & np.isfinite(b)
        assert r == pytest.approx(stats.pearsonr(a[seen], b[seen]).statistic)
    np.testing.assert_allclose(correlations_of(column_sums(x.T, y.T)), found)


def test_what_does_not_vary_is_undefined():
    varied = np.array([1.0, 2.0, 4.0, 3.0])
    constant = np.full(4, 0.1) + 1e-9 * varied  # rounding, not variation
    x = np.stack([constant, varied, varied])
    y = np.stack([varied, constant, np.array([1.0, 5.0, NAN, NAN])])
    assert np.isnan(row_correlations(x, y)[0]).all()
    assert np.isnan(correlations_of(column_sums(x.T, y.T))).all()
    assert np.isnan(pooled_correlation(column_sums(constant[:, None], varied[:, None])))


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_weights_of_columns_are_columns_taken_again(seed):
    x, y = _matrices(seed, missing=0.1)
    taken = np.random.default_rng(seed).integers(0, 30, size=(5, 30))
    weights = np.stack([np.bincount(row, minlength=30) for row in taken], axis=1).astype(np.float32)
    _, draws = row_correlations(x, y, weights)
    sums = column_sums(x, y)
    pooled = pooled_correlation(sums, weights)
    for number, row in enumerate(taken):
        np.testing.assert_allclose(draws[:, number], row_correlations(x[:, row], y[:, row])[0], atol=2e-5)
        assert pooled[number] == pytest.approx(float(pooled_correlation(sums[:, row])))


def test_two_way_effects_of_an_additive_table_leave_nothing():
    rows, columns = np.array([0.0, 1.0, 5.0]), np.array([2.0, 7.0, 1.0, 4.0])
    table = rows[:, None] + columns
    for values in (table, np.where(np.eye(3, 4) > 0, NAN, table)):
        row, column = two_way_effects(values, rounds=200)
        np.testing.assert_allclose((values - row[:, None] - column)[np.isfinite(values)], 0, atol=1e-8)


def test_two_way_effects_make_every_mean_zero():
    x, _ = _matrices(3)
    row, column = two_way_effects(x, rounds=200)
    left = x - row[:, None] - column
    np.testing.assert_allclose(np.nanmean(left, axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(np.nanmean(left, axis=1), 0, atol=1e-8)


def test_columns_of_tiny_values_are_not_taken_for_rounding():
    x, y = _matrices(5)
    expected = correlations_of(column_sums(x, y))
    np.testing.assert_allclose(correlations_of(column_sums(1e-30 * x, y)), expected, rtol=1e-9)
    rows = [row_correlations(scale * x, y)[0] for scale in (1, 1e-30)]
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_permuted_columns_equal_permuting_first(missing):
    """The short cut for complete data and the long way for missing entries."""
    x, y = _matrices(4, missing=missing)
    x[:, 3] = 7.0
    orders = np.stack([np.random.default_rng(number).permutation(30) for number in range(3)])
    scales = (np.full(30, 8.0), np.full(30, 8.0))
    found = column_sums(x, y, scales, orders)
    rows = permuted_row_correlations(x, y, orders)
    for number, order in enumerate(orders):
        np.testing.assert_allclose(found[number], column_sums(x[:, order], y, scales), atol=1e-12)
        np.testing.assert_allclose(rows[number], row_correlations(x[:, order], y)[0], atol=1e-12)
    assert permuted_row_correlations(x, y, orders[:0]).shape == (0, 6)
