"""On a planted world a trained model finds the causal variants and their direction; random weights find nothing, and it is said."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.formats.variant_scores import read_variant_scores
from cistron.genome import Genome, one_hot
from cistron.sequence import save_weights
from cistron.sequence.motifs import find_motifs, read_motifs
from cistron.sequence.random_model import write_random_model
from cistron.sequence.saturate import open_saturation_map, saturate_regions
from cistron.sequence.settings_variants import VariantSettings
from cistron.sequence.variant_summary import auroc
from cistron.sequence.variants import score_variants
from cistron.world.variants import (
    ACTIVATORS,
    REPRESSOR,
    planted_signal,
    planted_variants,
    write_planted_variants,
)

spec = importlib.util.spec_from_file_location("planted_model", Path(__file__).with_name("planted_model.py"))
planted_model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted_model)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Genome, VCF, trained and random model, motifs, and the world."""
    folder = tmp_path_factory.mktemp("planted")
    world = planted_variants(5, length=30_000, causal=30, neutral=60)
    write_planted_variants(world, folder)
    save_weights(planted_model.stored_model(), folder / "trained", tracks=planted_model.TABLE)
    write_random_model(folder / "random", planted_model.SETTINGS, 1)
    blocks = ["MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n"]
    for name, text in [
        *((name, motif) for name, (motif, _) in ACTIVATORS.items()),
        ("repressor", REPRESSOR[0]),
    ]:
        rows = "".join(
            " ".join("0.97" if letter == base else "0.01" for base in "ACGT") + "\n" for letter in text
        )
        blocks.append(
            f"MOTIF {name}\nletter-probability matrix: alength= 4 w= {len(text)} nsites= 20\n{rows}"
        )
    (folder / "motifs.meme").write_text("\n".join(blocks))
    return folder, world


def scored(folder, weights, output, **changes):
    with Genome(folder / "genome.fa", build="planted") as genome:
        return score_variants(
            folder / weights,
            genome,
            folder / "variants.vcf",
            output,
            settings=VariantSettings(shared_windows=512),
            threads=1,
            **changes,
        )


def test_a_trained_model_finds_causal_variants_and_their_direction(place, tmp_path):
    folder, world = place
    found = scored(folder, "trained", tmp_path / "s.parquet")
    causal = world.variants["causal"].to_numpy()
    magnitude = found.frame["magnitude"].to_numpy()
    assert auroc(magnitude[causal], magnitude[~causal]) > 0.98
    assert set(np.argsort(-magnitude)[:10]) <= set(np.flatnonzero(causal))  # causal ones first
    effect = world.variants.filter(like="effect_").to_numpy()
    predicted = read_variant_scores(tmp_path / "s.parquet").scores().to_numpy()
    strongest = np.arange(len(effect)), np.abs(effect).argmax(1)
    strong = np.abs(effect[strongest]) >= 2
    assert strong.sum() >= 10
    assert (np.sign(predicted[strongest][strong]) == np.sign(effect[strongest][strong])).mean() >= 0.95
    assert found.trained


