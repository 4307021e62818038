"""A small model on the 65 human and 54 mouse sequences of baskerville_tiny, beside the k-mer ridge: learning curve, human alone and with mouse.

The 65,536 bp of targets of each sequence are cut into windows, so that a step sees several sequences; the ridge reads the same windows. Intervals are
over the 10 test sequences, not over their windows. Settings were chosen on the validation fold. The data are found through CISTRON_TEST_DATA;
``python -m benchmarks sequence_real``. Environment variables: SHARES (of the training sequences, comma-separated; the last is also trained with mouse),
EPOCHS, WINDOW, SEED, FOLD (test, or valid for choosing), and SETTINGS, JSON over :data:`CHOSEN`.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from cistron.evaluation.tracks import Predictor, TrackData, dinucleotide_shuffle, fit_kmer_ridge, score_tracks
from cistron.formats.store import seal_store
from cistron.formats.tracks import create_tracks
from cistron.runtime import limit_threads
from cistron.sequence.data import track_columns
from cistron.sequence.evaluating import open_evaluated
from cistron.sequence.inputs_targets import read_targets
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training import Running, train_model
from cistron.sequence.training_store import MARGIN, METHOD

BUILDS = {"human": "hg38", "mouse": "mm10"}
SPAN, BIN = 65_536, 32  # of the targets, in the middle of twice as much DNA
CHOSEN = {
    "channels": 24,
    "depth": 1,
    "heads": 2,
    "key_size": 8,
    "batch_size": 4,
    "learning_rate": 4e-3,
    "warmup_steps": 40,
    "dropout": 0.2,
    "shift": 16,
}


def write_store(data: Path, organism: str, share: float, window: int, output: Path) -> Path:
    """Write windows of the decoded records as a store, with a share of the training sequences.

    Parameters
    ----------
    data
        Folder of the records.
    organism
        human or mouse.
    share
        Of the training sequences, the first ones.
    window
        Base pairs of a window, a part of 65,536.
    output
        Store.
    """
    build = BUILDS[organism]
    with np.load(data / f"{build}_tiny_seq_targets.npz") as arrays:
        codes, targets = arrays["sequence_idx_ACGT0123_N4"], arrays["targets"]
    bed = pd.read_csv(data / f"{build}_sequences.bed", sep="\t", header=None)
    kept = np.ones(len(bed), bool)
    training = np.flatnonzero(bed[3] == "train")
    kept[training[round(share * len(training)) :]] = False
    rows, dna, values = [], [], []
    side = (codes.shape[1] - SPAN) // 2
    for number in np.flatnonzero(kept):
        for offset in range(0, SPAN, window):
            start = int(bed[1][number]) + offset
            rows.append((f"{bed[0][number]}:{start}", bed[0][number], start, start + window, bed[3][number]))
            dna.append(codes[number, side + offset - MARGIN : side + offset + window + MARGIN])
            values.append(targets[number, offset // BIN : (offset + window) // BIN].T.astype(np.float32))
    sequences = pd.DataFrame(rows, columns=["name", "chromosome", "start", "end", "fold"]).assign(strand=".")
    table = read_targets(data / f"{build}_targets.txt")
    create_tracks(
        output,
        name=organism,
        method=METHOD,
        sequences=sequences,
        tracks=track_columns(table, organism, {}),
        bins=window // BIN,
        bin_size=BIN,
        genome_build=build,
        parameters={"share": share},
    )
    root = zarr.open_group(str(output), mode="r+")
    width = window + 2 * MARGIN
    array = root.create_array("dna", shape=(len(rows), width), chunks=(1, width), dtype="uint8", fill_value=4)
    array[:] = np.stack(dna)
    root["values"][:] = np.stack(values)[:, None]
    seal_store(output)
    return output


def scored(model: Path, store: Path, fold: str, window: int, seed: int) -> pd.DataFrame:
    """Score a model, the ridge and shuffled DNA; windows of a sequence count together in the intervals.

    Parameters
    ----------
    model
        Model folder.
    store
        Store of one organism.
    fold
        Fold.
    window
        Base pairs of a window.
    seed
        Seed.
    """
    found = open_evaluated(model, store, fold, allow_leak=False, device="cpu")
    parts = SPAN // window
    number = {int(row): place // parts for place, row in enumerate(found.rows)}

    def shuffled(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.stack([dinucleotide_shuffle(line, seed, int(row)) for line, row in zip(codes, rows)])

    def by_sequence(blocks: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Iterator[tuple]:
        for places, observed, predicted in blocks:
            yield places // parts, observed, predicted

    ridge = fit_kmer_ridge(
        (part[1:] for part in found.sequences(found.training_folds, 8)),
        lambda: (part[1:] for part in found.sequences((found.validation_fold,), 8)),
        found.data.crop.crop,
    )

    def by_ridge() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for rows, codes, targets in found.sequences((fold,), 8):
            yield np.array([number[int(row)] for row in rows]), targets, ridge.predict(codes)

    predictors = [
        Predictor("model", lambda: by_sequence(found.blocks(8))),
        Predictor("ridge", by_ridge),
        Predictor("shuffled", lambda: by_sequence(found.blocks(8, shuffled))),
    ]
    data = TrackData(found.organism, fold, len(found.rows) // parts, found.store.tracks.tracks)
    return score_tracks(data, predictors, reference="ridge", control="shuffled", seed=seed)[0]


def main() -> None:
    """Print one table."""
    data = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data")) / "sequence" / "baskerville_tiny"
    shares = [
        float(share) for share in os.environ.get("SHARES", "0.33,0.67,1,both").split(",") if share != "both"
    ]
    both = "both" in os.environ.get("SHARES", "both")
    epochs, window, seed = (
        int(os.environ.get(name, value)) for name, value in (("EPOCHS", 8), ("WINDOW", 16_384), ("SEED", 0))
    )
    fold = os.environ.get("FOLD", "test")
    chosen = {**CHOSEN, **json.loads(os.environ.get("SETTINGS", "{}"))}
    rows = [(("human",), share) for share in shares] + ([(("human", "mouse"), 1.0)] if both else [])
    sys.stdout.write(
        f"Pearson over bins and sequences of the {fold} fold, human, mean of the tracks; 95% intervals over sequences\n\n"
        "| trained on | sequences | best epoch | all tracks | k-mer ridge | difference | DNASE: model, ridge | CAGE | RNA | shuffled DNA | CPU s |\n"
        f"|{'---|' * 11}\n"
    )
    with tempfile.TemporaryDirectory() as place, limit_threads(1):
        for number, (organisms, share) in enumerate(rows):
            folder = Path(place) / str(number)
            folder.mkdir()
            stores = [write_store(data, name, share, window, folder / f"{name}.zarr") for name in organisms]
            started = time.process_time()
            settings = TrainingSettings(epochs=epochs, **chosen)
            report = train_model(
                stores, folder / "model", settings=settings, running=Running(accelerator="cpu"), seed=seed
            )
            seconds = time.process_time() - started
            scores = scored(folder / "model", stores[0], fold, window, seed).set_index(
                ["embedding", "metric"]
            )

            def cell(
                name: str, target: str = "all tracks", metric: str = "pearson", scores: pd.DataFrame = scores
            ) -> pd.Series:
                found = scores.loc[[(name, metric)]]
                return found[found["target"].str.endswith(f" {target}")].iloc[0]

            own, gain = cell("model"), cell("model", metric="pearson_difference")
            assays = [
                f"{cell('model', f'{assay} tracks')['value']:.3f}, {cell('ridge', f'{assay} tracks')['value']:.3f}"
                for assay in ("DNASE", "CAGE", "RNA")
            ]
            count = round(share * 45) + (28 if "mouse" in organisms else 0)
            sys.stdout.write(
                f"| {' and '.join(organisms)} | {count} | {report.best_epoch} | {own['value']:.3f} [{own['low']:.3f}, {own['high']:.3f}] | "
                f"{cell('ridge')['value']:.3f} | {gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}] | {' | '.join(assays)} | "
                f"{cell('shuffled')['value']:.3f} | {seconds:.0f} |\n"
            )
            sys.stdout.flush()
