"""Every command that reads cells gives one answer, in whatever form the cells come."""

import gzip
import json
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from scipy import sparse

from cistron.cli import main
from cistron.formats import read_gene_embedding
from cistron.formats.edges import read_edges
from cistron.formats.prediction import read_prediction
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world
from cistron.world.networks import NetworkWorldSettings, network_world

SMALL = CellWorldSettings(genes=120, chromosomes=4, cells=150, cell_types=3, donors=3, counts_per_cell=2000.0)
TABLES = ("h5ad", "zarr", "h5mu", "by gene", "old names", "raw")  # forms with a table of cells
FORMS = (*TABLES, "h5", "folder")


def write_form(data, form, folder):
    """Write cells in a form; give the path and the options that read them back."""
    path = folder / f"cells.{form if form in ('h5ad', 'zarr', 'h5mu', 'h5') else 'h5ad'}"
    values = sparse.csr_matrix(data.X)
    if form in ("h5ad", "by gene"):
        data = data.copy()
        data.X = values if form == "h5ad" else values.tocsc()
        data.write_h5ad(path)
    elif form == "zarr":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anndata tells of its next default
            data.write_zarr(path)
    elif form == "old names":
        data = data.copy()
        data.var["ensembl"] = data.var_names
        data.var_names = [f"name {n}" for n in range(data.n_vars)]
        data.write_h5ad(path)
        return path, ("--gene-column", "ensembl")
    elif form == "raw":
        data = data.copy()
        data.raw = data
        data = data[:, : data.n_vars // 2].copy()
        data.X = data.X.astype(np.float32) * 0.37
        data.write_h5ad(path)
        return path, ("--layer", "raw")
    elif form == "h5mu":
        with h5py.File(path, "w") as file:
            anndata.io.write_elem(file, "obs", data.obs)
            anndata.io.write_elem(file, "mod/rna", data)
            anndata.io.write_elem(file, "mod/prot", data[:, :3].copy())
        return path, ("--modality", "rna")
    elif form == "h5":
        with h5py.File(path, "w") as file:
            group = file.create_group("matrix")
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(values, part)
            group["shape"], group["barcodes"] = values.shape[::-1], np.array(data.obs_names, dtype="S")
            group["features/id"] = group["features/name"] = np.array(data.var_names, dtype="S")
            group["features/feature_type"] = np.array(["Gene Expression"] * data.n_vars, dtype="S")
    else:
        path = folder / "filtered_feature_bc_matrix"
        path.mkdir()
        scipy.io.mmwrite(path / "matrix.mtx", sparse.coo_matrix(values.T))
        (path / "matrix.mtx.gz").write_bytes(gzip.compress((path / "matrix.mtx").read_bytes()))
        (path / "matrix.mtx").unlink()
        for name, ids in (("features", data.var_names), ("barcodes", data.obs_names)):
            (path / f"{name}.tsv.gz").write_bytes(gzip.compress("".join(f"{one}\n" for one in ids).encode()))
    return path, ()


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A planted world of cells and a model that was trained on them."""
    folder = tmp_path_factory.mktemp("cells")
    world = cell_world(SMALL, seed=3)
    files = write_cell_world(world, folder / "world")
    model = folder / "model"
    words = ("cells", "train", files["cells"], "--embedding", files["embedding"], "--cell-split", "none")
    assert main([*map(str, words), "--output", str(model), "--threads", "1", "--quiet"]) == 0
    expected = folder / "p.h5ad"
    words = ("cells", "predict", model, files["cells"], "--output", expected, "--threads", "1", "--quiet")
    assert main(list(map(str, words))) == 0
    return world.cells, files, model, read_prediction(expected).layers["predicted"]


@pytest.mark.parametrize("form", FORMS)
def test_cells_are_predicted_the_same(run, planted, tmp_path, form):
    data, _, model, expected = planted
    path, options = write_form(data, form, tmp_path)
    code, _, errors = run(
        "cells", "predict", model, path, *options, "-o", tmp_path / "p.h5ad", "--threads", 1
    )
    assert code == 0, errors
    np.testing.assert_allclose(read_prediction(tmp_path / "p.h5ad").layers["predicted"], expected, rtol=1e-4)


@pytest.mark.parametrize("form", ["folder", "h5mu", "old names"])
def test_cells_are_trained_on(run, planted, tmp_path, form):
    data, files, model, _ = planted
    path, options = write_form(data, form, tmp_path)
    code, _, errors = run(
        "cells", "train", path, *options, "--embedding", files["embedding"], "--split", model / "split.json",
        "-o", tmp_path / "model", "--threads", 1,
    )  # fmt: skip
    assert code == 0, errors
    assert run("cells", "embed", tmp_path / "model", "-o", tmp_path / "a.h5ad")[0] == 0
    assert run("cells", "embed", model, "-o", tmp_path / "b.h5ad")[0] == 0
    ours, theirs = (read_gene_embedding(tmp_path / name) for name in ("a.h5ad", "b.h5ad"))
    np.testing.assert_allclose(np.abs(ours.X), np.abs(theirs.X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", TABLES)
def test_networks_are_inferred_the_same(run, tmp_path, form):
    settings = NetworkWorldSettings(genes=12, control_cells=60, cells_per_knockout=12, counts_per_gene=8)
    data = network_world(settings, seed=5).cells
    path, options = write_form(data, form, tmp_path)
    plain, _ = (path, ()) if form == "h5ad" else write_form(data, "h5ad", tmp_path / "..")
    for name, words in (("a", (plain,)), ("b", (path, *options))):
        code, _, errors = run(
            "networks",
            "infer",
            *words,
            "--method",
            "mean-shift",
            "--edges",
            0,
            "-o",
            tmp_path / f"{name}.tsv",
        )
        assert code == 0, errors
    pd.testing.assert_frame_equal(*(read_edges(tmp_path / f"{name}.tsv").table for name in "ab"))
    code, _, errors = run("networks", "quality", path, *options)
    assert code == 0, errors
    if form != "h5mu":
        return  # scoring costs seconds and opens cells as the other two do
    code, _, errors = run(
        "evaluate", "edges", tmp_path / "b.tsv", "--cells", path, *options, "--no-report", "--resamples", 20,
        "--omission-draws", 20, "--null-repeats", 1, "-o", tmp_path / "scores",
    )  # fmt: skip
    assert code == 0, errors


@pytest.mark.parametrize("form", FORMS)
def test_matrices_are_embedded_and_prepared_the_same(run, planted, tmp_path, form):
    data, files, _, _ = planted
    path, options = write_form(data, form, tmp_path)
    vectors = []
    for name, words in (("a", (files["cells"],)), ("b", (path, *options))):
        out = tmp_path / f"{name}.h5ad"
        code, _, errors = run("omics", "embed", *words, "--dimensions", 3, "-o", out, "--threads", 1)
        assert code == 0, errors
        vectors.append(np.abs(read_gene_embedding(out).to_df()))
    np.testing.assert_allclose(vectors[1], vectors[0].loc[vectors[1].index], rtol=1e-3, atol=1e-4)
    if form in TABLES:
        code, _, errors = run(
            "omics",
            "prepare",
            "tabula-sapiens",
            path,
            *options,
            "--cell-type",
            "cell_type",
            "-o",
            tmp_path / "m.h5ad",
        )
        assert code == 0, errors
        made = anndata.read_h5ad(tmp_path / "m.h5ad")
        assert made.shape == (data.n_vars, 3)
        assert list(made.obs_names) == list(data.var_names)


def test_genes_left_out_are_said(run, planted, tmp_path):
    data = planted[0].copy()
    data.var["id"] = [None, *data.var_names[1:]]
    data.write_h5ad(tmp_path / "c.h5ad")
    words = ("--gene-column", "id", "-o", tmp_path / "m.h5ad")
    code, out, errors = run(
        "omics", "prepare", "tabula-sapiens", tmp_path / "c.h5ad", "--cell-type", "cell_type", *words
    )
    assert code == 0, errors
    assert "1 of 120 genes have no id in column 'id' and are left out, for example ENSG" in out
    steps = json.loads(anndata.read_h5ad(tmp_path / "m.h5ad").uns["cistron_matrix"]["steps"])
    assert "1 of 120 genes have no id" in steps[0]


@pytest.mark.parametrize("command", ["cells", "networks", "omics"])
def test_damage_and_wrong_options_are_one_line(fails, planted, tmp_path, command):
    data, _, model, _ = planted
    data = data.copy()
    data.obs["perturbation"] = ["non-targeting", data.var_names[0]] * (data.n_obs // 2)
    path, _ = write_form(data, "h5ad", tmp_path)
    words = {
        "cells": ("cells", "predict", model, path, "-o", tmp_path / "o.h5ad"),
        "networks": ("networks", "infer", path, "-o", tmp_path / "o.tsv"),
        "omics": ("omics", "embed", path, "-o", tmp_path / "o.h5ad"),
    }[command]
    assert "has no column 'symbol'" in fails(*words, "--gene-column", "symbol")
    assert "leave out --modality" in fails(*words, "--modality", "rna")
    assert "there is no layer 'spliced'" in fails(*words, "--layer", "spliced")
    with h5py.File(path, "r+") as file:
        file["X/indices"][3] = 10_000
    assert "outside its 120 columns; it is damaged" in fails(*words)
    path.write_bytes(path.read_bytes()[:3000])
    assert "it may be truncated" in fails(*words)
