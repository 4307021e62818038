"""Tables of embeddings as they are published: names of genes told apart, versions, counts, word2vec with tabs, no header."""

import numpy as np
import pytest

from cistron.errors import InputError
from cistron.formats import read_gene_embedding

VALUES = np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32)


@pytest.mark.parametrize("order", [("gene_id", "symbol"), ("symbol", "gene_id")])
def test_ids_and_symbols_are_told_apart(tmp_path, remarks, order):
    names = {"gene_id": ["ENSG00000000001.4", "ENSG00000000002.2"], "symbol": ["TP53", "EGFR"]}
    rows = [f"{names[order[0]][n]}\t{names[order[1]][n]}\t{VALUES[n, 0]}\t{VALUES[n, 1]}" for n in range(2)]
    path = tmp_path / "e.tsv"
    path.write_text("\n".join(["\t".join((*order, "d0", "d1")), *rows]) + "\n")
    found = read_gene_embedding(path, evidence="dna")
    assert list(found.obs_names) == ["ENSG00000000001", "ENSG00000000002"]
    assert list(found.var_names) == ["d0", "d1"]
    np.testing.assert_allclose(found.X, VALUES)
    said = remarks()
    assert "genes are named by gene_id; other names of them set aside: symbol" in said
    assert "versions were cut off" in said


@pytest.mark.parametrize("separators", [(" ", " "), ("\t", "\t"), (" ", "\t")])
def test_word2vec_with_blanks_or_tabs(tmp_path, separators):
    head, row = separators
    text = f"2{head}2\n" + "".join(
        f"{name}{row}{row.join(map(str, value))}\n" for name, value in zip(("TP53", "EGFR"), VALUES)
    )
    (tmp_path / "e.vec").write_text(text)
    found = read_gene_embedding(tmp_path / "e.vec", evidence="dna")
    assert list(found.obs_names) == ["TP53", "EGFR"]
    np.testing.assert_allclose(found.X, VALUES)


def test_counts_and_names_changed_by_a_spreadsheet_are_named(tmp_path, remarks):
    (tmp_path / "e.tsv").write_text("gene\td0\tn_cells\n1-Mar\t0.1\t100\nEGFR\t0.3\t52\nTP53\t0.2\t9\n")
    assert read_gene_embedding(tmp_path / "e.tsv", evidence="dna").n_vars == 2
    said = remarks()
    assert "n_cells count cells or reads and are kept as dimensions" in said
    assert "look changed by a spreadsheet" in said


def test_a_table_of_entrez_ids_without_a_header_keeps_its_first_gene(tmp_path, remarks):
    (tmp_path / "e.tsv").write_text("7157\t0.1\t0.2\n1956\t0.3\t0.4\n4609\t0.5\t0.6\n")
    found = read_gene_embedding(tmp_path / "e.tsv", evidence="dna")
    assert list(found.obs_names) == ["7157", "1956", "4609"]
    assert found.uns["cistron"]["identifier_namespace"] == "entrez"
    assert "has no header" in remarks()


def test_gene2vec_as_published_has_one_tab_and_blanks(tmp_path):
    path = tmp_path / "gene2vec_dim_3_iter_9.txt"
    path.write_text("TP53\t1 -2.5 3e-2 \nMYC\t4 5 6 \n")
    embedding = read_gene_embedding(path, evidence="expression")
    assert list(embedding.obs_names) == ["TP53", "MYC"]
    np.testing.assert_allclose(embedding.X, [[1, -2.5, 0.03], [4, 5, 6]], rtol=1e-6)
    path.write_text("gene\td0 d1\nTP53\t1 2\n")
    with pytest.raises(InputError):
        read_gene_embedding(path, evidence="expression")


def test_tokens_of_a_language_model_are_no_genes(tmp_path, remarks):
    path = tmp_path / "scgpt.csv"
    path.write_text("gene,0,1\n<pad>,0,0\n<cls>,1,1\nTP53,1,2\nMYC,3,4\n[MASK],5,5\nHLA-A,5,6\n")
    embedding = read_gene_embedding(path, evidence="expression")
    assert list(embedding.obs_names) == ["TP53", "MYC", "HLA-A"]
    assert "3 rows are tokens of a language model and no genes, left out: <pad>, <cls>, [MASK]" in remarks()


def test_geneformer_as_its_extractor_writes_it(tmp_path):
    path = tmp_path / "genes.csv"
    path.write_text(",0,1,2\nENSG00000141510,1,2,3\nENSG00000136997,4,5,6\n")
    embedding = read_gene_embedding(path, evidence="expression")
    assert embedding.shape == (2, 3)
    assert embedding.uns["cistron"]["identifier_namespace"] == "ensembl"
