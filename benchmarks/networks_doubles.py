"""What cells with two perturbed genes add to the default method, on planted networks (100 genes, 1,000 control cells)."""

import os
from dataclasses import replace

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.truth import average_precision
from cistron.networks.combined import infer_default
from cistron.networks.settings import DefaultSettings

SEEDS = range(1000, 1000 + int(os.environ.get("CISTRON_NETWORKS_SEEDS", "6")))
# UMI a gene, cells a knock-out, pairs, cells a pair
DESIGNS = {
    "1 UMI, 20 cells, 100 pairs": (1.0, 20, 100, 20),
    "1 UMI, 20 cells, 300 pairs": (1.0, 20, 300, 20),
    "6 UMI, 20 cells, 300 pairs": (6.0, 20, 300, 20),
}


def main() -> None:
    """Print AUPRC and likely pairs without the cells of pairs and with them, by topology and design; hubs and flat."""
    print(
        "screen                             AUPRC without  with   gain [95%]                right, false with P >= .5"
    )
    for shape in ("hubs", "flat"):
        for title, (depth, each, pairs, cells_each) in DESIGNS.items():
            rows = []
            for seed in SEEDS:
                cells, true = planted_cells(
                    seed,
                    shape=shape,
                    counts_per_gene=depth,
                    control_cells=1000,
                    cells_per_knockout=each,
                    double_knockouts=pairs,
                    cells_per_double=cells_each,
                )
                off = ~np.eye(len(true), dtype=bool)
                row: list[float] = []
                for given in (replace(cells, pairs=None), cells):
                    network = infer_default(given, DefaultSettings(resamples=0), 0)
                    likely, edge = network.weight[off] >= 0, true[off] != 0
                    row += [
                        average_precision(network.weight[off], edge),
                        (likely & edge).sum(),
                        (likely & ~edge).sum(),
                    ]
                rows.append(row)
            table = np.array(rows)
            gain = table[:, 3] - table[:, 0]
            error = 2.571 * gain.std(ddof=1) / np.sqrt(len(gain))  # t of 5 degrees of freedom
            before, after = table[:, 1:3].sum(axis=0).astype(int), table[:, 4:].sum(axis=0).astype(int)
            print(
                f"{shape}, {title:28} {table[:, 0].mean():.3f}          {table[:, 3].mean():.3f}  {gain.mean():+.3f} "
                f"[{gain.mean() - error:+.3f}, {gain.mean() + error:+.3f}]   {before[0]}, {before[1]} to {after[0]}, {after[1]}",
                flush=True,
            )
