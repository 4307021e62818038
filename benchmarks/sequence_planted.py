"""What attention buys on planted DNA: the small model beside max pooling, the dilated trunk, a receptive field of 20 kb, and controls.

Promoters and the enhancers that raise them lie more than 10 kb apart (``cistron.world.regulatory_dna``), so that a model that sees 10 kb on either
side knows the promoter but not its enhancers. ``python -m benchmarks sequence_planted``; about half an hour of CPU on one thread. Environment
variables: BLOCKS, EPOCHS, SEED, MODELS (comma-separated; empty for the bounds alone, which take seconds), and FOLDER, where world and models stay, so that a second run only scores.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.evaluation.tracks import Predictor, TrackData, dinucleotide_shuffle, fit_kmer_ridge, score_tracks
from cistron.genome import Genome
from cistron.runtime import limit_threads
from cistron.sequence.data import build_training_data
from cistron.sequence.evaluating import Evaluated, open_evaluated
from cistron.sequence.settings_data import DataSettings
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training import Running, train_model
from cistron.world.regulatory_dna import (
    BIN,
    PAIRS,
    TRACKS,
    RegulatoryWorld,
    RegulatoryWorldSettings,
    regulatory_world,
    write_regulatory_world,
)

MODELS = {
    "attention": {},
    "receptive field 20 kb": {"receptive_field": 20_000},
    "dilated": {"trunk": "dilated"},
    "max pooling": {"pooling": "max"},
}
CEILING = "ceiling: expected counts"
Blocks = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def near_rates(world: RegulatoryWorld) -> np.ndarray:
    """Best prediction without sight of distal sequence: every promoter as if it had the mean number of enhancers, float32 [block, track, bin]."""
    rates = world.rates.astype(np.float64).copy()
    settings = world.settings
    counts = {
        cell: world.elements[world.elements["kind"] == cell].groupby("block").size().to_dict()
        for cell in PAIRS
    }
    promoters = world.elements[world.elements["kind"] == "promoter"]
    for cell_number, cell in enumerate(PAIRS):
        mean = sum(counts[cell].values()) / settings.blocks
        for row in promoters.itertuples():
            own = counts[cell].get(row.block, 0)
            change = settings.expression * row.activators * settings.gain * (mean - own)
            track, middle = 1 + 2 * cell_number + (row.strand == "-"), row.position // BIN
            for place, share in ((middle, 1.0), (middle - 1, 0.25), (middle + 1, 0.25)):
                rates[row.block, track, place] += share * change
    return np.maximum(rates, 0).astype(np.float32)


def prepared(folder: Path, blocks: int, seed: int) -> tuple[RegulatoryWorld, Path]:
    """Make the world and its store, where they are not there yet."""
    world = regulatory_world(RegulatoryWorldSettings(blocks=blocks), seed)
    store = folder / "planted.zarr"
    if not store.exists():
        files = write_regulatory_world(world, folder / "world")
        build_training_data(
            store,
            genome=Genome(files["genome"], "planted"),
            folds=files["folds"],
            targets=files["targets"],
            organism="human",
            settings=DataSettings("enformer", crop=0, input_length=world.settings.block_length),
        )
    return world, store


def known(world: RegulatoryWorld, rates: np.ndarray) -> Blocks:
    """Give planted rates as predictions of the test blocks, in the order of the store."""
    for place, block in enumerate(np.flatnonzero(world.folds == "test")):
        yield np.array([place]), world.counts[block].T[None], rates[block].T[None]


def bounds(world: RegulatoryWorld) -> list[Predictor]:
    """What no model without distal sequence, and no model at all, can exceed."""
    return [
        Predictor("best without distal sequence", lambda: known(world, near_rates(world))),
        Predictor(CEILING, lambda: known(world, world.rates)),
    ]


def ridge_blocks(found: Evaluated) -> Callable[[], Blocks]:
    """Fit the k-mer ridge on half of the training blocks, which it needs no more of."""

    def half() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number, (_, codes, targets) in enumerate(found.sequences(found.training_folds, 8)):
            if number % 2 == 0:
                yield codes, targets

    ridge = fit_kmer_ridge(half(), lambda: (part[1:] for part in found.sequences(("valid",), 8)), 0)

    def blocks() -> Blocks:
        for start in range(0, len(found.rows), 8):
            codes, targets = found.data.read(found.rows[start : start + 8])
            yield np.arange(start, start + len(codes)), targets, ridge.predict(codes)

    return blocks


def main() -> None:
    """Print one table."""
    blocks, epochs, seed = (
        int(os.environ.get(name, value)) for name, value in (("BLOCKS", 1024), ("EPOCHS", 12), ("SEED", 0))
    )
    chosen = [name for name in os.environ.get("MODELS", ",".join(MODELS)).split(",") if name]
    if not chosen:
        world = regulatory_world(RegulatoryWorldSettings(blocks=blocks), seed)
        tracks = pd.DataFrame({"name": TRACKS, "description": TRACKS})
        data = TrackData("planted", "test", int((world.folds == "test").sum()), tracks)
        scores, _ = score_tracks(data, bounds(world), reference=CEILING, control=None, seed=seed)
        _print(scores, [one.name for one in bounds(world)], {}, CEILING)
        return
    with tempfile.TemporaryDirectory() as place, limit_threads(1):
        folder = Path(os.environ.get("FOLDER", place))
        folder.mkdir(parents=True, exist_ok=True)
        world, store = prepared(folder, blocks, seed)
        evaluated, predictors, about = None, [], {}
        for name in chosen:
            settings = TrainingSettings(
                epochs=epochs, batch_size=4, learning_rate=2e-3, warmup_steps=100, **MODELS[name]
            )
            started = time.process_time()
            path = folder / name.replace(" ", "_")
            train_model([store], path, settings=settings, running=Running(accelerator="cpu"))
            seconds = time.process_time() - started
            found = open_evaluated(path, store, "test", allow_leak=False, device="cpu")
            evaluated = evaluated or found
            weights = sum(parameter.numel() for parameter in found.model.parameters())
            about[name] = (f"{weights:,}", f"{seconds:.0f}")
            predictors.append(Predictor(name, lambda found=found: found.blocks(4)))
            sys.stderr.write(f"{name}: {seconds:.0f} CPU s\n")
        assert evaluated is not None
        first: Evaluated = evaluated

        def shuffled(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return np.stack([dinucleotide_shuffle(line, seed, int(row)) for line, row in zip(codes, rows)])

        predictors += [
            Predictor(f"{chosen[0]}, shuffled DNA", lambda: first.blocks(4, shuffled)),
            Predictor("k-mer ridge", ridge_blocks(first)),
            *bounds(world),
        ]
        data = TrackData("planted", "test", len(first.rows), first.store.tracks.tracks)
        scores, _ = score_tracks(data, predictors, reference=chosen[0], control=None, seed=seed)
    _print(scores, [one.name for one in predictors], about, chosen[0])


def _print(scores: pd.DataFrame, names: list[str], about: dict[str, tuple[str, str]], reference: str) -> None:
    table = scores.set_index(["embedding", "metric"])

    def cell(name: str, metric: str, target: str, sign: str = "") -> str:
        rows = table.loc[[(name, metric)]]
        row = rows[rows["target"].str.endswith(target)].iloc[0]
        return f"{row['value']:{sign}.3f} [{row['low']:{sign}.3f}, {row['high']:{sign}.3f}]"

    sys.stdout.write(
        f"| | weights | CPU s | all tracks | DNASE | CAGE | CAGE, difference to {reference} |\n|---|---|---|---|---|---|---|\n"
    )
    for name in names:
        weights, seconds = about.get(name, ("", ""))
        difference = "" if name == reference else cell(name, "pearson_difference", "CAGE tracks", "+")
        cells = (cell(name, "pearson", target) for target in ("all tracks", "DNASE tracks", "CAGE tracks"))
        sys.stdout.write(f"| {name} | {weights} | {seconds} | {' | '.join(cells)} | {difference} |\n")
