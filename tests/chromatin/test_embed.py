"""The embedding of the trunk."""

import numpy as np

from cistron.chromatin.embed import embed_genes
from cistron.formats import check_gene_embedding


def test_the_embedding_knows_expression_and_ignores_the_order_of_cell_types(store, fitted):
    found = embed_genes(fitted, store, dimensions=10)
    assert check_gene_embedding(found) == []
    assert found.shape == (264, 10)
    assert found.uns["cistron"]["evidence"] == "chromatin+expression"
    variance = np.asarray(found.X).var(axis=0)
    assert (np.diff(variance) < 0.2 * variance[0]).all()
    test = (found.obs["split"] == "test").to_numpy()
    level = store.expression.mean(axis=1)
    design = np.column_stack([np.ones(len(level)), np.asarray(found.X)])
    weights = np.linalg.lstsq(design[~test], level[~test], rcond=None)[0]
    assert np.corrcoef(design[test] @ weights, level[test])[0, 1] > 0.6
