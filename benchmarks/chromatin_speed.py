"""Seconds of an epoch of 10,000 genes x 12 cell types x 6 marks x 200 bins (32 channels, 6 blocks), measured on a part; memory."""

import dataclasses
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cistron.chromatin.network import ChromatinNetwork
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.signal import Signal
from cistron.chromatin.training import Examples, TrainingBatches, expression_loss
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks, create_gene_tracks
from cistron.training import fit

GENES, PART, CELLS, MARKS, BINS = 10_000, 320, 12, 6, 200
FULL = dataclasses.replace(
    NetworkSettings.paper(),
    fit=dataclasses.replace(NetworkSettings().fit, epochs=1, patience=None),
)
RUNS = {
    "late": FULL,
    "interleaved": dataclasses.replace(FULL, merge="interleaved"),
    "late, halved behind block 1": dataclasses.replace(FULL, halve=True),
    "default shape (500-bp positions)": dataclasses.replace(
        NetworkSettings(), subsets=0.0, mark_dropout=0.0, fit=FULL.fit
    ),
}


def store_of(genes: int) -> GeneTracks:
    """Random marks on disk."""
    random = np.random.default_rng(0)
    folder = Path(tempfile.mkdtemp())
    names = [f"gene{number}" for number in range(genes)]
    sequences = pd.DataFrame({"name": names, "chromosome": "chr1", "start": 0, "end": 20_000, "strand": "+"})
    cells, marks = [f"c{n}" for n in range(CELLS)], [f"m{n}" for n in range(MARKS)]
    origin = pd.DataFrame(columns=["cell_type", "mark", "source", "kind", "sha256"])
    store = create_gene_tracks(
        folder / "random.zarr", genes=sequences, cell_types=cells, marks=marks, bins=BINS, bin_size=100,
        measured=np.ones((CELLS, MARKS), bool), expression=random.random((genes, CELLS)), scale="log1p_tpm",
        origin=origin, name="random", method="random", parameters={"transform": "log1p-mean"},
    )  # fmt: skip
    for start in range(0, genes, GENES_PER_CHUNK):
        size = min(GENES_PER_CHUNK, genes - start)
        store.tracks.values[start : start + size] = random.random((size, CELLS, MARKS, BINS), np.float32)
    return store


def seconds(examples: Examples, settings: NetworkSettings, precision: str) -> float:
    """Seconds of an epoch, scaled to 10,000 genes; the first steps are not counted."""
    settings = dataclasses.replace(
        settings, batch_size=32, fit=dataclasses.replace(settings.fit, precision=precision)
    )
    torch.manual_seed(0)
    model = ChromatinNetwork(MARKS, BINS, settings)
    clock: list[float] = []

    def loss(module, batch):  # type: ignore[no-untyped-def]
        clock.append(time.perf_counter())
        return expression_loss(module, batch)

    fit(model, loss, lambda epoch: TrainingBatches(examples, settings, 0, epoch), settings=settings.fit)
    return (clock[-1] - clock[2]) / (len(clock) - 3) * GENES / 32


def main() -> None:
    """Print a table of seconds, then memory of holding and of streaming."""
    torch.set_num_threads(2)
    store = store_of(PART)
    signal = Signal(store, np.arange(PART))
    examples = Examples(signal, store.require_expression())
    print(
        f"seconds an epoch of {GENES:,} genes x {CELLS} x {MARKS} x {BINS}, measured on {PART} genes, 2 threads, torch {torch.__version__}"
    )
    print("shape                               float32   bfloat16   weights")
    for name, settings in RUNS.items():
        values = [seconds(examples, settings, precision) for precision in ("32-true", "bf16-mixed")]
        weights = sum(p.numel() for p in ChromatinNetwork(MARKS, BINS, settings).parameters())
        print(f"{name:34} {values[0]:8.1f}   {values[1]:8.1f}   {weights:,}", flush=True)
    memory()


def memory() -> None:
    """Print by how much the process grows when 2,000 genes are streamed and when they are held."""
    store = store_of(2000)
    size = np.prod(store.tracks.values.shape) * 4 / 1e6
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    streamed = Signal(store, np.arange(2000), memory=0)
    for _ in streamed.shuffled(32, 0, 0):
        pass
    middle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    held = Signal(store, np.arange(2000))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"2,000 genes are {size:.0f} MB; peak memory grows by {middle - before:.0f} MB when streamed, {after - middle:.0f} MB more when held"
    )
    assert held.in_memory
    assert not streamed.in_memory
