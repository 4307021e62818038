"""A design becomes base changes: fitted models search and judge, networks say what expression follows, the page shows both."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from cistron.chromatin.design_from_dna import binned_change, expression_after_edits
from cistron.chromatin.estimator import ExpressionPredictor
from cistron.chromatin.saving import save_chromatin_model
from cistron.chromatin.settings import BuildSettings, MarkRidgeSettings
from cistron.errors import InputError
from cistron.formats.designed_epigenome import EDIT_COLUMNS, read_designed_epigenome, write_designed_epigenome
from cistron.genome import Genome
from cistron.report import build_report
from cistron.sequence import save_weights
from cistron.sequence.design_edits import design_edits
from cistron.sequence.design_views import View, coarse
from cistron.sequence.settings_edits import BaseEditSettings
from cistron.world.variants import ACTIVATORS, BIN, planted_signal

BINS, SITE = 14, 4096


def stored(name):
    """Give a file of this folder with a trained model, as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


planted_model, planted_enhancer_model = stored("planted_model"), stored("planted_enhancer_model")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """DNA whose motif of blood lacks a letter; a design that wants its mark; two fitted sequence models; ridge from marks to expression."""
    folder = tmp_path_factory.mktemp("dna")
    random = np.random.default_rng(2)
    letters = list(np.array(list("ACGT"))[random.integers(0, 4, 2 * SITE)])
    motif = ACTIVATORS["blood"][0]
    letters[SITE + 70 : SITE + 80] = motif[:4] + "C" + motif[5:]
    (folder / "genome.fa").write_text(f">chr1\n{''.join(letters)}\n")
    original = np.full((1, 2, 1, BINS), np.log1p(0.5), np.float32)
    designed = original.copy()
    designed[0, 0, 0, 7] = np.log1p(6.5)
    rows = [
        ("g", cell, "target" if cell == "blood" else "held", 1.0, 1.0, 1.0, 1.0, 0.9, 0.9, 1.0, 1)
        for cell in ("blood", "liver")
    ]
    outcome = pd.DataFrame(
        rows,
        columns=[
            "gene",
            "cell_type",
            "role",
            "start",
            "wanted",
            "achieved",
            "judged",
            "share",
            "judged_share",
            "edit_size",
            "edited_blocks",
        ],
    )
    # ridge learns that the sum of the mark sets expression, in each cell type by itself
    values = random.gamma(2.0, 0.3, (66, 2, 1, BINS)).astype(np.float32)
    np.savez(
        folder / "m.npz",
        values=values,
        genes=[f"g{n}" for n in range(66)],
        cell_types=["blood", "liver"],
        marks=["DNASE"],
    )
    places = [f"g{n}\tchr{n % 22 + 1}\t{5000 * (n + 1)}\t+" for n in range(66)]
    (folder / "genes.tsv").write_text("gene\tchromosome\tposition\tstrand\n" + "\n".join(places) + "\n")
    levels = pd.DataFrame(
        np.expm1(values[:, :, 0].mean(axis=2)), index=[f"g{n}" for n in range(66)], columns=["blood", "liver"]
    )
    levels.to_csv(folder / "tpm.tsv", sep="\t", index_label="gene")
    from cistron.chromatin.build import build_gene_tracks

    store = build_gene_tracks(
        folder / "m.zarr",
        binned=folder / "m.npz",
        annotation=folder / "genes.tsv",
        expression=folder / "tpm.tsv",
        settings=BuildSettings(transform="logged", window=BINS * BIN, bin_size=BIN),
    )
    model = ExpressionPredictor(MarkRidgeSettings(bins=BINS), method="ridge", seed=0).fit(store)
    save_chromatin_model(model, folder / "ridge")
    change = float((designed - original)[0, 0].mean())
    outcome["wanted"] = np.where(outcome["role"] == "target", outcome["start"] + change, outcome["start"])
    write_designed_epigenome(
        folder / "design.zarr",
        designed,
        original,
        np.ones((2, 1), bool),
        sequences=pd.DataFrame(
            {
                "name": ["g"],
                "chromosome": ["chr1"],
                "start": [SITE - 7 * BIN],
                "end": [SITE + 7 * BIN],
                "strand": ["+"],
            }
        ),
        cell_types=["blood", "liver"],
        marks=["DNASE"],
        bin_size=BIN,
        outcome=outcome,
        edits=pd.DataFrame(columns=list(EDIT_COLUMNS)),
        name="design",
        genome_build="planted",
        parameters={},
    )
    (folder / "tracks.tsv").write_text(
        "cell_type\tmark\ttrack\nblood\tDNASE\tdnase_blood\nliver\tDNASE\tdnase_liver\n"
    )
    save_weights(planted_model.stored_model(), folder / "model", tracks=planted_model.TABLE)
    save_weights(
        planted_enhancer_model.stored_model(), folder / "second", tracks=planted_enhancer_model.TABLE
    )
    return folder, "".join(letters)


@pytest.fixture(scope="module")
def edited(world):
    folder, _ = world
    with Genome(folder / "genome.fa", build="planted") as genome:
        outcome = design_edits(
            folder / "design.zarr",
            folder / "model",
            genome,
            folder / "tracks.tsv",
            folder / "edits",
            settings=BaseEditSettings(maximum_edits=4, candidates=24),
            judge=folder / "second",
            expression=lambda design, tracks: expression_after_edits(folder / "ridge", design, tracks),
        )
    return folder / "edits", outcome.iloc[0]


