"""What weighing cells by the chance that their perturbation took effect gains, where few and where many cells escaped it."""

import numpy as np

from benchmarks.networks_designs import screen_of
from cistron.evaluation.edges.truth import average_precision
from cistron.networks.combined import infer_default
from cistron.networks.escapers import cell_weights, chance_of_effect
from cistron.networks.settings import DefaultSettings

SEEDS = range(1000, 1006)
DEPTHS = {"1 UMI, 30 cells": (1.0, 30), "4 UMI, 30 cells": (4.0, 30), "12 UMI, 60 cells": (12.0, 60)}


def main() -> None:
    """Print AUPRC without and with weights by depth and share of escapers; 100 genes, hubs and flat in turn, linear."""
    print(
        "screen               escaped  found  weighed   AUPRC without  with   gain [least, most of six seeds]"
    )
    for title, (depth, each) in DEPTHS.items():
        for escaping in (0.05, 0.3):
            rows = []
            for seed in SEEDS:
                design = {
                    "kind": "linear",
                    "shape": "flat" if seed % 2 else "hubs",
                    "counts_per_gene": depth,
                    "cells_each": each,
                    "escaping": escaping,
                }
                cells, true = screen_of(design, seed)
                off = ~np.eye(len(true), dtype=bool)
                scores = [
                    average_precision(
                        infer_default(cells, DefaultSettings(resamples=0, escapers=use), 0).weight[off],
                        true[off] != 0,
                    )
                    for use in (False, True)
                ]
                rows.append((chance_of_effect(cells)[1], cell_weights(cells) is not None, *scores))
            table = np.array(rows, dtype=float)
            gain = table[:, 3] - table[:, 2]
            print(
                f"{title:20} {escaping:7.0%} {table[:, 0].mean():6.0%} {int(table[:, 1].sum()):5d} of 6"
                f"   {table[:, 2].mean():.3f}          {table[:, 3].mean():.3f}  {gain.mean():+.3f} [{gain.min():+.3f}, {gain.max():+.3f}]",
                flush=True,
            )
