"""Files as newcomers bring them: nothing is guessed in silence, and a message tells what to do."""

import asyncio
import subprocess
import sys
import threading

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import _end_zarr
from cistron.errors import InputError
from cistron.evaluation.gwas.traits import read_traits
from cistron.formats import read_gene_embedding
from cistron.formats.edges import read_edges
from cistron.omics import read_matrix

VALUES = np.random.default_rng(0).poisson(50, (20, 6)).astype(float)
SAMPLES = ["liver", "lung", "heart", "brain", "skin", "gut"]
SYMBOLS = [f"GENE{number}A" for number in range(20)]


def test_dates_that_occur_twice_are_not_called_one_gene(tmp_path, fails):
    """MARCH1 and MARC1 both became 1-Mar: to add them up would be wrong."""
    table = pd.DataFrame(VALUES, index=[*SYMBOLS[:18], "1-Mar", "1-Mar"], columns=SAMPLES)
    table.to_csv(tmp_path / "m.csv")
    said = fails("omics", "embed", tmp_path / "m.csv", "--dimensions", 2, "-o", tmp_path / "o.h5ad")
    assert "1-Mar look like dates or numbers that a spreadsheet made" in said
    assert "take the names from the original file" in said


@pytest.mark.parametrize("genes", [SYMBOLS, [f"ENSG{number:011d}" for number in range(20)]])
def test_columns_of_samples_are_no_genes(tmp_path, genes):
    table = pd.DataFrame(VALUES.T, index=SAMPLES, columns=genes)
    table.insert(0, "batch", [1, 2] * 3)
    table.insert(0, "Age", range(40, 46))
    table.to_csv(tmp_path / "m.csv")
    matrix = read_matrix(tmp_path / "m.csv", genes_in="columns")
    assert matrix.genes == genes
    np.testing.assert_array_equal(matrix.dense(), VALUES)
    assert "columns that tell of the samples and are no genes set aside: Age, batch" in matrix.remarks


def test_names_beside_ensembl_ids_are_named(tmp_path):
    genes = [*(f"ENSG{number:011d}" for number in range(19)), "tdTomato"]
    pd.DataFrame(VALUES, index=genes, columns=SAMPLES).to_csv(tmp_path / "m.csv")
    assert (
        "1 of 20 names are no Ensembl ids and were kept: tdTomato" in read_matrix(tmp_path / "m.csv").remarks
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [("mine.pkl", "is a pickle, which is never opened"), ("mine.npy", "holds no names of genes"), ("mine.xlsx", "workbook")],
)  # fmt: skip
def test_what_is_no_table_of_vectors_is_told_how_to_become_one(tmp_path, fails, name, told):
    (tmp_path / name).write_bytes(b"x")
    said = fails("embedding", "convert", tmp_path / name, tmp_path / "o.h5ad")
    assert told in said
    assert "to_csv" in said or "save its sheet" in said


def test_names_that_differ_by_capitals_are_told_so(tmp_path, fails):
    genes = [f"Gene{number}a" for number in range(60)]
    vectors = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), index=genes)
    vectors.to_csv(tmp_path / "mine.csv")
    places = pd.DataFrame({"gene": [name.upper() for name in genes], "chromosome": "1", "start": range(60)})
    places.to_csv(tmp_path / "genes.tsv", sep="\t", index=False)
    (tmp_path / "sets.gmt").write_text("one\t\t" + "\t".join(name.upper() for name in genes[:20]) + "\n")
    files = "--sets", tmp_path / "sets.gmt", "--annotation", tmp_path / "genes.tsv", "-o", tmp_path / "o"
    assert "names are alike but for capitals (Gene0a against GENE0A)" in fails(
        "evaluate", "genesets", tmp_path / "mine.csv", *files
    )


def test_a_mistyped_name_of_a_file_is_told_the_near_one(tmp_path, fails):
    (tmp_path / "expression.csv").write_text("x")
    absent = tmp_path / "expresion.csv"
    said = fails("embedding", "check", absent)
    assert said.endswith(f"{absent} does not exist; did you mean {tmp_path / 'expression.csv'}?")
    assert f"there is no folder {tmp_path / 'no'} (this is " in fails(
        "embedding", "check", tmp_path / "no/x.csv"
    )


def test_the_end_of_a_command_waits_for_zarr(monkeypatch):
    """A thread that needs longer than the fifth of a second for which zarr itself waits is at its end."""
    loop = asyncio.new_event_loop()
    loop.call_soon(lambda: __import__("time").sleep(0.4))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    monkeypatch.setitem(
        sys.modules, "zarr.core.sync", type("sync", (), {"loop": [loop], "iothread": [thread]})
    )
    _end_zarr()
    assert not thread.is_alive()
    loop.close()