def test_the_letter_is_found_and_every_fitted_judge_and_the_rules_agree(world, edited):
    folder, outcome = edited
    _, dna = world
    edits = pd.read_csv(folder / "edits.tsv", sep="\t")
    changed = list(dna)
    for row in edits.itertuples():
        assert changed[row.position] == row.reference
        changed[row.position] = row.edited
    gain = (planted_signal("".join(changed)) - planted_signal(dna)).sum(axis=0)
    assert gain.tolist() == [6.0, 3.0, 0.0, 0.0]
    assert len(edits) <= 2
    assert edits["from_start_site"].between(70, 80).any()
    assert outcome["share"] > 0.5
    assert outcome["judge_share"] > 0.4
    assert outcome["expression_share"] == pytest.approx(1.0, abs=0.4)
    levels = pd.read_parquet(folder / "expression.parquet").set_index("cell_type")
    assert levels.loc["blood", "edited"] > levels.loc["blood", "start"] + 0.05
    assert abs(levels.loc["liver", "edited"] - levels.loc["liver", "start"]) < 0.03


def test_the_page_shows_tracks_edits_and_judges(edited, tmp_path):
    folder, _ = edited
    page = build_report([folder], tmp_path / "report.html", figures=False).read_text(encoding="utf-8")
    for text in (
        "Base changes for designed marks: design",
        "Wanted and reached, by track",
        "Expression that follows",
        "Marks, second model",
        "chr1:4,",
    ):
        assert text in page
    tracks = pd.read_parquet(folder / "tracks.parquet")
    assert tracks["judge_after"].notna().all()
    blood = tracks[tracks["cell_type"] == "blood"]
    wish = (blood["wanted"] - blood["before"]).to_numpy()
    assert wish.argmax() == (blood["after"] - blood["before"]).to_numpy().argmax()


def test_changes_are_put_into_the_bins_of_the_design_in_the_direction_of_transcription(world):
    folder, _ = world
    design = read_designed_epigenome(folder / "design.zarr")
    start = SITE - 7 * BIN
    tracks = pd.DataFrame(
        {
            "gene": "g",
            "cell_type": "liver",
            "mark": "DNASE",
            "start": [start - 64, start + 192],
            "end": [start + 64, start + 320],
            "before": 1.0,
            "after": [2.0, 0.0],
        }
    )
    change = binned_change(design, tracks)
    np.testing.assert_allclose(change[0, 1, 0, :4], [0.5, -0.5, -0.5, 0.0])
    assert not change[0, 0].any()
    design.tracks.sequences.loc[0, "strand"] = "-"
    np.testing.assert_allclose(binned_change(design, tracks)[0, 1, 0, -4:], [0.0, -0.5, -0.5, 0.5])


def test_an_expression_model_of_other_windows_is_refused(world, tmp_path):
    folder, _ = world
    design = read_designed_epigenome(folder / "design.zarr")
    design.tracks.header["bin_size"] = 100
    with pytest.raises(
        InputError, match="the design has 14 bins of 100 bp, ridge was fitted on 14 of 128 bp"
    ):
        expression_after_edits(folder / "ridge", design, pd.DataFrame())


def test_a_wish_for_a_kilobase_is_reached_in_the_mean_and_not_bin_by_bin(world, tmp_path):
    folder, _ = world
    wide = tmp_path / "wide.zarr"
    shutil.copytree(folder / "design.zarr", wide)
    values = zarr.open_group(str(wide), mode="r+")["values"]
    values[0, 0, 0, 7:14] = np.log1p(0.5) + 1.6 / 7  # as much as one peak, spread over 7 bins
    shares = {}
    for resolution in (128, 896):
        with Genome(folder / "genome.fa", build="planted") as genome:
            found = design_edits(
                wide,
                folder / "model",
                genome,
                folder / "tracks.tsv",
                tmp_path / f"edits_{resolution}",
                settings=BaseEditSettings(
                    maximum_edits=2, candidates=16, resolution=resolution, least_gain=0.02
                ),
            )
        shares[resolution] = float(found["share"].iloc[0])
        # the tables have every bin either way
        assert len(pd.read_parquet(tmp_path / f"edits_{resolution}" / "tracks.parquet")) == 2 * 7
    assert shares[128] < 0.2
    assert shares[896] > 0.7


def test_a_judge_must_see_the_bins_of_the_design():
    whole = View(planted_model.new_model(), "human", np.array([0]), 1000, np.zeros(2048, np.uint8))
    assert (whole.first, whole.bins) == (1128, 14)
    assert whole.slice_of(1256, 1512) == slice(1, 3)
    for low, high in ((1000, 1256), (1128, 3048), (1130, 1258)):
        with pytest.raises(InputError, match="the judge predicts 14 bins of 128 bp from 1,128"):
            whole.slice_of(low, high)
    before = np.zeros(300, np.uint8)
    after = before.copy()
    after[[10, 250]] = 2  # the first lies in front of the window
    assert np.flatnonzero(whole.edited(900, before, after)).tolist() == [150]
    assert coarse(torch.arange(5.0)[None, None], 2).tolist() == [[[0.5, 2.5, 4.0]]]
