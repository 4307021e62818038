"""DeepDiffChrome's test genes: the default network beside every ridge and boosting, with paired bootstrap intervals over genes.

Nothing is chosen here: the default settings, and epochs from ``chromatin_choice`` (17, the mean of the stops on the validation genes).
Chromoformer's 100 genes (five folds): what ridge sees that a network does not.
"""

import dataclasses
from typing import Any

import numpy as np

from benchmarks.chromatin_data import chromoformer, deepdiff
from benchmarks.chromatin_real import part_of, scores, text, weighted
from cistron.chromatin import ExpressionPredictor, MarkRidgeSettings, NetworkSettings, predict_expression
from cistron.chromatin.settings_peers import BoostingSettings
from cistron.chromatin.splits import TwoAxisSplit, choose_split
from cistron.genes.splits import Split
from cistron.statistics.bootstrap import block_draws, percentile_interval

EPOCHS, MEMBERS, FITS = 17, 3, 5


def fixed(settings: NetworkSettings) -> NetworkSettings:
    """The same settings for a fixed number of epochs."""
    fit = dataclasses.replace(settings.fit, epochs=EPOCHS, patience=None)
    return dataclasses.replace(settings, fit=fit)


def paired(first: np.ndarray, second: np.ndarray, observed: np.ndarray) -> str:
    """Difference of two methods on the same genes: across genes, and of the difference of both cell types."""
    weight = np.vstack([np.ones(first.shape[1]), block_draws(first.shape[1], 2000, 0)])
    found = []
    for values in (
        [
            np.mean([weighted(p, o, weight) for p, o in zip(part, observed)], axis=0)
            for part in (first, second)
        ],
        [weighted(part[0] - part[1], observed[0] - observed[1], weight) for part in (first, second)],
    ):
        change = values[0] - values[1]
        low, high = percentile_interval(change[1:])
        found.append(f"{change[0]:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "   ".join(found)


def main() -> None:
    """Print two tables."""
    store = deepdiff(merge_validation=True)
    predicted: dict[str, np.ndarray] = {}
    rows: dict[str, tuple[str, Any]] = {
        "network": ("network", fixed(NetworkSettings(members=FITS * MEMBERS))),
        "per-cell": (
            "per-cell",
            fixed(dataclasses.replace(NetworkSettings.per_cell(), members=MEMBERS)),
        ),
        "boosting": ("boosting", BoostingSettings(trees=100)),
        "ridge, promoter": ("ridge", MarkRidgeSettings()),
        "ridge, 1-kb bins": ("ridge", MarkRidgeSettings(bins=20)),
        "ridge, 2-kb bins": ("ridge", MarkRidgeSettings(bins=10)),
    }
    observed = np.empty(0)
    print(
        f"DeepDiffChrome, 400 training genes, 200 test genes: across genes, difference of both cell types; {EPOCHS} epochs"
    )
    for name, (method, settings) in rows.items():
        model = ExpressionPredictor(settings, method=method, seed=1).fit(store)
        values, observed = part_of(predict_expression(model, store), "test")
        predicted[name] = values
        print(f"{name:20} {text(scores(values, observed))}", flush=True)
    for name in list(rows)[1:]:
        print(f"network - {name:20} {paired(predicted['network'], predicted[name], observed)}", flush=True)
    folds()


def folds() -> None:
    """Print the second table."""
    store = chromoformer()
    order = np.random.default_rng(0).permutation(len(store.genes))
    names = np.array(store.genes)
    whole = choose_split(store)
    observed = store.require_expression().T
    rows: dict[str, tuple[str, Any]] = {
        "ridge, 1-kb bins": ("ridge", MarkRidgeSettings(bins=40)),
        "ridge, 4-kb bins": ("ridge", MarkRidgeSettings(bins=10)),
        "ridge, whole window": ("ridge", MarkRidgeSettings(bins=1)),
        "ridge, promoter": ("ridge", MarkRidgeSettings()),
        "boosting": ("boosting", BoostingSettings(trees=60, minimum_examples=5)),
        "network": ("network", fixed(NetworkSettings(members=MEMBERS))),
        "network, 2-kb positions": ("network", fixed(NetworkSettings(members=MEMBERS, coarse=20, kernel=3))),
        "network on the linear path": ("network", fixed(NetworkSettings(members=MEMBERS, linear_bins=40))),
        "network, convolutional": (
            "network",
            fixed(dataclasses.replace(NetworkSettings.convolutional(), members=MEMBERS)),
        ),
    }
    print("Chromoformer, 100 genes of one cell type, five folds: across genes")
    for name, (method, settings) in rows.items():
        values = np.empty_like(observed)
        for part in np.array_split(order, 5):
            held = frozenset(names[part].tolist())
            split = TwoAxisSplit(Split(frozenset(store.genes) - held, frozenset(), held), whole.cell_types)
            model = ExpressionPredictor(settings, method=method, seed=1).fit(store, split=split)
            values[:, part] = predict_expression(model, store).layers["predicted"][:, part]
        print(f"{name:30} {text(scores(values, observed))}", flush=True)


if __name__ == "__main__":
    main()
