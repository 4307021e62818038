"""All metrics of one prediction: pandas as an independent oracle, properties, resampling, permuted controls."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.evaluation.expression import comparison
from cistron.evaluation.expression.comparison import METRICS, compare, gene_draws, permuted_genes

NAN = np.nan


def _pair(seed, cells=8, genes=40, missing=0.0):
    generator = np.random.default_rng(seed)
    shared = generator.normal(size=(cells, genes))
    level = generator.normal(size=genes)
    observed = shared + 2 * level + generator.normal(size=(cells, genes))
    predicted = shared + level + generator.normal(size=(cells, genes))
    predicted[generator.random((cells, genes)) < missing] = NAN
    return predicted.astype(np.float32), observed.astype(np.float32)


def _by_pandas(predicted, observed):
    """Every metric the slow way."""
    p, o = pd.DataFrame(predicted, dtype=float), pd.DataFrame(observed, dtype=float)
    p, o = p.where(p.notna() & o.notna()), o.where(p.notna() & o.notna())
    centre = lambda table: table - table.mean()  # noqa: E731
    both = lambda table: (lambda part: part.sub(part.mean(axis=1), axis=0))(centre(table))  # noqa: E731
    flat = lambda table: table.to_numpy().ravel()  # noqa: E731
    return {
        "pearson_across_genes": p.T.corrwith(o.T).mean(),
        "spearman_across_genes": p.T.corrwith(o.T, method="spearman").mean(),
        "pearson_across_cells": p.corrwith(o).mean(),
        "spearman_across_cells": p.corrwith(o, method="spearman").mean(),
        "pooled_across_cells": np.corrcoef(flat(centre(p)), flat(centre(o)))[0, 1],
        "pooled_doubly_centred": np.corrcoef(flat(both(p)), flat(both(o)))[0, 1],
        "pearson_doubly_centred": both(p).corrwith(both(o)).mean(),
        "spearman_doubly_centred": both(p).corrwith(both(o), method="spearman").mean(),
    }


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_metric_equals_pandas(seed):
    predicted, observed = _pair(seed)
    found, wanted = compare(predicted, observed).values, _by_pandas(predicted, observed)
    assert set(found) == set(wanted) == set(METRICS)
    for metric, value in wanted.items():
        assert found[metric] == pytest.approx(value, abs=1e-5), metric


def test_missing_entries_are_left_out_pair_by_pair():
    predicted, observed = _pair(1, missing=0.3)
    found, wanted = compare(predicted, observed).values, _by_pandas(predicted, observed)
    for metric in (
        "pearson_across_genes",
        "spearman_across_genes",
        "pearson_across_cells",
        "spearman_across_cells",
    ):
        assert found[metric] == pytest.approx(wanted[metric], abs=1e-5), metric


def test_blocks_and_threads_change_nothing(monkeypatch):
    predicted, observed = _pair(2, cells=9, genes=50, missing=0.1)
    generator = np.random.default_rng(0)
    weights = gene_draws(50, 40, generator)
    whole = compare(predicted, observed, weights)
    monkeypatch.setattr(comparison, "_ROW_VALUES", 100)
    monkeypatch.setattr(comparison, "_GENES", 10)
    parts = compare(predicted, observed, weights, threads=3)
    for metric in METRICS:
        assert parts.values[metric] == pytest.approx(whole.values[metric], abs=1e-6)
        np.testing.assert_allclose(parts.draws[metric], whole.draws[metric], atol=1e-5)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
@settings(max_examples=20, deadline=None)
def test_order_of_genes_scale_and_shift_change_nothing(seed, scale, shift):
    predicted, observed = _pair(seed)
    order = np.random.default_rng(seed).permutation(predicted.shape[1])
    first = compare(predicted, observed).values
    other = compare(
        (scale * predicted[:, order].astype(float) + shift * scale).astype(np.float32), observed[:, order]
    )
    for metric in METRICS:
        # Rounding to float32 may swap two nearly equal values, which moves a rank.
        assert other.values[metric] == pytest.approx(
            first[metric], abs=2e-3 if "spearman" in metric else 1e-4
        )


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_gene_and_cell_effects_change_nothing_once_both_are_removed(seed):
    predicted, observed = _pair(seed)
    generator = np.random.default_rng(seed)
    moved = predicted + generator.normal(size=(8, 1)) + generator.normal(size=(1, 40))
    first, other = compare(predicted, observed).values, compare(moved.astype(np.float32), observed).values
    for metric in ("pooled_doubly_centred", "pearson_doubly_centred"):
        assert other[metric] == pytest.approx(first[metric], abs=1e-4)


def test_two_cell_types_give_the_correlation_of_their_difference():
    predicted, observed = _pair(5, cells=2)
    found = compare(predicted, observed)
    wanted = np.corrcoef(predicted[0] - predicted[1], observed[0] - observed[1])[0, 1]
    assert found.values["pooled_doubly_centred"] == pytest.approx(wanted, abs=1e-6)
    # Two points always lie on a line: no correlation across two cells is a score.
    assert np.isnan(found.values["pearson_across_cells"])
    assert found.counts["pearson_across_cells"] == 0


def test_a_constant_prediction_is_undefined_and_counted():
    predicted, observed = _pair(6)
    predicted[:, :10] = predicted[0, :10]  # ten genes do not vary over cells
    predicted[3] = 1.25  # nor does one cell over genes
    predicted[3, :10] = predicted[0, :10]
    found = compare(predicted, observed)
    assert found.counts["pearson_across_cells"] == 30
    assert np.isnan(found.per_gene["pearson_across_cells"][:10]).all()
    own = found.per_gene["pearson_across_cells"][10:]
    assert found.values["pearson_across_cells"] == pytest.approx(own.mean())
    mean_of_genes = np.broadcast_to(predicted.mean(axis=0), predicted.shape).copy()
    constant = compare(mean_of_genes, observed, gene_draws(40, 20, np.random.default_rng(0)))
    defined = {metric for metric, value in constant.values.items() if np.isfinite(value)}
    assert defined == {"pearson_across_genes", "spearman_across_genes"}


def test_an_additive_prediction_has_no_doubly_centred_score():
    _, observed = _pair(7, cells=30, genes=200)
    generator = np.random.default_rng(0)
    additive = (5 + generator.normal(size=(30, 1)) + generator.normal(size=(1, 200))).astype(np.float32)
    found = compare(additive, observed)
    assert found.counts["spearman_doubly_centred"] == 0
    assert all(
        np.isnan(found.values[metric])
        for metric, (family, _) in METRICS.items()
        if family == "doubly centred"
    )


def test_draws_spread_like_genes_drawn_again():
    """The bootstrap's standard errors equal those of computing every metric again on drawn genes."""
    predicted, observed = _pair(8, cells=6, genes=150)
    weights = gene_draws(150, 400, np.random.default_rng(1))
    draws = compare(predicted, observed, weights).draws
    again = []
    for column in weights.T[:150]:
        taken = np.repeat(np.arange(150), column.astype(int))
        again.append(compare(predicted[:, taken], observed[:, taken]).values)
    for metric in METRICS:
        brute = np.array([values[metric] for values in again])
        # The ranks and cell means of the whole sample stand in for those of each draw.
        np.testing.assert_allclose(draws[metric][:150], brute, atol=0.06, err_msg=metric)
        assert draws[metric].std() == pytest.approx(brute.std(), rel=0.2), metric


def test_permuted_genes_destroy_what_genes_know_but_not_depth():
    generator = np.random.default_rng(9)
    genes, cells = 800, 20
    depth = generator.normal(size=(cells, 1))
    own = generator.normal(size=(cells, genes))
    observed = (depth + own + 0.3 * generator.normal(size=own.shape)).astype(np.float32)
    predicted = (depth + own).astype(np.float32)
    orders = permuted_genes(predicted, 3, generator)
    found = compare(predicted, observed, orders=orders)
    assert found.values["pooled_doubly_centred"] > 0.9
    assert abs(found.controls["pooled_doubly_centred"]) < 0.03
    assert abs(found.controls["pearson_across_genes"]) < 0.05
    assert found.controls["pearson_across_cells"] > 0.3  # the floor that depth gives


def test_permutations_stay_among_genes_with_a_prediction():
    predicted = np.ones((3, 50), dtype=np.float32)
    predicted[:, ::5] = NAN
    for order in permuted_genes(predicted, 4, np.random.default_rng(0)):
        assert sorted(order) == list(range(50))
        np.testing.assert_array_equal(order[::5], np.arange(0, 50, 5))
        assert (order != np.arange(50)).any()
