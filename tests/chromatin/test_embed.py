"""The embedding of the trunk."""

import shutil
from pathlib import Path

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


def test_an_older_store_that_lost_values_is_refused(tmp_path, fails):
    """A store written before stores knew their files: zarr reads a lost chunk of marks as NaN."""
    artefacts = Path(__file__).parents[1] / "goldens" / "artefacts"
    shutil.copytree(artefacts / "marks.zarr", tmp_path / "marks.zarr")
    chunks = sorted(path for path in (tmp_path / "marks.zarr" / "values" / "c").rglob("*") if path.is_file())
    chunks[0].unlink()
    for command in (["predict"], ["embed", "--dimensions", 4]):
        words = [
            "chromatin",
            command[0],
            artefacts / "chromatin_network",
            tmp_path / "marks.zarr",
            *command[1:],
        ]
        assert "marked as measured" in fails(*words, "-o", tmp_path / f"{command[0]}.h5ad")
