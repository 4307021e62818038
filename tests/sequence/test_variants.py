"""Scores of variants equal two full passes of the model, however they are computed; the table, the shards, the screen."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from cistron.errors import InputError
from cistron.formats.variant_scores import LOG_RATIO, check_variant_scores, read_variant_scores
from cistron.genome import Genome, one_hot
from cistron.genome.alleles import reverse_complement_codes
from cistron.sequence import PRESETS, save_weights
from cistron.sequence.settings import InferenceSettings
from cistron.sequence.settings_variants import VariantSettings
from cistron.sequence.tower_gradients import input_gradients, tower_gradient
from cistron.sequence.tower_parts import (
    alternative_tower,
    bins_reached,
    changed_bins,
    convolve_bins,
    moved_bins,
    reach,
)
from cistron.sequence.variant_components import principal_components
from cistron.sequence.variants import score_variants

OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}
LENGTH = 2048
PAIRS = [1, 0, 2, 4, 3]


@pytest.fixture(scope="module")
def place(tmp_path_factory, model):
    """A model folder, a genome with N at its start and inside, and a VCF of every kind of change."""
    folder = tmp_path_factory.mktemp("variants")
    tracks = pd.DataFrame(
        {
            "organism": ["human"] * 5 + ["mouse"] * 3,
            "index": [*range(5), *range(3)],
            "identifier": ["a", "b", "again", "again", "e", "x", "y", "z"],
            "description": "CAGE:track",
            "strand_pair": [*PAIRS, 0, 1, 2],
        }
    )
    save_weights(model, folder / "model", tracks=tracks)
    letters = "".join(np.array(list("ACGT"))[np.random.default_rng(3).integers(0, 4, 9000)])
    dna = "N" * 50 + letters[50:4000] + "N" * 20 + letters[4020:]
    (folder / "g.fa").write_text(f">chr1\n{dna}\n")
    rows = [(p, dna[p - 1], OTHER[dna[p - 1]]) for p in (51, 300, 3999, 4022, 5120, 8999, 9000)]
    at = 6000
    rows += [
        (at, dna[at - 1], OTHER[dna[at - 1]] + f",{dna[at - 1]}GATT"),
        (6400, dna[6399:6403], "".join(OTHER[letter] for letter in dna[6399:6403])),
        (6500, dna[6499 : 6499 + 129], dna[6499]),
        (6900, dna[6899], dna[6899] + "ACGTACGT" * 16),
        (7000, dna[6999:7004], dna[6999]),
    ]
    lines = [f"1\t{p}\trs{p}\t{ref}\t{alt}\t.\t.\t." for p, ref, alt in sorted(rows)]
    (folder / "v.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "\n".join(lines) + "\n")
    return folder, dna


def by_two_passes(model, dna, row, start, settings, tracks):
    """Sums of the reference and the alternative by whole passes over strings that are made by hand."""
    position = row.position - 1
    haplotype = dna[:position] + row.alt + dna[position + len(row.ref) :]
    moved = len(row.alt) - len(row.ref)

    def sums(text, low, shift, reverse):
        low += shift
        cut = ("N" * max(0, -low) + text[max(0, low) : low + LENGTH]).ljust(LENGTH, "N")
        codes = np.array(["ACGTN".index(letter) for letter in cut], np.uint8)
        codes = reverse_complement_codes(codes) if reverse else codes
        chosen = np.array(PAIRS)[tracks] if reverse else np.array(tracks)
        with torch.inference_mode():
            found = model(
                torch.from_numpy(one_hot(codes))[None], ["human"], {"human": torch.from_numpy(chosen)}
            )["human"]
        return found[0].double().sum(0).numpy()

    passes = settings.inference.passes()
    reference = np.mean([sums(dna, start, *step) for step in passes], axis=0)
    lows = [start] if moved == 0 else [start, start + moved]
    return reference, np.mean([sums(haplotype, low, *step) for low in lows for step in passes], axis=0)


@pytest.mark.parametrize(
    "settings",
    [
        VariantSettings(length=LENGTH, log_ratio=True),
        VariantSettings(length=LENGTH, inference=InferenceSettings(batch_size=8)),
        VariantSettings(length=LENGTH, shared_windows=512, inference=InferenceSettings(batch_size=3)),
        VariantSettings(
            length=LENGTH,
            shared_windows=1000,
            log_ratio=True,
            inference=InferenceSettings(augment=True, shifts=(-2, 1)),
        ),
    ],
    ids=["own windows", "batches", "shared windows", "strands and shifts"],
)
def test_scores_equal_two_full_passes(place, model, tmp_path, settings):
    folder, dna = place
    tracks = [0, 1, 3]
    with Genome(folder / "g.fa", build="toy") as genome:
        score_variants(
            folder / "model",
            genome,
            folder / "v.vcf",
            tmp_path / "s.parquet",
            tracks=["0-1", "3"],
            settings=settings,
            shard_size=4,
            threads=1,
        )
    assert check_variant_scores(tmp_path / "s.parquet") == []
    found = read_variant_scores(tmp_path / "s.parquet")
    assert list(found.scores()) == ["a", "b", "again#3"]
    assert list(found.frame["position"]) == [
        51,
        300,
        3999,
        4022,
        5120,
        6000,
        6000,
        6400,
        6500,
        6900,
        7000,
        8999,
        9000,
    ]
    ratios = read_variant_scores(tmp_path / "s.parquet", [LOG_RATIO]).scores(LOG_RATIO)
    assert ratios.shape[1] == (3 if settings.log_ratio else 0)
    for number, row in enumerate(found.frame.itertuples()):
        start = settings.window_start(row.position - 1, LENGTH)
        before, after = by_two_passes(model, dna, row, start, settings, tracks)
        np.testing.assert_allclose(
            found.scores().to_numpy()[number], after - before, rtol=0, atol=2e-6 * before.max()
        )
        if settings.log_ratio:
            expected = np.log2((after + 1) / (before + 1))
            np.testing.assert_allclose(ratios.to_numpy()[number], expected, rtol=0, atol=5e-6)


def test_parts_of_the_tower_are_parts_of_a_whole_pass(model):
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, LENGTH).astype(np.uint8)
    codes[100:130] = 4
    assert reach(model) == 259
    with torch.inference_mode():
        encoded = torch.from_numpy(one_hot(codes))[None]
        whole = model.convolve(encoded)[0]
        for first, last in ((0, 1), (0, 16), (5, 9), (15, 16)):
            torch.testing.assert_close(
                convolve_bins(model, encoded, first, last)[0], whole[first:last], rtol=0, atol=1e-6
            )
        for change in (0, 100, 1023, 1024, LENGTH - 1):
            after = codes.copy()
            after[change] = (after[change] + 1) % 4
            other = torch.from_numpy(one_hot(after))[None]
            full = model.convolve(other)[0]
            differ = torch.nonzero((full - whole).abs().amax(1) > 1e-7).flatten().tolist()
            (run,) = changed_bins(model, codes, after)
            assert set(differ) <= set(range(*run))
            assert run[1] - run[0] <= 6
            torch.testing.assert_close(
                alternative_tower(model, whole, codes, after, other), full, rtol=0, atol=1e-6
            )


def test_bins_that_move_by_whole_bins_are_kept(model, monkeypatch):
    random = np.random.default_rng(1)
    longer = random.integers(0, 4, 2 * LENGTH + 500).astype(np.uint8)
    before = longer[: 2 * LENGTH]
    after = np.concatenate([before[:1000], random.integers(0, 4, 256).astype(np.uint8), longer[1000:]])[
        : 2 * LENGTH
    ]
    assert moved_bins(model, before, after, 256).sum() >= 3
    computed = []

    def counted(model, encoded, first, last):
        computed.append(last - first)
        return convolve_bins(model, encoded, first, last)

    monkeypatch.setattr("cistron.sequence.tower_parts.convolve_bins", counted)
    with torch.inference_mode():
        tower = model.convolve(torch.from_numpy(one_hot(before))[None])[0]
        encoded = torch.from_numpy(one_hot(after))[None]
        full = model.convolve(encoded)[0]
        torch.testing.assert_close(
            alternative_tower(model, tower, before, after, encoded, (256, -256)), full, rtol=0, atol=1e-6
        )
        kept = sum(computed)
        alternative_tower(model, tower, before, after, encoded)
    assert kept < sum(computed) - kept  # what was moved was not computed


def test_the_last_block_over_fewer_bins_changes_nothing(model):
    x = torch.randn(2, 20, model.settings.channels, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            model.read_out(x), model.crop_and_widen(model.transform(x)), rtol=0, atol=1e-6
        )
    torch.testing.assert_close(model.read_out(x), model.crop_and_widen(model.transform(x)), rtol=0, atol=1e-6)


def test_gradients_in_parts_are_those_of_a_whole_pass(model):
    codes = np.random.default_rng(2).integers(0, 4, LENGTH)
    encoded = torch.from_numpy(one_hot(codes))[None]
    tracks = torch.tensor([0, 2])
    whole = encoded.clone().requires_grad_()
    torch.log2(model(whole, ["human"], {"human": tracks})["human"][0].sum(0) + 1).mean().backward()
    with torch.no_grad():
        tower = model.convolve(encoded)[0]
    scores = [lambda predicted: torch.log2(predicted.sum(0) + 1).mean(), lambda predicted: predicted[3, 1]]
    gradients, predicted = tower_gradient(model, tower, "human", tracks, scores)
    assert predicted.shape == (8, 2)
    places = np.array([0, 700, 701, 2000])
    found, _ = input_gradients(model, encoded, gradients, bins_reached(model, places, LENGTH))
    expected = whole.grad[0, places]
    torch.testing.assert_close(found[places], expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


def test_a_screen_scores_what_it_chose_and_a_sample(place, tmp_path):
    folder, _ = place
    rows = [
        line
        for line in (folder / "v.vcf").read_text().splitlines()[1:]
        if len(line.split("\t")[3]) == len(line.split("\t")[4])
    ]
    (tmp_path / "v.vcf").write_text((folder / "v.vcf").read_text())
    with Genome(folder / "g.fa", build="toy") as genome:
        settings = VariantSettings(length=LENGTH, shared_windows=1024, screen=4)
        scored = score_variants(
            folder / "model", genome, tmp_path / "v.vcf", tmp_path / "s.parquet", settings=settings, threads=1
        )
    frame = read_variant_scores(tmp_path / "s.parquet").frame
    chosen, sample = (frame[frame["chosen"] == kind] for kind in ("screen", "sample"))
    assert len(chosen) == 4
    assert len(frame) == len(rows) + 1  # the SNV of the row with two alternatives; indels have no first order
    assert chosen["first_order"].abs().min() >= sample["first_order"].abs().max()
    assert scored.header["screen"]["sample"]["variants"] == len(sample)
    exact = scored.frame.set_index(["position", "alt"])["direction"]
    assert np.corrcoef(exact, frame["first_order"])[0, 1] > 0.5
    assert check_variant_scores(tmp_path / "s.parquet") == []


def test_wrong_uses_say_what_to_do(place, tmp_path):
    folder, _ = place
    with Genome(folder / "g.fa", build="toy") as genome:

        def run(output="s.parquet", **changes):
            score_variants(
                folder / "model",
                genome,
                folder / "v.vcf",
                tmp_path / output,
                settings=VariantSettings(length=LENGTH, **changes),
            )

        with pytest.raises(InputError, match="variant scores are written as"):
            run("s.tsv")
        with pytest.raises(InputError, match="at most that"):
            run(shared_windows=4000)
        with pytest.raises(InputError, match="ask for at most as many"):
            run(top_components=6)
        with pytest.raises(InputError, match="no rabbit tracks"):
            run(organism="rabbit")
    with pytest.raises(InputError, match="multiple of 128"):
        VariantSettings(length=1000).input_length(PRESETS["small"])


def test_components_are_those_of_a_decomposition():
    random = np.random.default_rng(0)
    values = (
        random.standard_normal((200, 3)) @ random.standard_normal((3, 12))
        + 0.1 * random.standard_normal((200, 12))
    ) * np.arange(1, 13)
    values[:, 5] = 0.25  # a track that never changes
    found = principal_components([values[:70], values[70:]], 2)
    scaled = (values - values.mean(0)) / np.where(values.std(0) > 0, values.std(0), 1)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.project(values)), np.abs(u[:, :2] * s[:2]), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.explained, s[:2] ** 2 / (s**2).sum(), rtol=1e-6)
    wide = random.standard_normal((40, 600))
    few, all_of = principal_components([wide], 3), principal_components([wide], 599)
    np.testing.assert_allclose(few.project(wide), all_of.project(wide)[:, :3], rtol=1e-3, atol=1e-3)


def test_the_checker_sees_what_is_broken(place, tmp_path):
    folder, _ = place
    with Genome(folder / "g.fa", build="toy") as genome:
        score_variants(
            folder / "model",
            genome,
            folder / "v.vcf",
            tmp_path / "s.parquet",
            tracks=["0"],
            settings=VariantSettings(length=LENGTH),
            threads=1,
        )
    table = pq.read_table(tmp_path / "s.parquet")
    header = json.loads(table.schema.metadata[b"cistron.header"])
    assert (header["length"], header["organism"], header["tracks"]["name"]) == (LENGTH, "human", ["a"])

    def problems(changed):
        pq.write_table(changed, tmp_path / "b.parquet")
        return " ".join(check_variant_scores(tmp_path / "b.parquet"))

    assert problems(table) == ""
    assert "'sad:a' holds double" in problems(
        table.cast(table.schema.set(5, table.schema.field(5).with_type(pa.float64())))
    )
    assert "no column sad:" in problems(table.drop_columns(["sad:a"]))
    assert "'position' is absent" in problems(table.drop_columns(["position"]))
    assert "occurs twice" in problems(pa.concat_tables([table, table.slice(0, 1)]))
    frame = table.to_pandas()
    for column, value, message in (
        ("ref", "x", "other letters"),
        ("position", 0, "counted from 1"),
        ("sad:a", np.nan, "missing"),
    ):
        broken = frame.copy()
        broken.loc[0, column] = value
        assert message in problems(pa.Table.from_pandas(broken, schema=table.schema, preserve_index=False))
    (tmp_path / "n.parquet").write_bytes((tmp_path / "s.parquet").read_bytes()[:300])
    with pytest.raises(InputError, match="no readable"):
        read_variant_scores(tmp_path / "n.parquet")
    frame[["id"]].to_parquet(tmp_path / "o.parquet")
    with pytest.raises(InputError, match="not of variant scores"):
        read_variant_scores(tmp_path / "o.parquet")
