"""Every form of cells on disk gives what anndata and scanpy read into memory, block by block."""

import gzip
import warnings
from contextlib import closing

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cistron.errors import InputError
from cistron.formats import stored_matrix
from cistron.formats.anndata_rows import is_stored_cells, open_anndata
from cistron.formats.stored_matrix import open_matrix

CELLS, GENES = 23, 11


def counts(seed=0, cells=CELLS, genes=GENES):
    generator = np.random.default_rng(seed)
    values = generator.poisson(0.6, (cells, genes)).astype(np.float32)
    values[3] = 0  # a cell without counts
    values[:, 4] = 0  # a gene that is nowhere
    return values


def planted(form="csr"):
    make = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": np.array}[form]
    data = anndata.AnnData(
        make(counts()),
        obs=pd.DataFrame({"type": ["a", "b"] * 11 + ["a"]}, index=[f"c{n}" for n in range(CELLS)]),
        var=pd.DataFrame(
            {"ensembl": [f"ENSG{n:011d}" for n in range(GENES)]}, index=[f"GENE{n}" for n in range(GENES)]
        ),
    )
    data.raw = data.copy()
    data = data[:, 2:].copy()
    data.layers["logged"] = make(np.log1p(counts()[:, 2:]))
    return data


def written(data, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata and zarr announce what they will write one day
        (data.write_zarr if path.suffix == ".zarr" else data.write_h5ad)(path)
    return path


def dense(block):
    return block.toarray() if sparse.issparse(block) else np.asarray(block)


def by_rows(matrix, size):
    return np.vstack([dense(matrix.rows(start, start + size)) for start in range(0, matrix.shape[0], size)])


def by_columns(matrix, size):
    return np.vstack(
        [dense(matrix.columns(start, start + size)) for start in range(0, matrix.shape[1], size)]
    ).T


@pytest.fixture(scope="module", params=["csr", "csc", "dense"])
def stored(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return [written(planted(request.param), folder / f"m{suffix}") for suffix in (".h5ad", ".zarr")]


@pytest.mark.parametrize("number", [0, 1], ids=["h5ad", "zarr"])
@pytest.mark.parametrize(("layer", "start"), [(None, 2), ("logged", 2), ("raw", 0), ("X", 2)])
def test_anndata_of_every_storage_in_blocks(stored, monkeypatch, number, layer, start):
    monkeypatch.setattr(stored_matrix, "VALUES_AT_ONCE", 20)
    opened = open_anndata(stored[number], layer=layer)
    expected = np.log1p(counts()[:, 2:]) if layer == "logged" else counts()[:, start:]
    assert opened.layers == ("logged", "raw")
    assert list(opened.observations["type"]) == list(planted().obs["type"])
    assert list(opened.variables.index) == [f"GENE{n}" for n in range(start, GENES)]
    for size in (1, 5, 100):
        np.testing.assert_array_equal(by_rows(opened.matrix, size), expected)
        np.testing.assert_array_equal(by_columns(opened.matrix, size), expected)
    np.testing.assert_array_equal(np.vstack([dense(b) for _, _, b in opened.matrix.blocks(20)]), expected)
    np.testing.assert_array_equal(opened.matrix.in_memory().toarray(), expected)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(0, 12), columns=st.integers(1, 9), share=st.floats(0, 1), seed=st.integers(0, 99),
    form=st.sampled_from(["csr", "csc", "dense"]), values=st.integers(1, 30),
)  # fmt: skip
def test_blocks_cover_any_matrix_once(rows, columns, share, seed, form, values):
    whole = sparse.random(rows, columns, share, "csr", rng=np.random.default_rng(seed))
    matrix = open_matrix(whole.toarray() if form == "dense" else whole.asformat(form), "m")
    blocks = list(matrix.blocks(values))
    ends = [0, *(stop for _, stop, _ in blocks)]
    assert [start for start, _, _ in blocks] == ends[:-1]
    assert ends[-1] == rows
    got = np.vstack([np.empty((0, columns)), *(dense(block) for _, _, block in blocks)])
    np.testing.assert_array_equal(got, whole.toarray())
    kept = np.flatnonzero(np.random.default_rng(seed).random(columns) < 0.5)
    chosen = matrix.keep_columns(kept)
    np.testing.assert_array_equal(chosen.in_memory().toarray(), whole.toarray()[:, kept])
    if len(kept):
        np.testing.assert_array_equal(by_columns(chosen, 2), whole.toarray()[:, kept])


def test_a_large_matrix_is_sorted_in_a_temporary_file(monkeypatch):
    monkeypatch.setattr(stored_matrix, "_IN_MEMORY", 100)
    monkeypatch.setattr(stored_matrix, "VALUES_AT_ONCE", 7)
    matrix = open_matrix(sparse.csc_matrix(counts()), "m")
    np.testing.assert_array_equal(by_rows(matrix, 4), counts())
    assert isinstance(matrix._by_row.data, np.memmap)


def test_gene_ids_of_a_column(tmp_path):
    data = planted()
    data.var["ensembl"] = [*data.var["ensembl"][:-2], None, " "]
    opened = open_anndata(written(data, tmp_path / "m.h5ad"), gene_column="ensembl")
    assert list(opened.variables.index) == [f"ENSG{n:011d}" for n in range(2, GENES - 2)]
    np.testing.assert_array_equal(by_rows(opened.matrix, 7), counts()[:, 2:-2])
    assert opened.remarks == (
        "2 of 9 genes have no id in column 'ensembl' and are left out, for example GENE9",
    )
    with pytest.raises(InputError, match="var has no column 'symbol'; it has ensembl"):
        open_anndata(tmp_path / "m.h5ad", gene_column="symbol")


def test_one_modality_of_an_h5mu(tmp_path):
    path = tmp_path / "m.h5mu"
    rna, protein = planted(), planted("dense")[:, :3].copy()
    with h5py.File(path, "w") as file:
        common = pd.DataFrame(
            {"rna:depth": 1.0, "donor": [f"d{n % 3}" for n in range(CELLS)]}, index=rna.obs_names
        )
        anndata.io.write_elem(file, "obs", common.iloc[::-1])
        for name, data in (("rna", rna), ("prot", protein)):
            anndata.io.write_elem(file, f"mod/{name}", data)
    opened = open_anndata(path, modality="rna")
    np.testing.assert_array_equal(by_rows(opened.matrix, 9), counts()[:, 2:])
    assert list(opened.observations.columns) == ["type", "donor"]
    assert list(opened.observations["donor"]) == [f"d{n % 3}" for n in range(CELLS)]
    with closing(open_anndata(path, modality="prot")) as proteins:
        assert proteins.matrix.shape == (CELLS, 3)
    usual = open_anndata(path)
    assert usual.remarks == ("modality 'rna' of prot, rna is read",)
    np.testing.assert_array_equal(by_rows(usual.matrix, 9), counts()[:, 2:])
    with pytest.raises(InputError, match="holds the modalities prot, rna; name one with --modality"):
        open_anndata(path, modality="atac")
    opened.close()
    usual.close()
    with h5py.File(path, "r+") as file:
        file.move("mod/rna", "mod/atac")
    with pytest.raises(InputError, match="holds the modalities atac, prot; name one with --modality"):
        open_anndata(path)
    with pytest.raises(InputError, match="leave out --modality"):
        open_anndata(written(rna, tmp_path / "m.h5ad"), modality="rna")


def ranger_file(path, *, version=3, types=None):
    """A file as Cell Ranger writes it: features x cells, compressed by cell."""
    by_cell = sparse.csr_matrix(counts().astype(np.int32))
    ids = np.array([f"ENSG{n:011d}" for n in range(GENES)], dtype="S")
    symbols = np.array([f"GENE{n}" for n in range(GENES)], dtype="S")
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(by_cell, name)
        group["shape"] = np.array([GENES, CELLS], dtype=np.int32)
        group["barcodes"] = np.array([f"ACGT-{n}" for n in range(CELLS)], dtype="S")
        if version == 2:
            group["genes"], group["gene_names"] = ids, symbols
        else:
            group["features/id"], group["features/name"] = ids, symbols
            group["features/feature_type"] = np.array(types or ["Gene Expression"] * GENES, dtype="S")
            group["features/genome"] = np.array(["GRCh38"] * GENES, dtype="S")
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_the_h5_of_cell_ranger_as_scanpy_reads_it(tmp_path, version):
    scanpy = pytest.importorskip("scanpy")
    types = ["Gene Expression"] * 8 + ["Antibody Capture"] * 3
    path = ranger_file(tmp_path / "m.h5", version=version, types=types)
    expected = scanpy.read_10x_h5(path)
    opened = open_anndata(path)
    np.testing.assert_array_equal(by_rows(opened.matrix, 6), expected.X.toarray())
    assert list(opened.observations.index) == list(expected.obs_names)
    assert list(opened.variables.index) == list(expected.var["gene_ids"])
    assert list(opened.variables["gene_symbols"]) == list(expected.var_names)
    symbols = open_anndata(path, gene_column="gene_symbols")
    assert list(symbols.variables.index) == list(expected.var_names)
    if version == 3:
        assert opened.remarks == ("features left out: 3 of type Antibody Capture (--modality chooses)",)
        proteins = open_anndata(path, modality="antibody capture")
        np.testing.assert_array_equal(by_rows(proteins.matrix, 6), counts()[:, 8:])
        np.testing.assert_array_equal(
            by_rows(proteins.matrix.keep_columns(np.array([0, 2])), 6), counts()[:, [8, 10]]
        )
        with pytest.raises(InputError, match="no features of type Peaks; it has Gene Expression, Antibody"):
            open_anndata(path, modality="Peaks")


def ranger_folder(folder, *, packed=True, version=3, prefix="", types=None):
    folder.mkdir()
    write = (lambda name, text: (folder / f"{name}.gz").write_bytes(gzip.compress(text))) if packed else (
        lambda name, text: (folder / name).write_bytes(text)
    )  # fmt: skip
    scipy.io.mmwrite(folder / "m.mtx", sparse.coo_matrix(counts().T.astype(int)))
    write(f"{prefix}matrix.mtx", (folder / "m.mtx").read_bytes())
    (folder / "m.mtx").unlink()
    write(f"{prefix}barcodes.tsv", "".join(f"ACGT-{n}\n" for n in range(CELLS)).encode())
    kinds = types or ["Gene Expression"] * GENES
    rows = [(f"ENSG{n:011d}", f"GENE{n}", kinds[n]) for n in range(GENES)]
    lines = "".join("\t".join(row if version == 3 else row[:2]) + "\n" for row in rows)
    write(f"{prefix}{'features' if version == 3 else 'genes'}.tsv", lines.encode())
    return folder


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("version", "prefix"), [(3, ""), (3, "GSM1_"), (2, "")])
def test_folders_of_cell_ranger_as_scanpy_reads_them(tmp_path, packed, version, prefix):
    scanpy = pytest.importorskip("scanpy")
    types = ["Gene Expression"] * 8 + ["CRISPR Guide Capture"] * 3
    folder = ranger_folder(tmp_path / "m", packed=packed, version=version, prefix=prefix, types=types)
    assert is_stored_cells(folder)
    opened = open_anndata(folder)
    if packed == (version == 3):  # scanpy reads plain files of version 2 and packed ones of version 3 alone
        expected = scanpy.read_10x_mtx(folder, var_names="gene_ids", prefix=prefix or None)
        np.testing.assert_array_equal(by_rows(opened.matrix, 6), expected.X.toarray())
        assert list(opened.variables.index) == list(expected.var_names)
        assert list(opened.variables["gene_symbols"]) == list(expected.var["gene_symbols"])
        assert list(opened.observations.index) == list(expected.obs_names)
    np.testing.assert_array_equal(by_rows(opened.matrix, 50), counts()[:, : 8 if version == 3 else GENES])
    matrix = next(folder.glob("*matrix.mtx*"))
    assert is_stored_cells(matrix)
    assert open_anndata(matrix).matrix.shape == opened.matrix.shape


