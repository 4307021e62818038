"""Reading matrices of every form, and refusing what cannot be used."""

import gzip
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cistron.formats import build_gene_embedding, write_gene_embedding
from cistron.omics import OmicsMatrix, read_matrix

GENES = [f"ENSG{number:011d}" for number in range(1, 41)]


def _frame(genes=GENES, samples=6, seed=0) -> pd.DataFrame:
    values = np.random.default_rng(seed).gamma(1.0, 40.0, (len(genes), samples)).astype(np.float32)
    return pd.DataFrame(values, index=pd.Index(genes, name="gene"), columns=[f"s{n}" for n in range(samples)])


def _write(frame: pd.DataFrame, path) -> None:
    kind = path.name.removesuffix(".gz").rsplit(".", 1)[-1]
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "h5ad":
        anndata.AnnData(frame).write_h5ad(path)
    elif kind == "zarr":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the writers speak of their own next formats
            anndata.AnnData(frame).write_zarr(path)
    else:
        frame.to_csv(path, sep="," if kind == "csv" else "\t")


@pytest.mark.parametrize("name", ["m.parquet", "m.tsv", "m.csv", "m.tsv.gz", "m.csv.gz", "m.h5ad", "m.zarr"])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_form_gives_the_same_matrix(tmp_path, name, transposed):
    frame = _frame()
    _write(frame.T if transposed else frame, tmp_path / name)
    matrix = read_matrix(tmp_path / name)
    assert matrix.genes == GENES
    assert matrix.samples == list(frame.columns)
    assert matrix.namespace == "ensembl"
    np.testing.assert_allclose(matrix.dense(), frame.to_numpy(), rtol=1e-6)
    assert any("transposed" in remark for remark in matrix.remarks) == transposed


def test_sparse_and_layers_are_read(tmp_path):
    frame = _frame()
    data = anndata.AnnData(sparse.csr_matrix(np.zeros(frame.shape, dtype=np.float32)))
    data.obs_names, data.var_names = GENES, list(frame.columns)
    data.layers["tpm"] = sparse.csr_matrix(frame.to_numpy())
    data.write_h5ad(tmp_path / "m.h5ad")
    np.testing.assert_allclose(
        read_matrix(tmp_path / "m.h5ad", layer="tpm").dense(), frame.to_numpy(), rtol=1e-6
    )
    assert not read_matrix(tmp_path / "m.h5ad").dense().any()


def test_blocks_cover_the_matrix_once(tmp_path):
    matrix = OmicsMatrix.from_frame(_frame())
    windows = [window for window, _ in matrix.blocks(rows=7)]
    assert [row for window in windows for row in range(window.start, window.stop)] == list(range(40))


def test_versions_are_cut_off_and_said(tmp_path):
    matrix = OmicsMatrix.from_frame(_frame([f"{gene}.3" for gene in GENES]))
    assert matrix.genes == GENES
    assert "versions were cut off the Ensembl ids" in matrix.remarks


def test_symbols_and_description_columns_are_understood():
    symbols = [f"GENE{number}A" for number in range(40)]
    frame = _frame(symbols)
    frame.insert(0, "Description", "a gene")
    matrix = OmicsMatrix.from_frame(frame)
    assert matrix.namespace == "symbol"
    assert len(matrix.samples) == 6
    assert "columns that are not numbers left out: Description" in matrix.remarks[0]


@pytest.mark.parametrize("names", ["g{}", "FBgn{:07d}", "b{:04d}", "{}"])
def test_cell_lines_are_not_taken_for_genes(names):
    """Names of cell lines look like gene symbols; ids of other species look like nothing known."""
    frame = _frame([names.format(number) for number in range(40)])
    frame.columns = ["A549", "HEK293", "U2OS", "K562", "MCF7", "HL60"]
    matrix = OmicsMatrix.from_frame(frame)
    assert matrix.shape == (40, 6)
    assert matrix.samples[0] == "A549"


def test_unknown_identifiers_are_remarked_and_known_ones_are_not():
    unknown = _frame([f"g {number}" for number in range(40)])
    unknown.columns = [f"sample {number}" for number in range(6)]
    assert any(
        "neither rows nor columns look like gene ids" in one
        for one in OmicsMatrix.from_frame(unknown).remarks
    )
    for genes in (GENES, [f"{number}" for number in range(1000, 1040)]):
        assert not any("neither rows" in one for one in OmicsMatrix.from_frame(_frame(genes)).remarks)


def test_tissues_in_capitals_are_not_taken_for_the_genes_of_a_mouse():
    """Capitals alone do not make a human symbol, and digits alone do not either: both together do."""
    frame = _frame(
        [f"Gnas{number}" for number in range(24)] + [f"Fos{letter}l" for letter in "abcdefghijklmnop"]
    )
    frame.columns = ["LIVER", "BRAIN", "HEART", "LUNG", "COLON", "SPLEEN"]
    matrix = OmicsMatrix.from_frame(frame.T)
    assert matrix.shape == (40, 6)
    assert matrix.samples[0] == "LIVER"


def test_the_axis_can_be_said(tmp_path):
    frame = _frame([f"g{number}" for number in range(40)]).T
    _write(frame, tmp_path / "m.tsv")
    assert read_matrix(tmp_path / "m.tsv", genes_in="columns").shape == (40, 6)
    assert read_matrix(tmp_path / "m.tsv", genes_in="rows").shape == (6, 40)


