"""Nearest neighbours of genes against scikit-learn."""

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import cosine_similarity

from cistron.evaluation.neighbours import nearest_neighbours


def test_neighbours_are_those_of_standardised_dimensions():
    """One dimension is a thousand times wider than the others and one does not vary: neither may decide alone."""
    values = np.random.default_rng(0).normal(size=(30, 4)) * [1000, 1, 1, 1] + [0, 5, 0, 0]
    values = np.column_stack([values, np.full(30, 7.0)])
    genes = pd.Index([f"g{number}" for number in range(30)])
    found = nearest_neighbours(values, genes, "e", number=3, rows_at_once=7)
    similarity = cosine_similarity((values[:, :4] - values[:, :4].mean(axis=0)) / values[:, :4].std(axis=0))
    np.fill_diagonal(similarity, -np.inf)
    order = np.argsort(-similarity, axis=1)[:, :3]
    assert found["neighbour"].tolist() == genes[order.ravel()].tolist()
    np.testing.assert_allclose(
        found["similarity"], np.take_along_axis(similarity, order, axis=1).ravel(), atol=1e-5
    )
    assert found["rank"].tolist() == [1, 2, 3] * 30


def test_neighbours_of_many_genes_are_searched_in_stripes():
    """With one neighbour and more than two stripes of 128 genes only the best stripe is searched."""
    values = np.random.default_rng(1).normal(size=(700, 3))
    found = nearest_neighbours(values, pd.RangeIndex(700), "e", number=1)
    similarity = cosine_similarity((values - values.mean(axis=0)) / values.std(axis=0))
    np.fill_diagonal(similarity, -np.inf)
    assert found["neighbour"].tolist() == similarity.argmax(axis=1).tolist()


def test_all_other_genes_are_neighbours_where_more_are_asked_for():
    genes = pd.RangeIndex(128)  # one full stripe
    found = nearest_neighbours(np.random.default_rng(3).normal(size=(128, 3)), genes, "e", number=200)
    for gene, rows in found.groupby("gene"):
        assert sorted([gene, *rows["neighbour"]]) == list(genes)
