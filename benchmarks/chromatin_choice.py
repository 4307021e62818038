"""What was chosen on DeepDiffChrome's validation genes (fitted on its 200 training genes): shape of the network, epochs."""

import dataclasses

import numpy as np

from benchmarks.chromatin_data import deepdiff
from benchmarks.chromatin_real import part_of, scores, text
from cistron.chromatin import ExpressionPredictor, NetworkSettings, predict_expression
from cistron.chromatin.splits import TwoAxisSplit, choose_split
from cistron.genes.splits import Split

BASE = NetworkSettings()
SHAPES = {
    "default": {},
    "each cell type alone": {"merge": "none"},
    "late": {"merge": "late"},
    "max pooling": {"pooling": "max"},
    "batch normalisation": {"norm": "batch"},
    "32 channels": {"channels": 32},
    "1-kb positions": {"coarse": 10, "kernel": 3},
    "200-bp positions, 6 blocks": {"coarse": 2, "kernel": 11, "dilations": (1, 1, 1, 2, 2, 4)},
    "linear path of 20 bins": {"linear_bins": 20},
    "linear path of 5 bins": {"linear_bins": 5},
    "dropout 0.2": {"dropout": 0.2},
    "no subsets": {"subsets": 0.0},
    "average head": {"head": "average"},
}


def main() -> None:
    """Print validation scores: stopped early on the validation part, then with fixed epochs that never saw it."""
    store = deepdiff()
    print("validation genes: across genes, difference between the two cell types (95% bootstrap)")
    for name, changes in SHAPES.items():
        settings = dataclasses.replace(BASE, **changes)  # type: ignore[arg-type]
        method = "per-cell" if settings.merge == "none" else "network"
        model = ExpressionPredictor(settings, method=method, seed=1).fit(store)
        found = text(scores(*part_of(predict_expression(model, store), "validation")))
        print(f"{name:28} {found}   epochs {model.facts['epochs']}", flush=True)
    whole = choose_split(store)
    parts = TwoAxisSplit(Split(whole.genes.train, frozenset(), whole.genes.test), whole.cell_types)
    held = np.isin(store.genes, list(whole.genes.validation))
    for merge, method in (("interleaved", "network"), ("none", "per-cell")):
        for epochs in (8, 12, 16, 24):
            fit = dataclasses.replace(BASE.fit, epochs=epochs, patience=None)
            settings = dataclasses.replace(BASE, merge=merge, fit=fit)  # type: ignore[arg-type]
            model = ExpressionPredictor(settings, method=method, seed=1).fit(store, split=parts)
            result = predict_expression(model, store)
            result.var["split"] = np.where(held, "validation", "other")
            print(
                f"{method}, {epochs} epochs".ljust(28),
                text(scores(*part_of(result, "validation"))),
                flush=True,
            )