BAD = {
    "a stray word": (
        "m.tsv",
        lambda p: _write(_with_a_word(), p),
        " is 'high', not a number",
    ),
    "no header": ("m.tsv", lambda p: _frame().to_csv(p, sep="\t", header=False), "has no header"),
    "a row that is cut": ("m.csv", lambda p: p.write_text(_frame().to_csv()[:-30]), "the file is cut there"),
    "DepMap": (
        "m.csv",
        lambda p: (
            _frame([f"ACH-{n:06d}" for n in range(40)])
            .set_axis([f"G{n} ({n})" for n in range(6)], axis=1)
            .to_csv(p)
        ),
        "cistron omics prepare depmap",
    ),
    "an embedding": ("m.h5ad", lambda p: _embedding(p), "is a gene embedding already"),
    "text": (
        "m.tsv",
        lambda p: pd.DataFrame("high", index=GENES, columns=["a", "b"]).to_csv(p, sep="\t"),
        "hold text",
    ),
    "empty": ("m.tsv", lambda p: p.write_text(""), "is empty"),
    "only a header": ("m.tsv", lambda p: p.write_text("gene\ta\tb\n"), "no rows below its header"),
    "truncated gzip": ("m.tsv.gz", lambda p: p.write_bytes(_gzipped()[:200]), "cannot be read"),
    "truncated parquet": (
        "m.parquet",
        lambda p: _truncate(p, _frame().to_parquet),
        "not a readable Parquet file",
    ),
    "truncated h5ad": (
        "m.h5ad",
        lambda p: _truncate(p, anndata.AnnData(_frame()).write_h5ad),
        "not a readable AnnData",
    ),
    "doubled genes": ("m.tsv", lambda p: _write(_frame(GENES[:20] * 2), p), "20 genes occur more than once"),
    "doubled when versions go": (
        "m.tsv",
        lambda p: _write(_frame([f"{GENES[0]}.1", f"{GENES[0]}.2"]), p),
        "more than once",
    ),
    "one sample": ("m.tsv", lambda p: _write(_frame(samples=1), p), "at least 2 are needed"),
    "infinite": ("m.tsv", lambda p: _write(_frame().replace(_frame().iloc[3, 2], np.inf), p), "infinite"),
    "nothing measured": ("m.tsv", lambda p: _write(_frame() * np.nan, p), "at least 2 are needed"),
    "a sample without values": (
        "m.tsv",
        lambda p: _write(_frame().assign(s2=np.nan), p),
        "1 samples hold no value at all, for example s2",
    ),
    "constant": ("m.tsv", lambda p: _write(_frame() * 0 + 4, p), "no sample varies"),
    "absent": ("m.tsv", lambda p: None, "does not exist"),
    "unknown form": ("m.docx", lambda p: p.write_text("x"), "expected .h5ad"),
    "a workbook": ("m.xlsx", lambda p: p.write_text("x"), "save its sheet as CSV"),
}


def _with_a_word() -> pd.DataFrame:
    frame = _frame().astype(object)
    frame.iloc[3, 2] = "high"
    return frame


def _embedding(path) -> None:
    values = np.random.default_rng(0).normal(size=(40, 3))
    write_gene_embedding(build_gene_embedding(values, GENES, name="e", method="x", evidence="dna"), path)


def _gzipped() -> bytes:
    return gzip.compress(_frame().to_csv(sep="\t").encode())


def _truncate(path, write) -> None:
    write(path)
    path.write_bytes(path.read_bytes()[:-400])


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, fails, case):
    name, make, expected = BAD[case]
    make(tmp_path / name)
    output = tmp_path / "out" / "embedding.h5ad"
    message = fails("omics", "embed", tmp_path / name, "--dimensions", 2, "--output", output)
    assert expected in message
    assert not output.exists()
    assert not list((tmp_path / "out").glob("*"))


def test_more_dimensions_than_columns(tmp_path, fails):
    _write(_frame(), tmp_path / "m.tsv")
    message = fails("omics", "embed", tmp_path / "m.tsv", "--dimensions", 7, "--output", tmp_path / "e.h5ad")
    assert "has 6 samples and 40 genes; at most 6 are possible" in message


def test_log_of_negative_values_is_refused(tmp_path, fails):
    _write(_frame() - 50, tmp_path / "m.tsv")
    assert "negative" in fails(
        "omics", "embed", tmp_path / "m.tsv", "--log", "yes", "-o", tmp_path / "e.h5ad"
    )


def test_unwritable_output(tmp_path, fails):
    _write(_frame(), tmp_path / "m.tsv")
    (tmp_path / "file").write_text("")
    assert "cannot write" in fails("omics", "embed", tmp_path / "m.tsv", "-o", tmp_path / "file" / "e.h5ad")


def test_row_numbers_and_places_beside_the_genes(tmp_path):
    frame = _frame()
    written = frame.reset_index()
    for place, name in enumerate(("Chr", "Start", "End", "Strand", "Length"), 1):
        written.insert(place, name, ["chr1", 5, 9, "+", 4][place - 1])
    written.to_csv(tmp_path / "m.csv")  # as pandas writes it, with a number before each row
    matrix = read_matrix(tmp_path / "m.csv")
    assert matrix.genes == GENES
    assert matrix.samples == list(frame.columns)
    assert "rows are named by numbers: genes were taken from column gene" in matrix.remarks
    said = " ".join(matrix.remarks)
    assert all(name in said for name in ("Chr", "Start", "End", "Strand", "Length"))


def test_sums_below_the_genes_are_told(tmp_path):
    _write(_frame([*GENES, "__no_feature", "Total"]), tmp_path / "m.tsv")
    matrix = read_matrix(tmp_path / "m.tsv")
    assert matrix.genes == GENES
    assert "__no_feature, Total" in " ".join(matrix.remarks)
