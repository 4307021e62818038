"""Correlations, bootstrap and controls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cistron.errors import InputError
from cistron.statistics import (
    BlockSums,
    block_draws,
    bootstrap_p_value,
    group_like_rows,
    pearson,
    percentile_interval,
    permute_matched,
    permute_within,
    shift_within,
    signed_square,
)


@given(seed=st.integers(0, 1000), shift=st.sampled_from([0.0, 1e6]))
@settings(max_examples=20, deadline=None)
def test_pearson_equals_scipy_with_missing_values(seed, shift):
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, 50, 3)) + shift
    x[3, 1] = np.nan
    y[7:9, 2] = np.nan
    found = pearson(x, y)
    for column in range(3):
        seen = np.isfinite(x[:, column]) & np.isfinite(y[:, column])
        assert found[column] == pytest.approx(stats.pearsonr(x[seen, column], y[seen, column])[0], abs=1e-7)


def test_a_prediction_that_does_not_vary_has_no_correlation():
    assert np.isnan(pearson(np.ones((10, 1)), np.arange(10.0)[:, None]))[0]


def test_signed_square_keeps_the_sign():
    np.testing.assert_allclose(signed_square(np.array([0.5, -0.5])), [0.25, -0.25])


def test_resampled_blocks_equal_a_correlation_of_copied_rows():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 60, 2))
    blocks = np.repeat(np.arange(6), 10)
    weights = block_draws(6, 5, seed=3)
    assert (weights.sum(axis=1) == 6).all()
    found = BlockSums.collect(x, y, blocks).correlation(weights)
    for draw in range(5):
        rows = np.concatenate(
            [np.repeat(np.flatnonzero(blocks == b), int(weights[draw, b])) for b in range(6)]
        )
        assert found[draw, 1] == pytest.approx(np.corrcoef(x[rows, 1], y[rows, 1])[0, 1])


def test_interval_and_p_value_by_hand():
    samples = np.arange(-10.0, 90.0)
    low, high = percentile_interval(samples, 0.9)
    assert (low, high) == (pytest.approx(-5.05), pytest.approx(84.05))
    assert bootstrap_p_value(samples) == pytest.approx(2 * 12 / 101)
    assert bootstrap_p_value(samples + 100) == pytest.approx(2 / 101)


def test_block_bootstrap_covers_the_truth():
    """An interval that ignored the blocks would cover far less: observations of a block are equal."""
    generator = np.random.default_rng(5)
    covered = 0
    for run in range(60):
        effects = generator.normal(size=(2, 30))
        x, y = np.repeat(effects, 20, axis=1)[:, :, None]
        sums = BlockSums.collect(x, y, np.repeat(np.arange(30), 20))
        low, high = percentile_interval(sums.correlation(block_draws(30, 300, run)))
        covered += bool(low[0] <= 0 <= high[0])
    assert covered >= 49


@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_controls_rearrange_within_blocks_only(sizes, seed):
    blocks = np.repeat(np.arange(len(sizes)), sizes)
    positions = np.random.default_rng(seed).permutation(len(blocks)).astype(float)
    for order in (permute_within(blocks, seed, 0), shift_within(blocks, positions, seed, 0)):
        np.testing.assert_array_equal(np.sort(order), np.arange(len(blocks)))
        np.testing.assert_array_equal(blocks[order], blocks)


def test_a_shift_moves_every_gene_and_keeps_neighbours():
    order = shift_within(np.zeros(50, dtype=int), np.arange(50.0), seed=1, draw=0)
    assert (order != np.arange(50)).all()
    assert (((order[1:] - order[:-1]) % 50) == 1).all()


@given(seed=st.integers(0, 500), rows=st.integers(60, 300))
@settings(max_examples=20, deadline=None)
def test_matched_partners_are_far_away_and_nobody_stays(seed, rows):
    generator = np.random.default_rng(seed)
    properties = generator.normal(size=(rows, 3))
    blocks, positions = generator.integers(0, 4, rows), generator.uniform(0, 2e7, rows)
    order = permute_matched(group_like_rows(properties), blocks, positions, seed, 0)
    np.testing.assert_array_equal(np.sort(order), np.arange(rows))
    near = (blocks == blocks[order]) & (np.abs(positions - positions[order]) < 1e6)
    assert not near.any()
    assert (order != np.arange(rows)).all()


def test_matched_partners_are_alike_and_draws_differ():
    generator = np.random.default_rng(4)
    properties = generator.normal(size=(2000, 2)) * np.array([1.0, 50.0])
    blocks, positions = generator.integers(0, 22, 2000), generator.uniform(0, 1e8, 2000)
    groups = group_like_rows(properties)
    first, second = (permute_matched(groups, blocks, positions, 1, draw) for draw in (0, 1))
    for column in properties.T:
        assert np.corrcoef(column, column[first])[0, 1] > 0.95
    assert (first == second).mean() < 0.2


def test_rows_in_one_place_cannot_be_matched():
    groups = group_like_rows(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(InputError, match="cannot be exchanged"):
        permute_matched(groups, np.zeros(40, dtype=int), np.arange(40.0), 0, 0)
