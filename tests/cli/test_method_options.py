"""Settings of methods on the command line: what was typed wins, what belongs to another method is an error."""

import json

import pytest

from cistron.cells.methods import METHODS as CELLS
from cistron.chromatin.methods import METHODS as CHROMATIN
from cistron.formats import read_gene_embedding
from cistron.networks.methods import METHODS as NETWORKS
from cistron.omics.methods import METHODS as OMICS
from cistron.sequence.methods import METHODS as SEQUENCE
from cistron.world import WorldSettings, write_world

LISTS = {"omics": OMICS, "networks": NETWORKS, "cells": CELLS, "chromatin": CHROMATIN, "sequence": SEQUENCE}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"), WorldSettings(genes=300, chromosomes=5))


@pytest.fixture
def settings_of(run, world, tmp_path):
    """``settings_of(*options)``: the settings in the header of an embedding made with these options."""

    def _settings(*options, matrices=1):
        paths = [world["matrix:tissues"], world["matrix:cell_lines"]][:matrices]
        out = tmp_path / "e.h5ad"
        code, _, errors = run("omics", "embed", *paths, "-o", out, "--threads", 1, "--overwrite", *options)
        assert code == 0, errors
        return json.loads(read_gene_embedding(out).uns["cistron"]["parameters"])["method"]

    return _settings


@pytest.mark.parametrize("weight", [1.0, 0.9])
def test_what_was_typed_wins_over_a_preset_even_if_it_is_the_class_default(settings_of, weight):
    options = ("--method", "vdtf", "--settings", "paper", "--dimensions", 2, "--vdtf.fit.epochs", 1)
    settings = settings_of(*options, "--vdtf.kl-weight", weight, "--vdtf.layers", 3)
    assert settings["kl_weight"] == weight
    assert (settings["gene_dimension"], settings["fit"]["epochs"], settings["layers"]) == (2, 1, 3)
    assert (settings["noise"], settings["fit"]["schedule"]) == ("none", "constant")  # the preset's


def test_several_matrices_have_a_preset_of_their_own(settings_of):
    options = ("--method", "vdtf", "--preset", "paper", "--dimensions", 2, "--vdtf.fit.epochs", 1)
    settings = settings_of(*options, "--vdtf.noise", "none", "--vdtf.tile-entries", 4096, matrices=2)
    assert (settings["noise"], settings["tile_entries"], settings["adversary_weight"]) == ("none", 4096, 1.0)


def test_a_file_gives_settings_and_the_command_line_wins(settings_of, fails, world, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        '[omics.embed]\nmethod = "pca"\ndimensions = 4\n[omics.embed.pca]\nscale = true\n'
        "[omics.embed.vdtf]\nlayers = 4\n[omics.embed.vdtf.fit]\nepochs = 2\n"
    )
    # settings of another method in a file are no error: a file may serve several methods
    assert settings_of("--config", config)["scale"] is True
    assert settings_of("--config", config, "--pca.no-scale")["scale"] is False
    # the typed --pca.dimensions wins over the file's dimensions, which is the same setting
    assert settings_of("--config", config, "--pca.dimensions", 3)["dimensions"] == 3
    config.write_text("[omics.embed.pca]\ndimensions = 4\n")
    assert settings_of("--config", config, "--dimensions", 3)["dimensions"] == 3
    config.write_text("[omics.embed]\ndimensions = 4\n[omics.embed.pca]\ndimensions = 5\n")
    tissues = world["matrix:tissues"]
    message = fails("omics", "embed", tissues, "-o", tmp_path / "f.h5ad", "--config", config)
    assert "are the same setting; give one of them" in message
    config.write_text("[omics.embed.vdtf]\nlayer = 4\n")
    message = fails("omics", "embed", tissues, "-o", tmp_path / "f.h5ad", "--config", config)
    assert "--vdtf.layers" in message


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--vdtf.fit.epochs", 3), "--vdtf.fit.epochs is a setting of method vdtf, not of pca"),
        (("--method", "vdtf", "--vdtf.fit.epoch", 3), "Did you mean --vdtf.fit.epochs?"),
        (("--method", "vdtf", "--vdtf.layers", 1), "--vdtf.layers must lie between 2 and 8"),
        (("--method", "vdtf", "--dimensions", 0), "--dimensions must be 1 or more"),
        (("--method", "vdtf", "--vdtf.fit.epochs", 0), "--vdtf.fit.epochs must be 1 or more"),
        (("--method", "vdtf", "--vdtf.fit.learning-rate", "nan"), "--vdtf.fit.learning-rate must be"),
        (("--method", "vdtf", "--dimensions", 2, "--vdtf.gene-dimension", 3), "are the same setting"),
        (("--method", "vdtf", "--scale-components"), "--scale-components is of method pca"),
        (("--settings", "published"), "has no settings 'published'; it has default, paper"),
        (("--method", "umap"), "umap"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_option(fails, world, tmp_path, options, says):
    out = tmp_path / "e.h5ad"
    assert says in fails("omics", "embed", world["matrix:tissues"], "-o", out, *options)
    assert not out.exists()


def test_help_shows_the_options_of_the_named_method_only(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    common = run("omics", "embed", "--help")[1]
    assert "--dimensions" in common
    assert "--method NAME --help" in " ".join(common.replace("│", " ").split())
    assert "--vdtf." not in common
    for command in (("embed",), ("tune",)):
        text = run("omics", *command, "--method", "vdtf", "--help")[1]
        assert "--vdtf.kl-weight" in text
        assert "--vdtf.fit.learning-rate" in text
        assert "0.0015" in text  # the default of this method, not of the class behind it
        assert "--autoencoder." not in text
    assert "--bilinear.factors" in run("cells", "train", "--method=bilinear", "--help")[1]
    assert "--network.members" in run("chromatin", "train", "--method", "network", "--help")[1]
    assert "--per-cell.members" in run("chromatin", "train", "--method", "per-cell", "--help")[1]
    assert "--catran.steps" in run("networks", "infer", "--method", "catran", "--help")[1]


@pytest.mark.parametrize("wing", LISTS)
def test_methods_are_listed_alike_in_every_wing(run, wing):
    code, text, errors = run(wing, "methods")
    assert code == 0, errors
    lines = text.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(LISTS[wing])
    for record in LISTS[wing].values():
        start = lines.index(record.name)
        assert lines[start + 1 : start + 5] == [
            f"  {record.summary}",
            f"  output: {record.meaning}",
            f"  from: {record.reference}",
            f"  settings: {', '.join(record.preset_names)}",
        ]


def test_tuning_keeps_what_was_given_and_searches_the_rest(run, world, tmp_path):
    code, _, errors = run(
        "omics", "tune", world["matrix:tissues"], "-o", tmp_path / "t", "--method", "autoencoder", "--trials", 1,
        "--epochs", 2, "--largest", 6, "--autoencoder.layers", 2, "--autoencoder.fit.schedule", "constant",
        "--threads", 1,
    )  # fmt: skip
    assert code == 0, errors
    assert "layers" not in (tmp_path / "t" / "trials.csv").read_text().splitlines()[0].split(",")
    best = (tmp_path / "t" / "best.toml").read_text()
    assert "layers = 2" in best
    out = tmp_path / "e.h5ad"
    config = tmp_path / "t" / "best.toml"
    assert run("omics", "embed", world["matrix:tissues"], "--config", config, "-o", out)[0] == 0
    settings = json.loads(read_gene_embedding(out).uns["cistron"]["parameters"])["method"]
    assert (settings["layers"], settings["fit"]["schedule"]) == (2, "constant")
