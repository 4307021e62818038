"""The contributor's promise: a file and an entry, as the guide pages have them, and the method runs from the command line."""

import json
import re
import sys
import types
from pathlib import Path

import anndata
import pytest

from cistron.cells.methods import METHODS as CELLS
from cistron.chromatin.methods import METHODS as CHROMATIN
from cistron.formats import read_gene_embedding
from cistron.formats.edges import read_edges
from cistron.methods import Method, Traits
from cistron.networks.methods import METHODS as NETWORKS
from cistron.omics.methods import METHODS as OMICS
from cistron.world import WorldSettings, write_world
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_binned
from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


@pytest.fixture
def added(monkeypatch):
    """``added(page, methods)``: the file of a guide page as a module, and its entry in the list."""

    def _added(page: str, methods) -> Method:
        file, entry, *_ = re.findall(r"```python\n(.*?)```", (GUIDE / page).read_text(), re.DOTALL)
        where = re.search(r'make="([\w.]+):', entry).group(1)
        module = types.ModuleType(where)
        monkeypatch.setitem(sys.modules, where, module)
        exec(compile(file, page, "exec"), module.__dict__)
        record = eval(entry, {**module.__dict__, "Method": Method, "Traits": Traits})
        monkeypatch.setitem(methods, record.name, record)
        return record

    return _added


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    world = write_world(tmp_path_factory.mktemp("world"), WorldSettings(genes=300, chromosomes=6))
    return world["matrix:tissues"]


def test_embedding_method(run, fails, added, matrix, tmp_path):
    added("adding_an_embedder.md", OMICS)
    options = ("omics", "embed", matrix, "--method", "nmf", "--dimensions", 3)
    code, text, errors = run(*options, "--nmf.passes", 150, "-o", tmp_path / "e.h5ad")
    assert code == 0, errors
    assert "passes" in text
    embedding = read_gene_embedding(tmp_path / "e.h5ad")
    assert embedding.n_vars == 3
    assert embedding.uns["cistron"]["method"] == "nmf"
    assert json.loads(embedding.uns["cistron"]["parameters"])["method"] == {"dimensions": 3, "passes": 150}
    config = tmp_path / "c.toml"
    config.write_text('[omics.embed]\nmethod = "nmf"\n[omics.embed.nmf]\ndimensions = 2\n')
    assert run("omics", "embed", matrix, "--config", config, "-o", tmp_path / "f.h5ad")[0] == 0
    assert read_gene_embedding(tmp_path / "f.h5ad").n_vars == 2
    message = fails(*options, "--nmf.passes", 0, "-o", tmp_path / "g.h5ad")
    assert message == "cistron: error: --nmf.passes must be 1 or more. Given: 0"
    assert "nmf\n  non-negative factors\n" in run("omics", "methods")[1]
    assert "--nmf.passes" in run("omics", "embed", "--method", "nmf", "--help")[1]


def test_embedding_method_with_a_search_space(run, added, monkeypatch, matrix, tmp_path):
    from dataclasses import replace

    from cistron.training import Choice

    record = added("adding_an_embedder.md", OMICS)
    space = types.ModuleType("toy_search")
    space.space = lambda smallest, largest, epochs: {
        "dimensions": Choice((2, 3)),
        "passes": Choice((50, 200)),
    }
    monkeypatch.setitem(sys.modules, "toy_search", space)
    monkeypatch.setitem(OMICS, "nmf", replace(record, traits=Traits(search="toy_search:space")))
    score = lambda embedding: float(embedding.n_vars)  # noqa: E731
    monkeypatch.setattr(
        "cistron.evaluation.gwas.choosing.score_to_choose_by", lambda traits, chromosomes: score
    )
    code, _, errors = run(
        "omics", "tune", matrix, "--method", "nmf", "--trials", 2, "--traits", matrix, "--nmf.passes", 200,
        "-o", tmp_path / "t",
    )  # fmt: skip
    assert code == 0, errors
    best = (tmp_path / "t" / "best.toml").read_text()
    assert "passes = 200" in best
    code, _, errors = run(
        "omics", "embed", matrix, "--config", tmp_path / "t" / "best.toml", "-o", tmp_path / "e.h5ad"
    )
    assert code == 0, errors


def test_network_method(run, added, tmp_path):
    added("adding_a_network_method.md", NETWORKS)
    settings = NetworkWorldSettings(genes=20, control_cells=100, cells_per_knockout=5, counts_per_gene=8)
    world = write_network_world(network_world(settings, seed=5), tmp_path / "world")
    code, text, errors = run(
        "networks",
        "infer",
        world["cells"],
        "--method",
        "rank",
        "--rank.most-cells",
        90,
        "-o",
        tmp_path / "e.tsv",
    )
    assert code == 0, errors
    assert "by rank" in text
    edges = read_edges(tmp_path / "e.tsv")
    assert (edges.method, edges.parameters["settings"]) == ("rank", {"most_cells": 90})


def test_cells_method(run, added, tmp_path):
    added("adding_a_cells_method.md", CELLS)
    world = cell_world(
        CellWorldSettings(
            genes=300, chromosomes=6, cells=200, cell_types=4, donors=4, counts_per_cell=3000.0
        ),
        seed=3,
    )
    files = write_cell_world(world, tmp_path / "world")
    code, text, errors = run(
        "cells", "train", files["cells"], "--embedding", files["embedding"], "--method", "shrunk-mean",
        "--shrunk-mean.shrinkage", 1, "-o", tmp_path / "model",
    )  # fmt: skip
    assert code == 0, errors
    assert "shrunk-mean of" in text
    assert (
        run("cells", "predict", tmp_path / "model", files["cells"], "--output", tmp_path / "p.h5ad")[0] == 0
    )
    predicted = anndata.read_h5ad(tmp_path / "p.h5ad")
    training = predicted[:, predicted.var["split"] == "train"].layers["predicted"]
    assert float(training.max() - training.min()) < 1e-5  # all shrunk to one mean


def test_chromatin_method(run, added, tmp_path):
    added("adding_a_chromatin_method.md", CHROMATIN)
    files = write_binned(
        chromatin_world(ChromatinWorldSettings(genes=132, cell_types=3), seed=7), tmp_path / "world"
    )
    data = tmp_path / "marks.zarr"
    code, _, errors = run(
        "chromatin", "build", "--binned", files["marks"], "--annotation", files["genes"],
        "--expression", files["expression"], "--transform", "logged", "-o", data,
    )  # fmt: skip
    assert code == 0, errors
    code, text, errors = run(
        "chromatin", "train", data, "--method", "thirds", "--thirds.bins", 4, "-o", tmp_path / "model"
    )
    assert code == 0, errors
    assert "thirds fitted on" in text
    assert json.loads((tmp_path / "model" / "settings.json").read_text())["settings"]["bins"] == 4
    assert run("chromatin", "predict", tmp_path / "model", data, "-o", tmp_path / "p.h5ad")[0] == 0
