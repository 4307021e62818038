"""Fine-tuning to three new tracks: trunk frozen, low-rank adapters, trunk trained, and from scratch, over the number of sequences, on planted DNA.

The model to start from was trained on planted DNA (``tests/sequence/planted_model.py``) and knows two activators and a repressor. The first new track is
a mixture of what it knows, the second a product, the third follows a motif that it has never seen. ``python -m benchmarks sequence_fine_tuning``.
Environment variables: SEQUENCES (comma-separated), EPOCHS, SEED.
"""

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from cistron.evaluation.tracks import Predictor, TrackData, score_tracks
from cistron.formats.store import seal_store
from cistron.formats.tracks import create_tracks
from cistron.genome.sequence import encode
from cistron.runtime import limit_threads, random_generator
from cistron.sequence.evaluating import open_evaluated
from cistron.sequence.saving import save_weights
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training import Running, train_model
from cistron.sequence.training_store import MARGIN, METHOD
from cistron.world.variants import BIN, planted_signal, random_planted_dna, reverse_complement_text

LENGTH, CROP = 2048, 1
NEW_MOTIF = "CATTCGCAGA"
TRACKS = ("DNASE:lab, mixture", "CAGE:lab, product", "CHIP:lab, new motif")
HELD_OUT = 64


def lab_store(folder: Path, training: int, seed: int) -> Path:
    """Write sequences and Poisson counts of the three tracks as a store.

    Parameters
    ----------
    folder
        Where.
    training
        Sequences to train on; 16 more for validation and 64 for the test.
    seed
        Seed.
    """
    random = random_generator(seed, "lab")
    folds = ["test"] * HELD_OUT + ["valid"] * 16 + ["train"] * training
    codes, counts = [], []
    for _ in folds:
        letters = list(random_planted_dna(random, LENGTH, 8.0))
        places = []
        for _ in range(random.poisson(4)):
            text = NEW_MOTIF if random.random() < 0.5 else reverse_complement_text(NEW_MOTIF)
            place = int(random.integers(0, LENGTH - len(text)))
            letters[place : place + len(text)] = text
            places.append((place + len(text) // 2) // BIN)
        dna = "".join(letters)
        signal = planted_signal(dna)
        rate = np.full((len(signal), 3), 0.5)
        rate[:, 0] = 0.5 * signal[:, 0] + signal[:, 2]
        rate[:, 1] = signal[:, 0] * signal[:, 2] / 2
        for place in places:
            rate[place, 2] += 6
        codes.append(encode(dna))
        counts.append(random.poisson(rate[CROP:-CROP]).T)
    sequences = pd.DataFrame(
        {
            "name": [f"lab{number}" for number in range(len(folds))],
            "chromosome": [f"lab{number}" for number in range(len(folds))],
            "start": CROP * BIN,
            "end": LENGTH - CROP * BIN,
            "strand": ".",
            "fold": folds,
        }
    )
    number = list(range(len(TRACKS)))
    tracks = pd.DataFrame(
        {
            "name": [f"lab{place}" for place in number],
            "organism": "lab",
            "index": number,
            "identifier": [f"lab{place}" for place in number],
            "description": TRACKS,
            "strand_pair": number,
        }
    )
    output = folder / f"lab{training}.zarr"
    create_tracks(
        output,
        name="lab",
        method=METHOD,
        sequences=sequences,
        tracks=tracks,
        bins=LENGTH // BIN - 2 * CROP,
        bin_size=BIN,
        genome_build="planted",
        parameters={"training": training},
    )
    root = zarr.open_group(str(output), mode="r+")
    width = LENGTH + 2 * MARGIN
    dna = root.create_array("dna", shape=(len(folds), width), chunks=(16, width), dtype="uint8", fill_value=4)
    dna[:, MARGIN:-MARGIN] = np.stack(codes)
    root["values"][:] = np.stack(counts)[:, None].astype(np.float32)
    seal_store(output)
    return output


def starting_model(folder: Path) -> Path:
    """Save the planted model that the tests keep."""
    path = Path(__file__).parents[1] / "tests" / "sequence" / "planted_model.py"
    specification = importlib.util.spec_from_file_location("planted_model", path)
    assert specification is not None
    assert specification.loader is not None
    stored = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(stored)
    save_weights(stored.stored_model(), folder / "start", tracks=stored.TABLE)
    return folder / "start"


def main() -> None:
    """Print one table."""
    numbers = [int(number) for number in os.environ.get("SEQUENCES", "64").split(",")]
    epochs, seed = int(os.environ.get("EPOCHS", "12")), int(os.environ.get("SEED", "0"))
    ways = {
        "heads only (--freeze-trunk)": {"freeze_trunk": True},
        "heads and adapters (--adapter-rank 4)": {"adapter_rank": 4},
        "all (--new-heads)": {"new_heads": True},
        "from scratch": {},
    }
    sys.stdout.write(
        f"Pearson on {HELD_OUT} test sequences of {LENGTH:,} bp, 95% intervals over sequences\n\n"
        f"| training sequences | trained | {' | '.join(one.partition(', ')[2] for one in TRACKS)} | mean of the tracks | CPU s |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as place, limit_threads(1):
        folder = Path(place)
        start = starting_model(folder)
        for number in numbers:
            store = lab_store(folder, number, seed)
            for way, more in ways.items():
                settings = TrainingSettings(
                    channels=48, depth=1, heads=4, key_size=8, epochs=max(epochs, epochs * 64 // number),
                    batch_size=8, learning_rate=3e-3, warmup_steps=20, dropout=0.0,
                )  # fmt: skip
                output = folder / f"{number} {way}".replace("/", " ")
                started = time.process_time()
                train_model(
                    [store],
                    output,
                    settings=settings,
                    start=start if more else None,
                    running=Running(accelerator="cpu"),
                    seed=seed,
                    **more,
                )
                seconds = time.process_time() - started
                found = open_evaluated(output, store, "test", allow_leak=False, device="cpu")
                data = TrackData("lab", "test", len(found.rows), found.store.tracks.tracks)
                blocks = Predictor(way, lambda found=found: found.blocks(16))
                scores, by_track = score_tracks(data, [blocks], reference="", control=None, seed=seed)
                whole = scores[
                    (scores["metric"] == "pearson") & scores["target"].str.endswith("all tracks")
                ].iloc[0]
                tracks = " | ".join(f"{value:.3f}" for value in by_track["pearson"])
                sys.stdout.write(
                    f"| {number} | {way} | {tracks} | {whole['value']:.3f} [{whole['low']:.3f}, {whole['high']:.3f}] | {seconds:.0f} |\n"
                )
                sys.stdout.flush()
