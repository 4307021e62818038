"""``cistron genes map``: identifiers change, loss is counted and never silent."""

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.formats import build_gene_embedding, read_gene_embedding, write_gene_embedding

HGNC = (
    "hgnc_id\tsymbol\talias_symbol\tprev_symbol\tentrez_id\tensembl_gene_id\n"
    'HGNC:1\tTP53\t"p53|LFS1"\t\t7157\tENSG00000141510\n'
    "HGNC:2\tSEPTIN1\t\tSEPT1\t1731\tENSG00000180096\n"
    "HGNC:3\tBRCA1\t\t\t672\tENSG00000012048\n"
)


@pytest.fixture
def table(tmp_path):
    """A gene table in the form of HGNC's complete set."""
    path = tmp_path / "hgnc.txt"
    path.write_text(HGNC)
    return path


def write_embedding(path, genes):
    write_gene_embedding(
        build_gene_embedding(
            np.arange(1.0, len(genes) + 1)[:, None], genes, name="toy", method="pca", evidence="dna"
        ),
        path,
    )


def test_an_embedding_keeps_its_header_and_its_old_names(tmp_path, table, run):
    write_embedding(tmp_path / "toy.h5ad", ["BRCA1", "SEPT1", "TP53"])
    code, output, _ = run(
        "genes",
        "map",
        tmp_path / "toy.h5ad",
        "--to",
        "ensembl",
        "--table",
        table,
        "-o",
        tmp_path / "out.h5ad",
    )
    assert code == 0
    assert "3 of 3 genes mapped, 0 lost (0.0%: 0 unknown, 0 collided)" in output
    mapped = read_gene_embedding(tmp_path / "out.h5ad")
    assert list(mapped.obs_names) == ["ENSG00000012048", "ENSG00000180096", "ENSG00000141510"]
    assert list(mapped.obs["original_gene"]) == ["BRCA1", "SEPT1", "TP53"]
    assert mapped.uns["cistron"]["identifier_namespace"] == "ensembl"
    assert mapped.uns["cistron"]["evidence"] == "dna"
    np.testing.assert_array_equal(mapped.X.ravel(), [1, 2, 3])


@pytest.mark.parametrize("form", ["tsv", "csv", "tsv.gz", "parquet"])
def test_a_table_with_versions(tmp_path, table, run, form):
    frame = pd.DataFrame(
        {"a": [1.5, 2.5]}, index=pd.Index(["ENSG00000141510.18", "ENSG00000012048.3"], name="gene")
    )
    frame.to_csv(tmp_path / "m.tsv", sep="\t")
    code, _, _ = run(
        "genes", "map", tmp_path / "m.tsv", "--to", "symbol", "--table", table, "-o", tmp_path / f"out.{form}"
    )
    assert code == 0
    if form == "parquet":
        back = pd.read_parquet(tmp_path / "out.parquet")
    else:
        back = pd.read_csv(tmp_path / f"out.{form}", sep="," if form == "csv" else "\t", index_col=0)
    assert list(back.index) == ["TP53", "BRCA1"]
    assert list(back["a"]) == [1.5, 2.5]


def test_a_list(tmp_path, table, run):
    (tmp_path / "genes.txt").write_text("p53\n\nSEPT1\n")
    code, _, _ = run(
        "genes", "map", tmp_path / "genes.txt", "--to", "entrez", "--table", table, "-o", tmp_path / "out.txt"
    )
    assert code == 0
    assert (tmp_path / "out.txt").read_text().split() == ["7157", "1731"]


def test_loss_is_an_error_unless_it_is_allowed(tmp_path, table, fails, run):
    (tmp_path / "genes.txt").write_text("TP53\nBRCA1\nNOSUCH1\n")
    arguments = (
        "genes",
        "map",
        tmp_path / "genes.txt",
        "--to",
        "entrez",
        "--table",
        table,
        "-o",
        tmp_path / "out.txt",
    )
    line = fails(*arguments)
    assert "2 of 3 genes mapped, 1 lost (33.3%: 1 unknown, 0 collided)" in line
    assert "add --allow-loss" in line
    assert not (tmp_path / "out.txt").exists()
    code, output, _ = run(*arguments, "--allow-loss")
    assert code == 0
    assert "1 lost" in output
    assert "lost are NOSUCH1" in output


def test_two_names_of_one_gene_collide_and_the_current_one_stays(tmp_path, table, run):
    (tmp_path / "m.tsv").write_text("gene\ta\np53\t1\nTP53\t2\n")
    code, output, _ = run(
        "genes",
        "map",
        tmp_path / "m.tsv",
        "--to",
        "ensembl",
        "--table",
        table,
        "-o",
        tmp_path / "out.tsv",
        "--allow-loss",
    )
    assert code == 0
    assert "1 collided" in output
    assert pd.read_csv(tmp_path / "out.tsv", sep="\t")["a"].tolist() == [2]


@pytest.mark.parametrize(
    ("content", "options", "complaint"),
    [
        ("", (), "is empty"),
        ("\n# a\n", (), "names no gene"),
        ("NOSUCH1\nNOSUCH2\n", ("--allow-loss",), "0 of 2 genes mapped"),
        ("7157\n672\n", (), "the ids are entrez already"),
        ("?\n!\n", (), "of no known namespace; give --from"),
        ("TP53\n", ("--from", "ensembl", "--allow-loss"), "0 of 1 genes mapped"),
    ],
)
def test_bad_lists(tmp_path, table, fails, content, options, complaint):
    (tmp_path / "genes.txt").write_text(content)
    line = fails(
        "genes",
        "map",
        tmp_path / "genes.txt",
        "--to",
        "entrez",
        "--table",
        table,
        "-o",
        tmp_path / "out.txt",
        *options,
    )
    assert complaint in line
    assert not (tmp_path / "out.txt").exists()


def test_bad_files_and_forms(tmp_path, table, fails):
    (tmp_path / "genes.txt").write_bytes(b"\xe9TP53")
    (tmp_path / "good.txt").write_text("TP53\n")
    write_embedding(tmp_path / "toy.h5ad", ["TP53", "BRCA1"])

    def complaint(source, destination, gene_table=table):
        return fails(
            "genes",
            "map",
            tmp_path / source,
            "--to",
            "ensembl",
            "--table",
            gene_table,
            "-o",
            tmp_path / destination,
        )

    assert "line 1: not UTF-8 text" in complaint("genes.txt", "out.txt")
    assert "does not exist" in complaint("absent.tsv", "out.tsv")
    assert ".h5ad maps to .h5ad" in complaint("toy.h5ad", "out.tsv")
    assert ".h5ad maps to .h5ad" in complaint("good.txt", "out.h5ad")
    assert "cannot write out.xlsx" in complaint("good.txt", "out.xlsx")
    assert "cistron data fetch hgnc_complete_set" in complaint("good.txt", "out.txt", tmp_path / "absent.txt")
    assert not list(tmp_path.glob("*out*"))


def test_an_anndata_without_header_is_mapped_too(tmp_path, table, run):
    anndata.AnnData(np.eye(2, dtype=np.float32), obs=pd.DataFrame(index=["TP53", "BRCA1"])).write_h5ad(
        tmp_path / "m.h5ad"
    )
    code, _, _ = run(
        "genes", "map", tmp_path / "m.h5ad", "--to", "entrez", "--table", table, "-o", tmp_path / "out.h5ad"
    )
    assert code == 0
    assert list(anndata.read_h5ad(tmp_path / "out.h5ad").obs_names) == ["7157", "672"]