def test_the_names_that_zarr_uses_are_those_that_are_waited_for():
    script = "import zarr, zarr.core.sync as s; zarr.create_array({}, data=__import__('numpy').ones(2)); assert s.loop[0].is_running(); "
    script += "assert s.iothread[0].is_alive()"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def _written(number, separator, thousands, point):
    text = f"{number:,.{0 if point is None else 2}f}"
    return text.translate(str.maketrans({",": thousands, ".": point or ""}))


@pytest.mark.parametrize(
    ("separator", "thousands", "point"),
    [
        ("\t", ",", "."),
        (";", ".", ","),
        (";", ".", None),
        ("\t", "\xa0", ","),
        (";", "'", "."),
        (",", ",", "."),
    ],
)
def test_separators_of_thousands_are_no_text_and_no_decimal_points(tmp_path, separator, thousands, point):
    """Spreadsheets of three countries: columns were set aside as text, or 12.345 was read as a number between 12 and 13."""
    values = np.random.default_rng(1).lognormal(8, 2, (20, 6))
    table = pd.DataFrame(values, index=SYMBOLS, columns=SAMPLES)
    table = table.map(lambda number: _written(number, separator, thousands, point))
    table.to_csv(tmp_path / "m.csv", sep=separator)
    with pytest.raises(InputError, match=r"line 2: liver of GENE0A .* separator"):
        read_matrix(tmp_path / "m.csv")


@pytest.mark.parametrize("digits", ["%.3f", None])
def test_three_digits_behind_the_point_are_no_thousands(tmp_path, digits):
    values = np.random.default_rng(1).uniform(1, 30, (200, 3)).round(3)
    table = pd.DataFrame(values, index=[f"GENE{number}A" for number in range(200)], columns=SAMPLES[:3])
    table.insert(0, "gut", np.arange(200))  # whole numbers of another column tell nothing
    table.to_csv(tmp_path / "m.tsv", sep="\t", float_format=digits)
    np.testing.assert_array_equal(read_matrix(tmp_path / "m.tsv").dense()[:, 1:], np.float32(values))


def test_sums_of_a_spreadsheet_over_the_samples_are_no_samples(tmp_path):
    table = pd.DataFrame(VALUES, index=SYMBOLS, columns=SAMPLES)
    table.assign(Mean=table.mean(axis=1), StDev=table.std(axis=1)).to_csv(tmp_path / "m.csv")
    matrix = read_matrix(tmp_path / "m.csv")
    assert matrix.samples == SAMPLES
    assert "columns that tell of the genes and are no samples set aside: Mean, StDev" in matrix.remarks


def test_results_of_differential_expression_are_no_matrix(tmp_path):
    columns = ["baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"]
    pd.DataFrame(VALUES, index=SYMBOLS, columns=columns).to_csv(tmp_path / "m.csv")
    with pytest.raises(InputError, match="results of a test of differential expression"):
        read_matrix(tmp_path / "m.csv")


def test_a_link_to_nothing_is_told_as_such(tmp_path, fails):
    (tmp_path / "m.csv").symlink_to("nowhere.csv")
    said = fails("omics", "embed", tmp_path / "m.csv", "--dimensions", 2, "-o", tmp_path / "o.h5ad")
    assert "m.csv does not exist; it is a link to nowhere.csv, which is not there" in said


OUT = pd.DataFrame(
    {"GENE": [f"GENE{number}A" for number in range(40)], "CHR": "1", "START": range(40), "STOP": range(9, 49)}
)
OUT = OUT.assign(NSNPS=3, NPARAM=2, N=100, ZSTAT=np.arange(40) / 9, P=0.5)


@pytest.mark.parametrize("name", ["LDL.csv", "LDL.genes.tsv", "LDL.parquet"])
def test_what_magma_wrote_is_one_trait_under_any_name(tmp_path, name):
    """It was read as a matrix whose traits are CHR, START, NPARAM and so on."""
    if name.endswith("parquet"):
        OUT.to_parquet(tmp_path / name)
    else:
        OUT.to_csv(tmp_path / name, sep="," if name.endswith("csv") else "\t", index=False)
    found = read_traits(tmp_path / name)
    assert found.traits == ["LDL"]
    assert dict(zip(found.genes, found.z_frame()["LDL"])) == dict(zip(OUT["GENE"], OUT["ZSTAT"]))


