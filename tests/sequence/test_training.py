"""``cistron sequence train``: batches and their augmentation, losses, resuming, several devices, heads, baselines, what is refused."""

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cistron.errors import InputError
from cistron.runtime import limit_threads
from cistron.sequence import Enformer, EnformerSettings, load_weights
from cistron.sequence.adapters import add_adapters
from cistron.sequence.attention import RelativeAttention
from cistron.sequence.dilated import dilations
from cistron.sequence.settings_training import PRESETS, TrainingSettings
from cistron.sequence.training import Running, begin_heads, train_model
from cistron.sequence.training_batches import OrganismData, TrainingEpoch, fit_crop, one_hot_codes, read_ahead
from cistron.sequence.training_folds import choose_folds
from cistron.sequence.training_losses import TrackLoss, poisson_loss, poisson_multinomial_loss
from cistron.sequence.training_store import MARGIN, open_training_store

_SPEC = importlib.util.spec_from_file_location(
    "small_training", Path(__file__).with_name("small_training.py")
)
small = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(small)
CPU = Running(accelerator="cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """These networks are too small to gain by several."""
    with limit_threads(1):
        yield


@pytest.fixture(scope="module")
def stores(one_thread, tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    return {
        organism: small.small_store(folder, 16, organism, seed)
        for seed, organism in enumerate(("human", "mouse"))
    }


def settings(**changes):
    return TrainingSettings(
        **{**{name: getattr(small.SMALL, name) for name in small.SMALL.__dataclass_fields__}, **changes}
    )


def data_of(path, length=2048):
    store = open_training_store(path)
    return OrganismData(store, store.rows("train"), fit_crop(store, length))


def test_crops(stores):
    store = open_training_store(stores["human"])
    crop = fit_crop(store, None)
    assert (crop.length, crop.crop, crop.first, crop.bins, crop.pool) == (20_480, 0, 0, 160, 1)
    crop = fit_crop(store, 2048)
    assert (crop.crop, crop.first, crop.bins) == (0, 72, 16)
    for length, words in (
        (2000, "multiple of 128"),
        (40_960, "at most the 20,480 bp"),
        (2176, "do not lie evenly"),
    ):
        with pytest.raises(InputError, match=words):
            fit_crop(store, length)


def test_augmentation_moves_and_turns_dna_and_targets(stores):
    data = data_of(stores["human"])
    row = data.rows[:1]
    codes, targets = data.read(row)
    dna, values = data.store.dna[int(row[0])], data.store.tracks.values[int(row[0])][0]
    start = MARGIN + (20_480 - 2048) // 2
    assert (codes[0] == dna[start : start + 2048]).all()
    assert (targets[0] == values[:, 72:88].T).all()
    moved, same = data.read(row, np.array([3]))
    assert (moved[0] == dna[start + 3 : start + 3 + 2048]).all()
    assert (same == targets).all()
    turned, other = data.read(row, np.array([-2]), np.array([True]))
    straight = dna[start - 2 : start - 2 + 2048]
    assert (turned[0] == 3 - straight[::-1]).all()
    assert (other[0] == targets[0][::-1][:, [0, 2, 1, 4, 3]]).all()
    again, back = data.read(row, None, np.array([True]))
    assert (one_hot_codes(torch.from_numpy(again)) == one_hot_codes(torch.from_numpy(codes)).flip(1, 2)).all()
    assert (back[0][::-1][:, [0, 2, 1, 4, 3]] == targets[0]).all()


def test_bins_are_pooled_and_n_stays_n(stores):
    assert one_hot_codes(torch.tensor([[0, 4]], dtype=torch.uint8)).tolist() == [[[1, 0, 0, 0], [0, 0, 0, 0]]]


def test_an_epoch_takes_every_sequence_once_and_organisms_in_turn(stores):
    data = {organism: data_of(path) for organism, path in stores.items()}
    data["mouse"] = OrganismData(data["mouse"].store, data["mouse"].rows[:7], data["mouse"].crop)
    epoch = TrainingEpoch(data, 4, 3, True, 0, 5)
    batches = list(epoch)
    assert [next(iter(batch)) for batch in batches] == ["human", "mouse"] * 3
    assert len(batches) == len(epoch)
    seen = np.concatenate([plan.rows for plan in epoch._plans if plan.organism == "human"])
    assert sorted(seen) == data["human"].rows.tolist()
    mice = np.concatenate([plan.rows for plan in epoch._plans if plan.organism == "mouse"])
    assert set(mice) == set(data["mouse"].rows.tolist())
    assert {int(shift) for plan in epoch._plans for shift in plan.shifts} <= set(range(-3, 4))
    assert 0.1 < np.mean([turned for plan in epoch._plans for turned in plan.reversed]) < 0.9
    # the same again, and others in another epoch
    for one, two in zip(batches, TrainingEpoch(data, 4, 3, True, 0, 5)):
        for organism in one:
            assert torch.equal(one[organism][0], two[organism][0])
    assert any(
        not np.array_equal(one.rows, two.rows)
        for one, two in zip(epoch._plans, TrainingEpoch(data, 4, 3, True, 0, 6)._plans)
    )
    # two processes read what one reads with twice the batch
    twice = TrainingEpoch({"human": data["human"]}, 8, 3, True, 0, 1)
    ranks = [
        list(TrainingEpoch({"human": data["human"]}, 4, 3, True, 0, 1).for_rank(rank, 2)) for rank in (0, 1)
    ]
    for number, batch in enumerate(list(twice)[:1]):
        joined = torch.cat([ranks[rank][number]["human"][0] for rank in (0, 1)])
        assert torch.equal(joined, batch["human"][0])


def test_what_fails_while_reading_ahead_is_raised():
    def items():
        yield {"a": (torch.zeros(1), torch.zeros(1))}
        raise InputError("a chunk is damaged")

    found = read_ahead(items())
    assert len(next(found)) == 1
    with pytest.raises(InputError, match="damaged"):
        next(found)


def test_losses_by_hand():
    predicted, observed = torch.tensor([[[1.0], [3.0]]]), torch.tensor([[[2.0], [0.0]]])
    assert poisson_loss(predicted, observed).item() == pytest.approx((1 - 0 + 3) / 2)
    shape = -2 * math.log(1 / 4) / 2
    total = (4 - 2 * math.log(4)) / 2
    for weight in (1.0, 0.2):
        found = poisson_multinomial_loss(predicted, observed, weight).item()
        assert found == pytest.approx(shape + weight * total, rel=1e-5)
    assert poisson_loss(predicted, observed, torch.tensor([3.0])).item() == pytest.approx(6)
    # both are smallest at the truth
    for function in (poisson_loss, poisson_multinomial_loss):
        truth = torch.rand(2, 8, 3) + 0.1
        best = function(truth, truth)
        assert all(
            function(truth * (1 + 0.2 * torch.randn(2, 8, 3)).clamp(0.1), truth) > best for _ in range(5)
        )


def test_heads_begin_at_the_means():
    model = Enformer(
        EnformerSettings(channels=24, depth=1, heads=2, key_size=8, length=1024, crop=0, tracks={"human": 3})
    )
    begin_heads(model, {"human": np.array([0.01, 1.0, 40.0])}, 0)
    bias = model.heads["human"].bias
    assert torch.nn.functional.softplus(bias).tolist() == pytest.approx([0.01, 1.0, 40.0], rel=1e-4)


def test_baselines_see_what_they_may():
    dna = torch.nn.functional.one_hot(
        torch.randint(0, 4, (1, 16_384), generator=torch.Generator().manual_seed(0)), 4
    ).float()
    changed = dna.clone()
    changed[:, :512] = dna[:, :512].flip(2)

    def reach(**changes):
        torch.manual_seed(0)
        model = Enformer(
            EnformerSettings(
                channels=24,
                depth=2,
                heads=2,
                key_size=8,
                length=16_384,
                crop=0,
                tracks={"human": 2},
                **changes,
            )
        )
        for module in model.modules():  # a new block changes nothing until its output is not zero
            if isinstance(module, RelativeAttention):
                torch.nn.init.normal_(module.output.weight)
        model.eval()
        with torch.no_grad():
            difference = (model(dna)["human"] - model(changed)["human"]).abs()[0].amax(1)
        model.train()
        plain = model(dna)["human"].sum()
        plain.backward()  # gradients flow through every baseline
        return int(difference.nonzero().max())

    assert reach() == 127
    confined = reach(receptive_field=6000)
    assert 4 < confined <= 4 + 6000 // 256
    assert reach(pooling="max") == 127
    assert 100 < reach(trunk="dilated") <= 127
    assert sum(dilations()) == 171  # bins on either side that an output sees
    with pytest.raises(InputError, match="leaves 2 blocks of attention no neighbour"):
        EnformerSettings(receptive_field=800, depth=2)
    with pytest.raises(InputError, match="dilated trunk has none"):
        EnformerSettings(receptive_field=20_000, depth=2, trunk="dilated")


@pytest.fixture(scope="module")
def trained(stores, tmp_path_factory):
    """A model of human and mouse after three epochs, and the line that made it."""
    output = tmp_path_factory.mktemp("trained") / "model"
    report = train_model([stores["human"], stores["mouse"]], output, settings=settings(), running=CPU)
    return output, report


def test_a_model_folder(trained, stores):
    output, report = trained
    assert report.epochs == 3
    model = load_weights(output)
    assert dict(model.settings.tracks) == {"human": 5, "mouse": 5}
    assert (model.settings.length, model.settings.crop) == (2048, 0)
    origin = json.loads((output / "model.json").read_text())["origin"]
    assert origin["training_folds"] == ["train"]
    assert origin["validation_fold"] == "valid"
    assert set(origin["validation_pearson"]) == {"human", "mouse"}
    seen = pd.read_csv(output / "seen.tsv", sep="\t")
    assert seen["use"].value_counts().to_dict() == {"training": 24, "validation": 4}
    log = pd.read_csv(output.with_name("model.fit") / "log.csv")
    assert {"validation_pearson_human_planted1", "validation_pearson_mouse", "train_loss_human"} <= set(log)
    assert "validation pearson" in (output / "README.md").read_text()
    assert len(log) == 3


def test_a_resumed_run_ends_with_the_same_weights(trained, stores, tmp_path, monkeypatch):
    """Interrupted behind its first epoch, with the checkpoint of then."""
    import cistron.sequence.training as module

    both = [stores["human"], stores["mouse"]]
    original = module.TrainingEpoch

    def interrupted(data, size, shift, turned, seed, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return original(data, size, shift, turned, seed, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(module, "TrainingEpoch", interrupted)
        fitted = module._fit_settings
        patch.setattr(module, "_fit_settings", lambda *given: replace(fitted(*given), checkpoint_seconds=0))
        with pytest.raises(KeyboardInterrupt):
            train_model(both, tmp_path / "model", settings=settings(), running=CPU)
    report = train_model(both, tmp_path / "model", settings=settings(), running=CPU)
    assert report.resumed_at == 1
    assert report.epochs == 3
    first, second = (load_weights(path).state_dict() for path in (trained[0], tmp_path / "model"))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("loss", ["poisson", "poisson-multinomial"])
def test_training_lowers_the_loss(loss, stores, tmp_path):
    report = train_model(
        [stores["human"]], tmp_path / "m",
        settings=settings(loss=loss, epochs=2, total_weight=0.2, patience=1, shift=1, reverse_complement=False, balance_tracks=False,
                          gradient_clip=0.2, schedule="constant", learning_rate=1e-3, warmup_steps=3),
        running=CPU,
    )  # fmt: skip
    assert report.history["train_loss"].iloc[-1] < report.history["train_loss"].iloc[0]


def test_fine_tuning(trained, stores, tmp_path):
    start, _ = trained
    lab = small.small_store(tmp_path, 16, "lab", 3)
    words = "has no head|are not those of the store"
    with pytest.raises(InputError, match=words):
        train_model([lab], tmp_path / "no", start=start, settings=settings(), running=CPU)
    before = load_weights(start).state_dict()
    for more, words in (
        ({"start": None}, "needs a model to start from"),
        ({"start": start, "freeze_trunk": True}, "exclude each other"),
    ):
        with pytest.raises(InputError, match=words):
            train_model([lab], tmp_path / "no", adapter_rank=2, settings=settings(), running=CPU, **more)
    with pytest.raises(InputError, match="adapts the transformer, and the model has none"):
        add_adapters(
            Enformer(
                EnformerSettings(
                    channels=24, depth=1, heads=2, key_size=8, trunk="dilated", crop=0, tracks={"human": 3}
                )
            ),
            2,
            0,
        )
    train_model(
        [lab], tmp_path / "frozen", start=start, freeze_trunk=True, settings=settings(epochs=2), running=CPU
    )
    frozen = load_weights(tmp_path / "frozen")
    assert set(frozen.settings.tracks) == {"lab"}
    trunk = [name for name in before if not name.startswith("heads.")]
    assert all(torch.equal(before[name], frozen.state_dict()[name]) for name in trunk)
    train_model(
        [lab], tmp_path / "free", start=start, new_heads=True, settings=settings(epochs=2), running=CPU
    )
    free = load_weights(tmp_path / "free").state_dict()
    assert any(not torch.equal(before[name], free[name]) for name in trunk)
    train_model(
        [lab], tmp_path / "adapted", start=start, adapter_rank=2, settings=settings(epochs=2), running=CPU
    )
    adapted = load_weights(tmp_path / "adapted").state_dict()
    assert set(adapted) == set(frozen.state_dict())  # the adapters are part of the matrices
    moved = {name for name in trunk if not torch.equal(before[name], adapted[name])}
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in moved} == {
        "query", "key", "value", "output", "expand", "contract",
    }  # fmt: skip
    for name in moved:
        assert torch.linalg.matrix_rank(adapted[name] - before[name], rtol=1e-3) == 2
    # its own tracks: the heads are kept
    train_model(
        [stores["human"]],
        tmp_path / "on",
        start=start,
        settings=settings(epochs=1, learning_rate=1e-9),
        running=CPU,
    )
    on = load_weights(tmp_path / "on")
    assert set(on.settings.tracks) == {"human", "mouse"}
    weight = on.state_dict()["heads.human.weight"]
    assert (weight - before["heads.human.weight"]).abs().max() < 1e-5


def test_folds(stores):
    store = open_training_store(stores["human"])
    found = choose_folds([store], TrainingSettings())
    assert (found.training, found.validation, found.test) == (("train",), "valid", "test")
    other = choose_folds([store], TrainingSettings(training_folds=("test",), test_fold="train"))
    assert (other.training, other.test) == (("test",), "train")
    for changes, words in (
        ({"validation_fold": "fold9"}, "no fold 'fold9'"),
        ({"validation_fold": "train", "training_folds": ("train",)}, "must be different"),
    ):
        with pytest.raises(InputError, match=words):
            choose_folds([store], TrainingSettings(**changes))


def test_what_is_refused(stores, trained, run, tmp_path):
    start, _ = trained

    def refused(words, *arguments):
        code, _, errors = run(
            "sequence", "train", *arguments, "--output", tmp_path / "m", "--accelerator", "cpu"
        )
        assert code == 2
        assert words in errors
        assert errors.count("\n") == 1
        assert not (tmp_path / "m").exists()

    refused("no store was given")
    refused("two stores are of one organism", stores["human"], stores["human"])
    refused("--freeze-trunk needs a model to start from", stores["human"], "--freeze-trunk")
    refused("is not a tracks store", start.parent / "model")
    refused("channels must be a multiple", stores["human"], "--channels", 10, "--heads", 2)
    refused("--length must be a multiple of 128", stores["human"], "--length", 1000)


def test_presets():
    for name in PRESETS:
        resolved = TrainingSettings().resolved(name)
        assert resolved.channels == PRESETS[name]["channels"]
    assert TrainingSettings(channels=12).resolved("paper").channels == 12
    with pytest.raises(InputError, match="no preset"):
        TrainingSettings().resolved("huge")


def test_two_processes_are_one_with_twice_the_batch(stores, run, tmp_path):
    """DDP over gloo; batch statistics are of both processes."""
    line = [
        "sequence", "train", stores["human"], "--length", 2048, "--channels", 24, "--depth", 1, "--heads", 2, "--key-size", 8,
        "--epochs", 1, "--dropout", 0, "--schedule", "constant", "--learning-rate", 1e-3, "--warmup-steps", 0, "--accelerator", "cpu",
        "--threads", 1,
    ]  # fmt: skip
    code = "import sys; from cistron.cli import main; sys.exit(main(sys.argv[1:]))"
    (tmp_path / "run.py").write_text(code)
    words = [*line, "--batch-size", 3, "--devices", 2, "--strategy", "ddp", "--output", tmp_path / "two"]
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert run(*line, "--batch-size", 6, "--output", tmp_path / "one")[0] == 0
    two, one = (load_weights(tmp_path / name).state_dict() for name in ("two", "one"))
    moved = [(two[name] - one[name]).abs().flatten() for name in one if one[name].is_floating_point()]
    difference = torch.cat(moved)
    # three steps of 1e-3: Adam turns the rounding of a gradient of 0 (a bias before normalisation) into a whole step
    assert difference.median() < 5e-5
    assert (difference < 1e-4).float().mean() > 0.9


def test_evaluation(trained, stores, aloud, tmp_path):
    """Against correlations of plain predictions; a leak is refused, and said where it is allowed."""
    model, _ = trained
    line = ["sequence", "evaluate", model, stores["human"], "--draws", 50, "--device", "cpu", "--threads", 1]
    code, printed, errors = aloud(*line, "--output", tmp_path / "result")
    assert code == 0, errors
    scores = pd.read_parquet(tmp_path / "result" / "scores.parquet")
    assert set(scores["embedding"]) == {"model", "k-mer ridge", "mean of training", "model, shuffled DNA"}
    assert "pearson_difference" in printed
    data = data_of(stores["human"])
    rows = data.store.rows("test")
    codes, targets = data.read(rows)
    with torch.no_grad():
        predicted = load_weights(model)(one_hot_codes(torch.from_numpy(codes)), ["human"])["human"].numpy()
    by_track = pd.read_parquet(tmp_path / "result" / "tracks.parquet")
    own = by_track[by_track["predictor"] == "model"]["pearson"].to_numpy()
    for track in range(5):
        if targets[..., track].std() > 0:
            expected = np.corrcoef(targets[..., track].ravel(), predicted[..., track].ravel())[0, 1]
            assert own[track] == pytest.approx(expected, abs=1e-4)
    assert not (tmp_path / "result" / "start_sites.parquet").exists()
    page = (tmp_path / "result" / "report.html").read_text()
    assert "Tracks from DNA" in page
    sequences = data.store.tracks.sequences.iloc[rows]
    places = [
        (name, 10_240 + offset, sign)
        for name in sequences["chromosome"]
        for offset, sign in ((-400, "+"), (300, "-"))
    ]
    (tmp_path / "genes.tsv").write_text(
        "gene\tchromosome\tposition\tstrand\n"
        + "".join(
            f"g{number}\t{name}\t{place + 1}\t{sign}\n" for number, (name, place, sign) in enumerate(places)
        )
        + "elsewhere\tblock99\t5\t+\n"
    )
    code, _, errors = aloud(*line, "--annotation", tmp_path / "genes.tsv", "--output", tmp_path / "sites")
    assert code == 0, errors
    assert "4 of 5 genes lie in the 2 sequences" in errors
    at_sites = pd.read_parquet(tmp_path / "sites" / "start_sites.parquet")
    expected = []
    for number, (_, place, sign) in enumerate(places):
        middle = (place - 10_240 + 1024) // 128
        window = targets[number // 2, middle - 1 : middle + 2].sum(axis=0)
        expected.append(np.log1p(window[[1, 3] if sign == "+" else [2, 4]]).mean())
    assert at_sites["observed"].to_numpy() == pytest.approx(expected, rel=1e-5)
    scores = pd.read_parquet(tmp_path / "sites" / "scores.parquet")
    across = scores[scores["metric"] == "pearson_start_sites"]
    assert set(across["embedding"]) == set(scores["embedding"])
    page = (tmp_path / "sites" / "report.html").read_text()
    assert "4 start sites lie in the sequences" in page
    assert (tmp_path / "result" / "figures" / "tracks_locus.png").exists()
    code, _, errors = aloud(*line, "--fold", "train", "--output", tmp_path / "leak")
    assert code == 2
    assert (
        "12 of the 12 sequences of fold train overlap sequences that model was trained on: a leak" in errors
    )
    assert not (tmp_path / "leak" / "scores.parquet").exists()
    code, _, errors = aloud(
        *line,
        "--fold",
        "train",
        "--allow-leak",
        "--no-baselines",
        "--no-report",
        "--output",
        tmp_path / "leak",
    )
    assert code == 0
    assert "12 of 12 sequences were seen in training" in errors
    code, _, errors = aloud(
        *line, "--fold", "valid", "--no-baselines", "--no-report", "--output", tmp_path / "valid"
    )
    assert code == 0
    assert "2 of 2 sequences stopped the training" in errors
    other = small.small_store(tmp_path, 8, "rat", 3)
    code, _, errors = aloud(*line[:3], other, "--output", tmp_path / "rat")
    assert code == 2
    assert "has no head for rat" in errors


def test_the_world(tmp_path):
    """Decoys and enhancers differ in nothing but the distance of their motifs; expected counts follow the elements."""
    from cistron.world.regulatory_dna import RegulatoryWorldSettings, element_text, regulatory_world

    world = regulatory_world(
        RegulatoryWorldSettings(
            blocks=40, block_length=20_480, background=0.1, accessibility=30, expression=4, gain=3
        ),
        1,
    )
    again = regulatory_world(world.settings, 1)
    assert (world.codes == again.codes).all()
    assert (world.counts == again.counts).all()
    assert len(element_text("decoy A")) - len(element_text("A")) == 17
    letters = np.array(list("ACGT"))
    complement = str.maketrans("ACGT", "TGCA")
    for row in world.elements.itertuples():
        text = element_text(row.kind, row.activators)
        dna = "".join(letters[world.codes[row.block]])
        wanted = text if row.strand == "+" else text.translate(complement)[::-1]
        start = row.position - len(text) // 2
        assert all(a in (b, ".") for a, b in zip(wanted, dna[start : start + len(text)]))
    promoters = world.elements[world.elements["kind"] == "promoter"]
    others = world.elements[world.elements["kind"] != "promoter"]
    for block, rows in promoters.groupby("block"):
        near = others[others["block"] == block]["position"].to_numpy()
        assert (np.abs(rows["position"].to_numpy()[:, None] - near) > 10_000).all()
    row = promoters.iloc[0]
    enhancers = int(((others["block"] == row["block"]) & (others["kind"] == "A")).sum())
    track = 1 if row["strand"] == "+" else 2
    rate = world.rates[row["block"], track, row["position"] // 128]
    assert rate == pytest.approx(0.1 + 4 * row["activators"] * (1 + 3 * enhancers), abs=1e-3)
    assert (world.ceiling() > 0.9).all()
    with pytest.raises(InputError, match="20,480 bp or more"):
        RegulatoryWorldSettings(block_length=10_240)


def test_track_loss_has_no_part_of_other_organisms():
    model = Enformer(
        EnformerSettings(
            channels=24, depth=1, heads=2, key_size=8, length=512, crop=0, tracks={"a": 2, "b": 1}
        )
    )
    loss = TrackLoss(TrainingSettings().resolved("small"), {"a": np.ones(2), "b": np.ones(1)}, False)
    codes, targets = torch.zeros(2, 512, dtype=torch.uint8), torch.ones(2, 4, 2)
    found = loss(model, {"a": (codes, targets)})
    found["loss"].backward()
    assert model.heads["b"].weight.grad.abs().max() == 0
    assert model.heads["a"].weight.grad.abs().max() > 0
