"""A small model on the 65 human and 54 mouse sequences of baskerville_tiny, beside the k-mer ridge: learning curve, human alone and with mouse.

The data are found through CISTRON_TEST_DATA; ``python -m benchmarks sequence_real``. Takes an hour of CPU; environment variables SHARES (of the
training sequences, comma-separated) and EPOCHS shorten it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from cistron.formats.store import seal_store
from cistron.formats.tracks import create_tracks
from cistron.runtime import limit_threads
from cistron.sequence.data import track_columns
from cistron.sequence.inputs_targets import read_targets
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training import Running, train_model
from cistron.sequence.training_store import MARGIN, METHOD


def write_store(folder: Path, build: str, organism: str, share: float, output: Path) -> Path:
    """Write the decoded records as a store, with a share of the training sequences."""
    with np.load(folder / f"{build}_tiny_seq_targets.npz") as arrays:
        codes, targets = arrays["sequence_idx_ACGT0123_N4"], arrays["targets"]
    bed = pd.read_csv(folder / f"{build}_sequences.bed", sep="\t", header=None)
    kept = np.ones(len(bed), bool)
    training = np.flatnonzero(bed[3] == "train")
    kept[training[round(share * len(training)) :]] = False
    bed, codes, targets = bed[kept].reset_index(drop=True), codes[kept], targets[kept]
    sequences = pd.DataFrame(
        {
            "name": bed[0] + ":" + bed[1].astype(str),
            "chromosome": bed[0],
            "start": bed[1],
            "end": bed[2],
            "strand": ".",
            "fold": bed[3],
        }
    )
    table = read_targets(folder / f"{build}_targets.txt")
    create_tracks(
        output,
        name=organism,
        method=METHOD,
        sequences=sequences,
        tracks=track_columns(table, organism, {}),
        bins=targets.shape[1],
        bin_size=32,
        genome_build=build,
        parameters={"share": share},
    )
    root = zarr.open_group(str(output), mode="r+")
    width = codes.shape[1] + 2 * MARGIN
    dna = root.create_array("dna", shape=(len(codes), width), chunks=(1, width), dtype="uint8", fill_value=4)
    dna[:, MARGIN:-MARGIN] = codes
    root["values"][:] = targets.transpose(0, 2, 1)[:, None].astype(np.float32)
    seal_store(output)
    return output


def main() -> None:
    """Print one table."""
    from cistron.cli import main as cistron

    data = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data")) / "sequence" / "baskerville_tiny"
    shares = [float(share) for share in os.environ.get("SHARES", "0.33,0.67,1").split(",")]
    epochs = int(os.environ.get("EPOCHS", "30"))
    rows = [(("human",), share) for share in shares] + [(("human", "mouse"), shares[-1])]
    sys.stdout.write(
        "| trained on | sequences | Pearson, test | 95% interval | k-mer ridge | difference | shuffled DNA | CPU s |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as place, limit_threads(1):
        for number, (organisms, share) in enumerate(rows):
            folder = Path(place) / str(number)
            folder.mkdir()
            stores = [
                write_store(
                    data, {"human": "hg38", "mouse": "mm10"}[name], name, share, folder / f"{name}.zarr"
                )
                for name in organisms
            ]
            started = time.process_time()
            settings = TrainingSettings(
                epochs=epochs, batch_size=4, learning_rate=2e-3, warmup_steps=30, dropout=0.2
            )
            train_model(stores, folder / "model", settings=settings, running=Running(accelerator="cpu"))
            seconds = time.process_time() - started
            arguments = [folder / "model", stores[0], "--no-report", "--device", "cpu", "--threads", "1"]
            code = cistron(
                ["sequence", "evaluate", *map(str, arguments), "--output", str(folder / "result"), "--quiet"]
            )
            if code:
                raise SystemExit(code)
            scores = pd.read_parquet(folder / "result" / "scores.parquet")
            whole = scores[scores["target"].str.endswith("all tracks")]
            own = whole[whole["metric"] == "pearson"].set_index("embedding")
            gain = whole[whole["metric"] == "pearson_difference"].set_index("embedding").loc["model"]
            sys.stdout.write(
                f"| {' and '.join(organisms)} | {round(share * 45)} | {own.loc['model', 'value']:.3f} | "
                f"{own.loc['model', 'low']:.3f} to {own.loc['model', 'high']:.3f} | {own.loc['k-mer ridge', 'value']:.3f} | "
                f"{gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}] | "
                f"{own.loc['model, shuffled DNA', 'value']:.3f} | {seconds:.0f} |\n"
            )
            sys.stdout.flush()