@pytest.mark.parametrize("name", ["gwas.tsv", "gwas.genes.out"])
def test_a_table_of_variants_is_told_what_makes_genes_of_it(tmp_path, name):
    table = pd.DataFrame(
        {"CHR": 1, "BP": range(9), "SNP": [f"rs{n}" for n in range(9)], "BETA": 0.1, "P": 0.5}
    )
    table.to_csv(tmp_path / name, sep="\t", index=False)
    with pytest.raises(InputError, match="table of variants, from which MAGMA's gene analysis makes"):
        read_traits(tmp_path / name)


def test_a_folder_without_traits_says_what_it_holds(tmp_path):
    OUT.to_csv(tmp_path / "LDL.csv")
    with pytest.raises(InputError, match=r"holds no .genes.out file \(it holds LDL.csv\)"):
        read_traits(tmp_path)


def test_all_that_is_missing_is_named_at_once(fails):
    assert "evaluate gwas needs --traits and --output;" in fails("evaluate", "gwas", "a.h5ad")
    assert "evaluate gwas needs --output;" in fails("evaluate", "gwas", "a.h5ad", "--traits=b")
    assert "cells train needs CELLS and --output;" in fails("cells", "train")
    assert "sequence weights needs OUTPUT;" in fails("sequence", "weights", "a")
    assert "--traits requires an argument" in fails("evaluate", "gwas", "a.h5ad", "--traits")


@pytest.mark.parametrize("sign", ["barcodes", "ensembl", "columns"])
def test_cells_are_no_genes(tmp_path, fails, sign):
    """An AnnData of cells became an embedding with a row per cell."""
    names = (
        [f"AAACCTGAGAAACC{letter}T-1" for letter in "ACGT"] + ["AAACCTGAGAAACCAG-1", "AAACCTGAGAAACCAC-1"]
        if sign == "barcodes"
        else SAMPLES
    )
    genes = [f"ENSG{number:011d}" for number in range(20)] if sign == "ensembl" else SYMBOLS
    told = pd.DataFrame({"Cell type": "T"} if sign == "columns" else {}, index=names)
    cells = anndata.AnnData(VALUES.T.astype(np.float32), told, pd.DataFrame(index=genes))
    cells.varm["X_gene"] = VALUES
    cells.write_h5ad(tmp_path / "cells.h5ad")
    words = ["embedding", "convert", tmp_path / "cells.h5ad", tmp_path / "o.h5ad", "--evidence", "expression"]
    said = fails(*words)
    assert f"its rows are cells or samples (like {names[0]}) and no genes" in said
    assert "--varm KEY (it has X_gene)" in said


def test_a_list_of_numbers_per_gene_is_a_vector(tmp_path, remarks):
    table = pd.DataFrame({"symbol": SYMBOLS, "n_cells": 5, "embedding": list(VALUES)})
    table.to_parquet(tmp_path / "m.parquet")
    np.testing.assert_array_equal(read_gene_embedding(tmp_path / "m.parquet").X, VALUES)
    assert "vectors are the lists in embedding; set aside: n_cells" in remarks()
    table["embedding"] = [*VALUES[:-1], VALUES[-1][:3]]
    table.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(InputError, match="lists in embedding are not all numbers, or not all of one length"):
        read_gene_embedding(tmp_path / "m.parquet")


def test_rows_of_a_network_that_are_left_out_are_said(tmp_path, remarks):
    rows = [("A", "B", 1), ("A", "B", 3), ("B", "B", 2), ("B", "A", 1)]
    pd.DataFrame(rows, columns=["TF", "target", "weight"]).to_csv(tmp_path / "n.csv", index=False)
    assert read_edges(tmp_path / "n.csv").table["weight"].tolist() == [3, 1]
    said = remarks()
    assert "n.csv: 1 rows name a pair once more; the strongest row of each pair is kept" in said
    assert "n.csv: 1 rows go from a gene to itself and are left out" in said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n", "is a Git LFS pointer and not the file itself; get it with"),
        ("/annex/objects/SHA256E-s1--aa.h5ad\n", "is a git-annex pointer"),
        ("\n<!DOCTYPE html><title>404</title>", "is a web page and not the file itself; download it again"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["mine.h5ad", "mine.parquet", "mine.safetensors"])
def test_what_lies_in_place_of_a_file_is_told(tmp_path, fails, content, told, name):
    """Files that are no text were told to be cut, which no second copy mends."""
    (tmp_path / name).write_text(content)
    words = ["sequence", "weights"] if name.endswith("safetensors") else ["embedding", "convert"]
    assert f"{name} {told}" in fails(*words, tmp_path / name, tmp_path / "out.h5ad")
