"""Tuning on the command line: it goes on, writes a configuration that embed reads, refuses another study."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.formats import read_gene_embedding
from cistron.omics import AutoencoderSettings, OmicsEmbedder, VdtfSettings, prepare_matrix, read_matrix
from cistron.omics.scaling import ScaledEntries, scaled_entries
from cistron.omics.tuning import first_trial, search_space, settings_of_trial
from cistron.world import WorldSettings, write_world

SMALL = ["--epochs", 4, "--largest", 10, "--threads", 1]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"), WorldSettings(genes=300, chromosomes=6))


def test_the_search_is_taken_up_and_its_best_is_a_configuration(tmp_path, run, world):
    tissues = world["matrix:tissues"]
    base = ["omics", "tune", tissues, "-o", tmp_path / "t", "--method", "autoencoder", *SMALL]
    code, _, errors = run(*base, "--trials", 2)
    assert code == 0, errors
    code, printed, errors = run(*base, "--trials", 4)
    assert code == 0, errors
    assert "4 trials finished" in printed
    trials = pd.read_csv(tmp_path / "t" / "trials.csv")
    assert len(trials) == 4
    assert trials["dimensions"].between(4, 10).all()
    first = trials.iloc[0]  # the defaults, as near as the space has them
    assert first[["dimensions", "epochs", "layers", "width", "batch_size"]].tolist() == [10, 4, 4, 128, 256]
    assert first[["learning_rate", "corruption"]].tolist() == [1e-3, 0.2]
    best = trials.loc[trials["value"].idxmax()]
    code, _, errors = run(
        "omics", "embed", tissues, "-o", tmp_path / "e.h5ad", "--config", tmp_path / "t" / "best.toml"
    )
    assert code == 0, errors
    embedding = read_gene_embedding(tmp_path / "e.h5ad")
    assert embedding.n_vars == best["dimensions"]
    assert embedding.uns["cistron"]["method"] == "autoencoder"
    assert f'"layers": {int(best["layers"])}' in embedding.uns["cistron"]["parameters"]


def test_a_score_of_the_command_line_can_be_the_objective(tmp_path, run, world):
    code, printed, errors = run(
        "omics", "tune", world["matrix:tissues"], "-o", tmp_path, "--trials", 2, *SMALL,
        "--traits", world["traits"], "--chromosomes", "even", "--method", "vdtf",
    )  # fmt: skip
    assert code == 0, errors
    assert "best GWAS traits, even chromosomes" in printed


def test_a_study_of_another_space_or_matrix_is_refused_in_one_line(tmp_path, run, fails, world):
    base = ["omics", "tune", world["matrix:tissues"], "-o", tmp_path, "--method", "autoencoder"]
    assert run(*base, *SMALL, "--trials", 1)[0] == 0
    message = fails(*base, "--epochs", 4, "--largest", 12, "--trials", 2)
    assert "its largest is 10, here 12" in message
    message = fails(
        "omics", "tune", world["matrix:cell_lines"], "-o", tmp_path, "--method", "autoencoder", *SMALL
    )
    assert "its inputs are others" in message
    two = ["omics", "tune", world["matrix:tissues"], world["matrix:cell_lines"], "-o", tmp_path / "two"]
    assert "takes one matrix" in fails(*two, "--method", "autoencoder")


def test_the_space_is_the_reports_and_more():
    space = search_space("vdtf", 62, 40)
    assert {"layers", "learning_rate", "tile_entries", "epochs", "dimensions"} <= space.keys()
    assert space["dimensions"].high == 62
    assert {"layers", "learning_rate", "batch_size", "epochs", "dimensions"} <= search_space(
        "autoencoder", 62, 40
    ).keys()
    with pytest.raises(InputError, match="nothing to tune"):
        search_space("pca", 62, 40)
    with pytest.raises(InputError, match="between 1 and 62"):
        search_space("vdtf", 62, 40, smallest=100)
    settings = settings_of_trial(
        AutoencoderSettings(), {"dimensions": 5, "epochs": 3, "learning_rate": 0.1, "layers": 6}
    )
    assert (settings.dimensions, settings.fit.epochs, settings.layers) == (5, 3, 6)


@pytest.mark.parametrize(
    ("method", "base"), [("autoencoder", AutoencoderSettings()), ("vdtf", VdtfSettings())]
)
def test_the_first_trial_is_the_default(method, base):
    trial = first_trial(base, search_space(method, 76, 60 if method == "vdtf" else 100))
    settings = settings_of_trial(base, trial)
    if method == "autoencoder":
        settings = replace(settings, width=base.width)  # 0 stands for the 128 that the trial names
    assert settings == base


@pytest.mark.parametrize("method", ["autoencoder", "vdtf"])
def test_the_printed_r2_is_of_entries_that_nothing_saw(tmp_path, run, world, method):
    """Entries of the test mask made absurd leave search and embedding as they are and spoil the test R2 alone."""
    code, printed, errors = run(
        "omics", "tune", world["matrix:tissues"], "-o", tmp_path / "t", "--method", method, *SMALL, "--trials", 1,
    )  # fmt: skip
    assert code == 0, errors
    assert "R2 of entries that no fit, stop or choice saw: " in printed
    matrix = read_matrix(world["matrix:tissues"])
    inner = ScaledEntries.with_test_entries

    def spoiled(own):
        values, mask = inner(own)
        return values + np.float32(50) * mask, mask

    found = []
    for kind in (inner, spoiled):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ScaledEntries, "with_test_entries", kind)
            embedder = OmicsEmbedder({"tested": 0.2, "fit.epochs": 2}, method=method, seed=3)
            found.append(embedder.embed(matrix, name="x"))
    facts = [json.loads(one.uns["cistron"]["parameters"]) for one in found]
    np.testing.assert_array_equal(found[0].X, found[1].X)
    assert facts[0]["held_out_r2"] == facts[1]["held_out_r2"]
    assert abs(facts[1]["test_r2"] - facts[0]["test_r2"]) > 0.02  # which way, two epochs do not tell


def test_scales_do_not_see_the_test_entries(world):
    prepared = prepare_matrix(read_matrix(world["matrix:tissues"]))
    part = scaled_entries(prepared, 0.05, 10_000, 1, 0.2)
    rows, columns, truth = part.test
    assert np.isnan(part.values[rows, columns]).all()
    assert not part.held_out[rows, columns].any()
    assert len(rows) == pytest.approx(0.2 * part.values.size, rel=0.1)
    values, mask = part.with_test_entries()
    assert np.isfinite(values).all()
    assert mask.sum() == len(rows)
    whole = scaled_entries(prepared, 0.05, 10_000, 1)
    assert np.corrcoef(whole.values[rows, columns], truth)[0, 1] > 0.999