def test_a_folder_that_does_not_fit_itself(tmp_path):
    folder = ranger_folder(tmp_path / "m", packed=False)
    barcodes = (folder / "barcodes.tsv").read_text()
    (folder / "barcodes.tsv").write_text("".join(barcodes.splitlines(keepends=True)[:-2]))
    with pytest.raises(InputError, match=r"11 x 23 values, but there are 11 features .* and 21 barcodes"):
        open_anndata(folder)
    (folder / "barcodes.tsv").unlink()
    with pytest.raises(InputError, match=r"barcodes\.tsv is absent beside matrix\.mtx"):
        open_anndata(folder)
    (tmp_path / "outs" / "filtered").mkdir(parents=True)
    with pytest.raises(InputError, match="is a folder, but neither"):
        open_anndata(tmp_path / "outs")


def test_an_old_file_of_anndata_is_read(tmp_path):
    path = tmp_path / "old.h5ad"
    values = sparse.csr_matrix(counts())
    with h5py.File(path, "w") as file:  # before 0.7 the tables were arrays of records
        for axis, length in (("obs", CELLS), ("var", GENES)):
            rows = [(f"{axis}{n}".encode(), float(n)) for n in range(length)]
            file[axis] = np.array(rows, dtype=[("index", "S9"), ("n", "f8")])
        group = file.create_group("X")
        group.attrs["h5sparse_format"], group.attrs["h5sparse_shape"] = "csr", np.array(values.shape)
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(values, name)
    opened = open_anndata(path)
    assert list(opened.observations.index[:2]) == ["obs0", "obs1"]
    assert list(opened.variables["n"]) == list(range(GENES))
    np.testing.assert_array_equal(by_rows(opened.matrix, 8), counts())


