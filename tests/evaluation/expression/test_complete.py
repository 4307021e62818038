"""The short way for complete data gives the numbers of the long way, and the observed side can be shared."""

import numpy as np
import pytest

from cistron.evaluation.expression import comparison, complete
from cistron.evaluation.expression.comparison import METRICS, compare, gene_draws, permuted_genes
from cistron.evaluation.expression.complete import Lines, ObservedSide


def _data(seed=0, cells=12, genes=90, counts=False):
    generator = np.random.default_rng(seed)
    level = generator.normal(size=genes)
    shared = generator.normal(size=(cells, genes)) + level
    observed = shared + generator.normal(size=shared.shape)
    if counts:
        observed = np.log1p(generator.poisson(np.exp(0.3 * observed)))
    observed[:, 5] = 2.0  # a gene that does not vary
    return (shared + level).astype(np.float32), observed.astype(np.float32), generator


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("prediction", ["varied", "gene means", "constant"])
def test_both_ways_give_the_same_numbers(monkeypatch, counts, prediction):
    predicted, observed, generator = _data(counts=counts)
    if prediction != "varied":
        means = predicted.mean(axis=0) if prediction == "gene means" else np.float32(1.5)
        predicted = np.broadcast_to(means, predicted.shape).copy()
    weights = gene_draws(90, 30, generator)
    orders = permuted_genes(predicted, 3, generator)
    short = compare(predicted, observed, weights, orders)
    monkeypatch.setattr(comparison, "_complete", lambda predicted, side: False)
    long = compare(predicted, observed, weights, orders)
    for metric in METRICS:
        for kind in ("values", "controls"):
            mine, theirs = getattr(short, kind)[metric], getattr(long, kind)[metric]
            assert mine == pytest.approx(theirs, abs=2e-6, nan_ok=True), (metric, kind)
        np.testing.assert_allclose(short.draws[metric], long.draws[metric], atol=5e-6, err_msg=metric)
        assert short.counts[metric] == long.counts[metric], metric
    for axis in ("per_cell", "per_gene"):
        for metric, mine in getattr(short, axis).items():
            np.testing.assert_allclose(mine, getattr(long, axis)[metric], atol=2e-6, err_msg=metric)


def test_a_side_that_is_shared_or_not_kept_changes_nothing(monkeypatch):
    predicted, observed, generator = _data(1)
    weights = gene_draws(90, 25, generator)
    alone = compare(predicted, observed, weights)
    side = ObservedSide(observed, weights)
    compare(predicted[::-1], observed, weights, side=side)  # another prediction fills it
    shared = compare(predicted, observed, weights, side=side)
    monkeypatch.setattr(complete, "_KEPT_VALUES", 10)
    again = compare(predicted, observed, weights, side=ObservedSide(observed, weights), threads=2)
    for metric in METRICS:
        for other in (shared, again):
            np.testing.assert_array_equal(other.draws[metric], alone.draws[metric])
            assert other.values[metric] == alone.values[metric]


def test_lines_of_tiny_and_of_shifted_values_are_standardised():
    values = np.random.default_rng(2).normal(size=(3, 500)).astype(np.float32)
    for changed in (1e-30 * values, 1e-18 * values, 100 + values, 1e12 * values):
        lines = Lines.of(changed.astype(np.float32))
        assert (lines.square > 0).all()
        np.testing.assert_allclose(lines.values.mean(axis=1), 0, atol=1e-6)
        np.testing.assert_allclose(lines.values.std(axis=1), 1, rtol=1e-5)
    flat = Lines.of((7 + 1e-7 * values).astype(np.float32))
    assert (flat.square == 0).all()
    assert (flat.values == 0).all()
