"""CPU seconds on 500 genes x 5,000 cells, and boosted trees against arboreto's GRNBoost2 in one process tree.

``CISTRON_PEER_ARBORETO`` is the Python of an environment with benchmarks/peers/arboreto.txt; without it the peer is left out.
The peer runs on every fifth target: its seconds are multiplied by 5, and AUPRC is compared on these targets.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edge_truth import average_precision
from cistron.formats.expression_scale import log_normalise
from cistron.networks.combined import DefaultSettings
from cistron.networks.methods import METHODS

NAMES = (
    "mean-shift",
    "wasserstein",
    "direct",
    "default",
    "correlation",
    "partial-correlation",
    "trees",
    "catran",
)


def auprc(weight: np.ndarray, true: np.ndarray, step: int = 1) -> float:
    """AUPRC over ordered pairs whose target is every ``step``-th gene."""
    pairs = ~np.eye(len(true), dtype=bool)
    pairs[:, np.arange(len(true)) % step > 0] = False
    return average_precision(np.nan_to_num(weight[pairs], nan=-np.inf), true[pairs] != 0)


def grnboost2(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of every fifth target and CPU seconds of the peer."""
    python = os.environ["CISTRON_PEER_ARBORETO"]
    script = Path(__file__).parent / "peers" / "run_grnboost2.py"
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/matrix.npy", values)
        done = subprocess.run(
            [python, str(script), f"{folder}/matrix.npy", "0", "5", f"{folder}/weight.npy"],
            capture_output=True,
            text=True,
            check=True,
            env={"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]},
        )
        return np.load(f"{folder}/weight.npy"), 5 * float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Print CPU and wall seconds and AUPRC of each method."""
    cells, true = planted_cells(1000, genes=500, cells_per_knockout=6, counts_per_gene=3.0)
    print(f"{cells.values.shape[0]:,} cells x {len(cells.genes)} genes, 6 cells per knock-out, seed 1000")
    print("method                 CPU s   wall s   AUPRC")
    mine, fifth = 0.0, 0.0
    for name in NAMES:
        record = METHODS[name]
        settings = DefaultSettings(resamples=0) if name == "default" else record.settings()
        cpu, wall = time.process_time(), time.perf_counter()
        network = record.infer(cells, settings, 0)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if name == "trees":
            mine, fifth = cpu, auprc(network.weight, true, 5)
        print(f"{name:20} {cpu:7.2f}  {wall:7.2f}   {auprc(network.weight, true):.4f}", flush=True)
    if "CISTRON_PEER_ARBORETO" in os.environ:
        weight, seconds = grnboost2(log_normalise(cells.values, "counts").toarray())
        print(
            f"GRNBoost2 (arboreto) on 100 targets, times 5: {seconds:.0f} CPU s, {seconds / mine:.1f} times those of trees"
        )
        print(f"AUPRC on these 100 targets: GRNBoost2 {auprc(weight, true, 5):.4f}, trees {fifth:.4f}")
