"""Embeddings to and from varm: rows keep their genes, genes without a vector are NaN there and absent here."""

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError, InputError
from cistron.formats import embedding_from_varm, embedding_to_varm, read_gene_embedding

IDS = [f"ENSG0000000000{number}" for number in range(5)]
VECTORS = np.array([[1, 2], [3, 4], [0, 0], [5, np.nan], [7, 8]], dtype=np.float32)


@pytest.fixture
def cells():
    var = pd.DataFrame(
        {"ensembl": [f"{name}.{place}" for place, name in enumerate(IDS)]}, index=list("ABCDE")
    )
    return anndata.AnnData(np.ones((3, 5), np.float32), var=var, varm={"vectors": VECTORS})


def test_there_and_back(cells):
    embedding = embedding_from_varm(cells, "vectors", evidence="expression", gene_column="ensembl")
    assert list(embedding.obs_names) == [f"{IDS[0]}.0", f"{IDS[1]}.1", f"{IDS[4]}.4"]
    np.testing.assert_array_equal(embedding.X, VECTORS[[0, 1, 4]])
    other = cells[:, ["E", "C", "A"]].copy()
    assert embedding_to_varm(embedding, other, gene_column="ensembl") == "vectors"
    np.testing.assert_array_equal(other.varm["vectors"], [[7, 8], [np.nan, np.nan], [1, 2]])
    assert embedding_to_varm(embedding, other, "ours", gene_column="ensembl") == "ours"


def test_names_of_dimensions_are_kept(cells):
    cells.varm["table"] = pd.DataFrame(VECTORS, index=cells.var_names, columns=["first", "second"])
    embedding = embedding_from_varm(cells, "table", evidence="dna", name="mine", licence="MIT")
    assert list(embedding.var_names) == ["first", "second"]
    assert embedding.uns["cistron"]["name"] == "mine"
    assert embedding.uns["cistron"]["licence"] == "MIT"


def test_what_cannot_be_taken_is_told(cells):
    with pytest.raises(InputError, match="varm has no 'X_gene'; it has vectors"):
        embedding_from_varm(cells, "X_gene", evidence="dna")
    with pytest.raises(InputError, match="var has no column 'symbol'; it has ensembl"):
        embedding_from_varm(cells, "vectors", evidence="dna", gene_column="symbol")
    cells.var["doubled"] = ["A", "A", "B", "C", "D"]
    with pytest.raises(IdentifierError, match=r"1 genes occur more than once, for example A"):
        embedding_from_varm(cells, "vectors", evidence="dna", gene_column="doubled")
    embedding = embedding_from_varm(cells, "vectors", evidence="dna")
    with pytest.raises(InputError, match=r"none of 5 genes .* is in the embedding"):
        embedding_to_varm(embedding, cells, gene_column="ensembl")


def test_on_the_command_line(cells, tmp_path, run, fails):
    cells.write_h5ad(tmp_path / "cells.h5ad")
    words = ["embedding", "convert", tmp_path / "cells.h5ad", tmp_path / "e.h5ad", "--varm", "vectors"]
    assert "--evidence" in fails(*words)
    code, text, _ = run(*words, "--evidence", "expression", "--gene-column", "ensembl")
    assert code == 0
    assert "3 genes x 2 dimensions" in text
    assert read_gene_embedding(tmp_path / "e.h5ad").uns["cistron"]["name"] == "vectors"
    plain = ["embedding", "convert", tmp_path / "e.h5ad", tmp_path / "e.tsv", "--gene-column", "ensembl"]
    assert "--gene-column goes with --varm" in fails(*plain)
