"""``cistron sequence predict``: end to end on the planted genome, resumed, augmented, and with bad input."""

import shutil

import numpy as np
import pybigtools
import pytest
import torch

from cistron.formats.tracks import check_tracks, open_tracks
from cistron.genome import Genome, one_hot
from cistron.runtime import limit_threads
from cistron.sequence import PRESETS, load_weights, predict, save_weights
from cistron.sequence.inference import predict_windows
from cistron.sequence.inputs_tracks import cage_tracks, choose_tracks, load_track_table
from cistron.sequence.random_model import random_model
from cistron.sequence.settings import InferenceSettings
from cistron.world.sequence import planted_genome, write_planted_genome


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Planted genome, its regions and a small random model in a folder."""
    folder = tmp_path_factory.mktemp("world")
    write_planted_genome(planted_genome(), folder)
    model, tracks = random_model(PRESETS["small"], seed=1)
    save_weights(model, folder / "model", tracks=tracks, origin={"weights": "random"})
    (folder / "regions.bed").write_text(
        "chr1\t1000\t1100\tleft\n1\t30000\t30001\tmiddle\nchr2\t44900\t45000\tright\n"
    )
    return folder


def _arguments(world, output, *more):
    return (
        *("sequence", "predict", "--genome", world / "genome.fa", "--regions", world / "regions.bed"),
        *("--weights", world / "model", "--output", output, "--build", "planted", *more),
    )


@pytest.fixture(scope="module")
def predicted(world):
    """The store of a plain run."""
    from cistron.cli import main

    output = world / "plain.zarr"
    assert main([str(word) for word in _arguments(world, output, "--organism", "both", "--quiet")]) == 0
    return open_tracks(output)


def test_values_are_those_of_the_model(world, predicted):
    assert check_tracks(world / "plain.zarr") == []
    assert predicted.values.shape == (3, 1, 12, 96)
    assert predicted.header["genome_build"] == "planted"
    assert predicted.sequences["chromosome"].tolist() == ["chr1", "chr1", "chr2"]
    start = 30_000 - 8192
    assert predicted.sequences.loc[1, "start"] == start + 16 * 128
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    window = torch.from_numpy(genome.window("chr1", start, start + 16_384))[None]
    # As many threads as the command had: another number sums in another order.
    with limit_threads(None), torch.no_grad():
        expected = model(window)
    found = np.asarray(predicted.values[1, 0])
    assert np.abs(found[:8] - expected["human"][0].numpy().T).max() < 1e-6
    assert np.abs(found[8:] - expected["mouse"][0].numpy().T).max() < 1e-6


def test_tracks_batches_and_precision(run, world, predicted, tmp_path):
    whole = np.asarray(predicted.values[:])
    code, output, errors = run(
        *_arguments(world, tmp_path / "t.zarr", "--tracks", "CAGE:", "0-1", "--batch-size", 2, "--threads", 1)
    )
    assert code == 0, errors
    assert "3 regions x 6 tracks x 96 bins" in output
    part = open_tracks(tmp_path / "t.zarr")
    assert part.tracks["index"].tolist() == [0, 1, 4, 5, 6, 7]
    assert np.abs(np.asarray(part.values[:]) - whole[:, :, [0, 1, 4, 5, 6, 7]]).max() < 1e-5
    code, _, errors = run(*_arguments(world, tmp_path / "b.zarr", "--precision", "bf16"))
    assert code == 0, errors
    rounded = np.asarray(open_tracks(tmp_path / "b.zarr").values[:])
    assert np.corrcoef(rounded.ravel(), whole[:, :, :8].ravel())[0, 1] > 0.99


def test_an_interrupted_run_goes_on(run, world, predicted, tmp_path, monkeypatch):
    seen = []
    original = predict.predict_windows

    def interrupted(model, genome, places, *rest):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(places)
        return original(model, genome, places, *rest)

    monkeypatch.setattr(predict, "predict_windows", interrupted)
    arguments = _arguments(world, tmp_path / "t.zarr", "--organism", "both")
    code, _, errors = run(*arguments)
    assert code == 130
    assert "run the same command again" in errors
    assert not (tmp_path / "t.zarr").exists()
    seen.clear()
    monkeypatch.setattr(predict, "predict_windows", lambda *words: seen.append(words[2]) or original(*words))
    assert run(*arguments)[0] == 0
    assert [place[0][0] for place in seen] == ["chr2"]
    assert (np.asarray(open_tracks(tmp_path / "t.zarr").values[:]) == np.asarray(predicted.values[:])).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.zarr", "t.zarr.run.json"]


def test_augmented_predictions_are_the_mean_of_all_passes(run, world, tmp_path):
    code, _, errors = run(*_arguments(world, tmp_path / "a.zarr", "--augment", "--shifts", -1, 2))
    assert code == 0, errors
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    start = 30_000 - 8192
    passes = []
    with torch.no_grad():
        for shift in (-1, 2):
            dna = torch.from_numpy(one_hot(genome.codes("chr1", start + shift, start + shift + 16_384)))[None]
            passes += [model(dna)["human"], model(dna.flip(1, 2))["human"].flip(1)]
    expected = torch.stack(passes).mean(0)[0].numpy().T
    found = np.asarray(open_tracks(tmp_path / "a.zarr").values[1, 0])
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(found - passes[0][0].numpy().T).max() > 1e-3


def test_strand_pairs_are_swapped_on_the_reverse_strand(world):
    """With forward and reverse tracks paired, the augmented track 0 takes the other strand's from track 1."""
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    place = [("chr1", 20_000, 20_000 + 16_384)]
    settings = InferenceSettings(augment=True, shifts=(0,))
    pairs = {"human": np.array([1, 0, *range(2, 8)])}
    found = predict_windows(model, genome, place, {"human": np.array([0, 1])}, settings, pairs)["human"]
    dna = torch.from_numpy(genome.window(*place[0]))[None]
    with torch.no_grad():
        forward, backward = model(dna)["human"], model(dna.flip(1, 2))["human"].flip(1)
    expected = (forward[..., [0, 1]] + backward[..., [1, 0]]) / 2
    assert np.abs(found - expected.numpy()).max() < 1e-6