def test_random_weights_find_nothing_and_the_report_says_so(place, tmp_path, capsys):
    folder, world = place
    words = f"sequence variants {folder}/variants.vcf --genome {folder}/genome.fa --build planted --shared-windows 512 --threads 1 --controls 60"
    code = main(
        [
            *words.split(),
            "--weights",
            str(folder / "random"),
            "--output",
            str(tmp_path / "s.parquet"),
            "--report-folder",
            str(tmp_path / "r"),
        ]
    )
    assert code == 0
    assert "the weights of this model are random" in capsys.readouterr().out
    table = pd.read_parquet(tmp_path / "r" / "variants.parquet")
    causal = world.variants["causal"].to_numpy()
    magnitude = table["magnitude"].to_numpy()
    assert 0.3 < auroc(magnitude[causal], magnitude[~causal]) < 0.7
    scores = pd.read_parquet(tmp_path / "r" / "scores.parquet").set_index("metric")
    row = scores.loc["auroc_against_random_substitutions"]
    assert row["low"] < 0.5 < row["high"]
    page = (tmp_path / "r" / "report.html").read_text()
    assert "the weights of this model are random: its scores mean nothing" in page
    assert "The interval holds 0.5" in page
    assert (tmp_path / "r" / "figures" / "variant_effects_places.png").exists()
    assert json.loads((tmp_path / "r" / "run.json").read_text())["results"]["trained"] is False


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(place, tmp_path, monkeypatch):
    folder, _ = place
    scored(folder, "trained", tmp_path / "whole.parquet", shard_size=16, controls=5)
    from cistron.sequence import variant_shards, variants

    calls = []

    def killed(path, **arguments):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        variant_shards.score_shard(path, **arguments)

    killed.__name__ = "score_shard"
    monkeypatch.setattr(variants, "score_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        scored(folder, "trained", tmp_path / "again.parquet", shard_size=16, controls=5)
    assert not (tmp_path / "again.parquet").exists()
    monkeypatch.undo()
    counted = []
    monkeypatch.setattr(
        variants,
        "score_shard",
        lambda path, **arguments: (counted.append(1), variant_shards.score_shard(path, **arguments)),
    )
    variants.score_shard.__name__ = "score_shard"
    scored(folder, "trained", tmp_path / "again.parquet", shard_size=16, controls=5)
    assert len(counted) == 6 - 2  # 95 changes in shards of 16, of which two were finished
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not list(tmp_path.glob(".*shards*"))


def test_a_map_equals_mutagenesis_by_hand_and_names_the_motif(place, tmp_path, capsys):
    pytest.importorskip("memelite", reason="the optional extra 'variants' is not installed")
    folder, world = place
    start = world.dna.find(ACTIVATORS["blood"][0], 2000) - 12
    (tmp_path / "r.bed").write_text(f"chr1\t{start}\t{start + 34}\tsite\n")
    words = f"sequence saturate --regions {tmp_path}/r.bed --genome {folder}/genome.fa --build planted --weights {folder}/trained --threads 1 --tracks blood"
    extra = f"--output {tmp_path}/map.zarr --report-folder {tmp_path}/r --motifs {folder}/motifs.meme"
    assert main(f"{words} {extra}".split()) == 0, capsys.readouterr().err
    found = open_saturation_map(tmp_path / "map.zarr")
    assert found.tracks == ["dnase_blood", "cage_blood"]
    model, effects = planted_model.stored_model(), found.effects(0)
    with Genome(folder / "genome.fa", build="planted") as genome:
        low = start + 17 - 1024
        codes = genome.codes("chr1", low, low + 2048)

        def sums(codes):
            with torch.inference_mode():
                return (
                    model(torch.from_numpy(one_hot(codes))[None], ["human"], {"human": [0, 1]})["human"][0]
                    .double()
                    .sum(0)
                    .numpy()
                )

        before = sums(codes)
        for offset in (0, 13, 16, 33):
            for letter in range(4):
                after = codes.copy()
                after[1024 - 17 + offset] = letter
                np.testing.assert_allclose(
                    effects[:, letter, offset], sums(after) - before, rtol=0, atol=1e-4 * before.max()
                )
    worth = found.contributions(0).mean(0)
    motif = np.zeros(34, bool)
    motif[12:22] = True
    assert worth[motif].min() > np.abs(worth[~motif]).max() / 2
    assert worth[motif].sum() > 0.8 * np.abs(worth).sum()
    hits = pd.read_parquet(tmp_path / "r" / "motifs.parquet")
    assert next(hits[["motif", "start", "end", "strand"]].itertuples(index=False, name=None)) == (
        "blood",
        12,
        22,
        "+",
    )
    page = (tmp_path / "r" / "report.html").read_text()
    assert "blood +" in page
    assert f"{start + 1:,}" in page  # the axis
    letter_rule = planted_signal(world.dna[: start + 12] + "T" + world.dna[start + 13 :]).sum(
        0
    ) - planted_signal(world.dna).sum(0)
    assert np.sign(effects[0, 3, 12]) == np.sign(letter_rule[0])


def test_maps_of_several_widths_and_of_n(place, tmp_path):
    folder, world = place
    (tmp_path / "g.fa").write_text(f">chr1\n{world.dna[:3000]}{'N' * 40}{world.dna[3040:6000]}\n")
    (tmp_path / "r.bed").write_text("chr1\t2990\t3010\tedge\nchr1\t3005\t3035\tgap\n")
    with Genome(tmp_path / "g.fa", build="planted") as genome:

        def run(**changes):
            return saturate_regions(
                folder / "trained",
                genome,
                tmp_path / "r.bed",
                tmp_path / "m.zarr",
                tracks=["0"],
                threads=1,
                **changes,
            )

        with pytest.raises(InputError, match="regions are 20 to 30 bp wide"):
            run()
        with pytest.raises(InputError, match="the model predicts the middle 1,792 bp"):
            run(span=2000)
        found = run(span=12, shard_size=7)
    assert found.reference == [world.dna[2994:3000] + "N" * 6, "N" * 12]
    assert np.abs(found.effects(0)[:, :, :6]).max() > 0
    assert np.abs(found.effects(0)[:, :, 6:]).max() == 0
    assert np.abs(found.effects(1)).max() == 0


def test_motif_files_that_are_none(place, tmp_path):
    pytest.importorskip("memelite", reason="the optional extra 'variants' is not installed")
    folder, _ = place
    (tmp_path / "a.meme").write_text(">MA0004.1\nA [ 4 19 0 ]\n")
    with pytest.raises(InputError, match="not in MEME format"):
        read_motifs(tmp_path / "a.meme")
    (tmp_path / "b.meme").write_text("MEME version 4\n\nALPHABET= ACGT\n")
    with pytest.raises(InputError, match="holds no motif"):
        read_motifs(tmp_path / "b.meme")
    cut = (folder / "motifs.meme").read_text().replace("w= 10", "w= 3")
    (tmp_path / "c.meme").write_text(cut.replace("0.97 0.01 0.01 0.01", "0.97 x 0.01 0.01", 1))
    with pytest.raises(InputError, match="damaged as a MEME file"):
        read_motifs(tmp_path / "c.meme")
    hits = find_motifs(
        ["ACGT"], np.zeros((1, 4)), read_motifs(folder / "motifs.meme")
    )  # longer than the region
    assert hits.empty


def test_worlds_are_what_they_say():
    world = planted_variants(2, length=20_000, causal=12, neutral=20)
    assert world.variants["causal"].sum() == 12
    assert (world.variants["ref"] == [world.dna[place - 1] for place in world.variants["position"]]).all()
    before = planted_signal(world.dna).sum(0)
    for row in world.variants.itertuples():
        after = planted_signal(world.dna[: row.position - 1] + row.alt + world.dna[row.position :]).sum(0)
        expected = [getattr(row, f"effect_{track}") for track in range(4)]
        np.testing.assert_allclose(after - before, expected, atol=2e-3)
        assert bool(np.abs(after - before).max() > 1e-2) == row.causal
    assert planted_variants(2, length=20_000, causal=12, neutral=20).dna == world.dna
    with pytest.raises(InputError, match="need 60 bp each"):
        planted_variants(2, length=1000)
