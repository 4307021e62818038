"""Methods that fit a model (CaTran mended and as published, trees) beside the default on planted networks."""

import time

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.truth import average_precision
from cistron.networks.methods import METHODS

SEEDS = range(1000, 1003)
DESIGNS = [("hubs", 1.0, 30), ("hubs", 12.0, 100), ("flat", 1.0, 30), ("flat", 12.0, 100)]
CHOSEN = [
    ("catran", "default"),
    ("catran", "paper"),
    ("trees", "default"),
    ("mean-shift", "default"),
    ("random", "default"),
]


def main() -> None:
    """Print AUPRC and CPU seconds."""
    names = [f"{method} ({preset})" if preset == "paper" else method for method, preset in CHOSEN]
    print(
        f"AUPRC (CPU seconds), mean of seeds {SEEDS.start} to {SEEDS.stop - 1}; 100 genes, 2,000 control cells"
    )
    print("world".ljust(24) + " ".join(name.rjust(16) for name in names))
    for shape, depth, each in DESIGNS:
        cells_text = []
        worlds = [
            planted_cells(seed, shape=shape, counts_per_gene=depth, cells_per_knockout=each) for seed in SEEDS
        ]
        for method, preset in CHOSEN:
            record = METHODS[method]
            values, started = [], time.process_time()
            for cells, true in worlds:
                pairs = ~np.eye(len(true), dtype=bool)
                network = record(cells, record.settings_of(preset), 0)
                values.append(
                    average_precision(np.nan_to_num(network.weight[pairs], nan=-np.inf), true[pairs] != 0)
                )
            seconds = (time.process_time() - started) / len(worlds)
            cells_text.append(f"{np.mean(values):.3f} ({seconds:.1f})".rjust(16))
        print(f"{shape}, {depth:g} UMI, {each} cells".ljust(24) + " ".join(cells_text), flush=True)