def spoil(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


DAMAGE = {
    "no obs": lambda file: file.__delitem__("obs"),
    "no X": lambda file: file.__delitem__("X"),
    "no indices": lambda file: file["X"].__delitem__("indices"),
    "a pointer behind the end": lambda file: file["X/indptr"].__setitem__(-1, 10_000),
    "pointers that go back": lambda file: file["X/indptr"].__setitem__(5, 100),
    "a place outside": lambda file: file["X/indices"].__setitem__(2, 999),
    "a negative place": lambda file: file["X/indices"].__setitem__(2, -5),
    "another shape": lambda file: file["X"].attrs.__setitem__("shape", [CELLS, 5]),
    "fewer cells": lambda file: file["X"].attrs.__setitem__("shape", [5, GENES]),
    "X of text": lambda file: (file.__delitem__("X"), file.create_dataset("X", data=np.array([[b"a"]]))),
    "X of one axis": lambda file: (file.__delitem__("X"), file.create_dataset("X", data=np.ones(4))),
    "X without a kind": lambda file: file["X"].attrs.__delitem__("encoding-type"),
    "obs of another length": lambda file: anndata.io.write_elem(file, "obs", pd.DataFrame(index=["a", "b"])),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_line_that_names_the_file(tmp_path, case):
    path = written(planted(), tmp_path / "m.h5ad")
    spoil(path, DAMAGE[case])
    with pytest.raises(InputError, match=r"^m\.h5ad") as failure:
        open_anndata(path).matrix.in_memory()
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["m.h5ad", "m.h5", "mtx"])
def test_cut_files_are_one_line(tmp_path, name, share):
    if name == "mtx":
        path = ranger_folder(tmp_path / name)
        cut = path / "matrix.mtx.gz"
    else:
        cut = path = written(planted(), tmp_path / name) if name == "m.h5ad" else ranger_file(tmp_path / name)
    content = cut.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as failure:
        open_anndata(path)
    assert cut.name in str(failure.value)
    assert "\n" not in str(failure.value)


def test_what_is_no_anndata(tmp_path):
    packed = tmp_path / "m.h5ad"
    packed.write_bytes(gzip.compress(written(planted(), packed).read_bytes()))
    with pytest.raises(InputError, match="packed with gzip; unpack it first"):
        open_anndata(packed)
    del (plain := planted()).raw
    with pytest.raises(InputError, match="there is no layer 'raw'; it has logged"):
        open_anndata(written(plain, tmp_path / "m2.h5ad"), layer="raw")
    with pytest.raises(InputError, match=r"cells .*absent\.h5ad does not exist"):
        open_anndata(tmp_path / "absent.h5ad")
    (tmp_path / "text.h5ad").write_text("gene\tcell\n")
    with pytest.raises(InputError, match=r"text\.h5ad is not a readable AnnData"):
        open_anndata(tmp_path / "text.h5ad")


def chunks(folder):
    """Files of values of a zarr array: 0.1, or 1 in a folder."""
    return [one for one in folder.rglob("*") if one.is_file() and one.name.replace(".", "").isdigit()]


def test_a_dense_zarr_store_that_lost_all_is_refused(tmp_path):
    path = written(planted("dense"), tmp_path / "m.zarr")
    for chunk in chunks(path / "X"):
        chunk.unlink()
    with pytest.raises(InputError, match="all 1 chunks of /X are absent"):
        open_anndata(path)


@pytest.mark.parametrize("part", ["data", "indices"])
def test_a_zarr_store_that_lost_a_chunk_is_refused(tmp_path, part):
    path = written(planted(), tmp_path / "m.zarr")
    chunks(path / "X" / part)[0].unlink()
    with pytest.raises(InputError, match=rf"1 of \d+ chunks of /X/{part} are absent; copy it again"):
        open_anndata(path)
