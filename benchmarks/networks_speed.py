"""CPU seconds on 500 genes x 5,000 cells, and boosted trees against arboreto's GRNBoost2 in one process tree.

``CISTRON_PEER_ARBORETO`` is the Python of an environment with benchmarks/peers/arboreto.txt; without it the peer is left out.
Trees and the peer run on every 25th target: 20 of 500.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.truth import average_precision
from cistron.formats.expression_scale import log_normalise
from cistron.networks.methods import METHODS
from cistron.networks.settings import DefaultSettings, TreesSettings
from cistron.networks.trees import boosted_trees

NAMES = ("mean-shift", "wasserstein", "direct", "default", "correlation", "partial-correlation", "catran")
STEP = 25


def auprc(weight: np.ndarray, true: np.ndarray, step: int = 1) -> float:
    """AUPRC over ordered pairs whose target is every ``step``-th gene."""
    pairs = ~np.eye(len(true), dtype=bool)
    pairs[:, np.arange(len(true)) % step > 0] = False
    return average_precision(np.nan_to_num(weight[pairs], nan=-np.inf), true[pairs] != 0)


def grnboost2(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and CPU seconds of the peer."""
    python = os.environ["CISTRON_PEER_ARBORETO"]
    script = Path(__file__).parent / "peers" / "run_grnboost2.py"
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/matrix.npy", values)
        done = subprocess.run(
            [python, str(script), f"{folder}/matrix.npy", "0", str(STEP), f"{folder}/weight.npy"],
            capture_output=True,
            text=True,
            check=True,
            env={"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]},
        )
        return np.load(f"{folder}/weight.npy"), float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Print CPU and wall seconds and AUPRC of each method."""
    cells, true = planted_cells(1000, genes=500, cells_per_knockout=6, counts_per_gene=3.0)
    print(f"{cells.values.shape[0]:,} cells x {len(cells.genes)} genes, 6 cells per knock-out, seed 1000")
    print("method                 CPU s   wall s   AUPRC")
    for name in NAMES:
        record = METHODS[name]
        settings = DefaultSettings(resamples=0) if name == "default" else record.settings()
        cpu, wall = time.process_time(), time.perf_counter()
        network = record(cells, settings, 0)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(f"{name:20} {cpu:7.2f}  {wall:7.2f}   {auprc(network.weight, true):.4f}", flush=True)
    values = log_normalise(cells.values, "counts").toarray()
    targets = range(0, len(cells.genes), STEP)
    cpu = time.process_time()
    weight = np.zeros(true.shape, dtype=np.float32)
    weight[:, ::STEP] = boosted_trees(values, targets, TreesSettings(), 0)
    cpu = time.process_time() - cpu
    print(
        f"trees on {len(targets)} targets: {cpu:.1f} CPU s, AUPRC {auprc(weight, true, STEP):.4f}", flush=True
    )
    if "CISTRON_PEER_ARBORETO" in os.environ:
        weight, seconds = grnboost2(values)
        print(
            f"GRNBoost2 (arboreto) on the same targets: {seconds:.1f} CPU s, AUPRC {auprc(weight, true, STEP):.4f}"
        )
        print(f"GRNBoost2 / trees: {seconds / cpu:.1f} times the CPU seconds")