def test_bigwigs_are_written(run, world, predicted, tmp_path):
    arguments = _arguments(world, tmp_path / "t.zarr", "--tracks", "human_6", "--bigwig", tmp_path / "bw")
    code, output, errors = run(*arguments)
    assert code == 0, errors
    assert "wrote 1 bigWig" in output
    handle = pybigtools.open(str(tmp_path / "bw/human_6.bw"))
    start = int(predicted.sequences.loc[2, "start"])
    # the last window lies alone on chr2 and reaches beyond its end
    (first,) = handle.records("chr2", start, start + 128)
    assert first[2] == pytest.approx(float(predicted.values[2, 0, 6, 0]), rel=1e-6)
    assert list(handle.records("chr2"))[-1][1] == 45_000


def test_choosing_tracks(world):
    table = load_track_table(world / "model", PRESETS["small"].tracks)
    assert choose_tracks(table, "human", ["human_2", "random track 7", "0-1"]).tolist() == [0, 1, 2, 7]
    assert cage_tracks(table, "mouse").tolist() == [2, 3]


def test_published_cage_tracks(test_data, tmp_path):
    """Without a table the published order is known; it is that of the published table."""
    from cistron.sequence import EnformerSettings
    from cistron.sequence.inputs_tracks import read_track_table

    folder = test_data / "sequence/basenji_cross2020_enformer"
    paths = {name: folder / f"targets_{name}.txt.gz" for name in ("human", "mouse")}
    tracks = EnformerSettings().tracks
    table, nameless = read_track_table(paths, tracks), load_track_table(tmp_path, tracks)
    for organism, number in (("human", 638), ("mouse", 357)):
        assert len(cage_tracks(table, organism)) == number
        assert (cage_tracks(table, organism) == cage_tracks(nameless, organism)).all()
    assert len(choose_tracks(table, "human", ["K562"])) > 50


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--tracks", "9"), "numbered 0 to 7"),
        (("--tracks", "K562"), "no human track is called or described 'K562'"),
        (("--length", "16100"), "multiple of 128"),
        (("--length", "4096"), "2 x 16"),
        (("--device", "quantum"), "not known"),
        (("--batch-size", "0"), "1 or more"),
        (("--threads", "0"), "--threads"),
        (("--augment", "--shifts", "500"), "--shifts must lie between -128 and 128"),
    ],
)
def test_bad_options(fails, world, tmp_path, more, words):
    assert words in fails(*_arguments(world, tmp_path / "t.zarr", *more))
    assert list(tmp_path.iterdir()) == []


def test_bad_files(fails, world, tmp_path):
    def check(words, **files):
        places = {"genome": "genome.fa", "regions": "regions.bed", "weights": "model"}
        arguments = [(f"--{name}", files.get(name, world / place)) for name, place in places.items()]
        flat = [word for pair in arguments for word in pair]
        assert words in fails("sequence", "predict", *flat, "--build", "planted", "-o", tmp_path / "t.zarr")

    other = tmp_path / "other.bed"
    other.write_text("chr5\t1\t2\n")
    check("chromosome chr5 is not in genome.fa", regions=other)
    other.write_text("chr2\t44990\t45001\n")
    check("end behind their chromosome", regions=other)
    check("is not a model folder", weights=world)
    check("does not exist", genome=tmp_path / "none.fa")
    coded = tmp_path / "coded.fa"
    text = (world / "genome.fa").read_text()
    coded.write_text(text[:2000] + "R" + text[2001:])
    check("--ambiguous n", genome=coded)
    assert "name it with --build" in fails(*_arguments(world, tmp_path / "t.zarr")[:-2])
    broken = tmp_path / "model"
    shutil.copytree(world / "model", broken)
    whole = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(whole[:-100])
    check("truncated", weights=broken)
    assert not (tmp_path / "t.zarr").exists()


def test_ambiguous_letters_may_be_read_as_unknown(run, world, tmp_path):
    coded = tmp_path / "coded.fa"
    text = (world / "genome.fa").read_text()
    coded.write_text(text[:2000] + "R" + text[2001:])
    arguments = list(_arguments(world, tmp_path / "t.zarr", "--ambiguous", "n"))
    arguments[3] = coded
    code, _, errors = run(*arguments)
    assert code == 0, errors


def test_random_models_say_so(run, tmp_path):
    code, output, _ = run("sequence", "initialise", tmp_path / "model", "--seed", 3)
    assert code == 0
    assert "mean nothing" in output
    assert "random, not trained" in (tmp_path / "model/README.md").read_text()
    again, _ = random_model(PRESETS["small"], seed=3)
    loaded = load_weights(tmp_path / "model")
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
