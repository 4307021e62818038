"""DeepDiffChrome's 600 genes and Chromoformer's 100: methods with intervals, the epigenesis map and a 100-fold design on real marks."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.chromatin_data import chromoformer, deepdiff
from cistron.chromatin import (
    ChromatinModel,
    ExpressionPredictor,
    MarkRidgeSettings,
    NetworkSettings,
    predict_expression,
)
from cistron.chromatin.design import design_epigenome, edited_blocks
from cistron.chromatin.design_tables import mean_edit
from cistron.chromatin.epigenesis import epigenesis
from cistron.chromatin.settings import DesignSettings, EpigenesisSettings
from cistron.chromatin.splits import TwoAxisSplit, choose_split
from cistron.formats.gene_tracks import GeneTracks
from cistron.genes.splits import Split
from cistron.statistics.bootstrap import block_draws, percentile_interval

MEMBERS = 8
KEPT = (
    Path(tempfile.gettempdir()) / "cistron_benchmarks" / "chromatin_real"
)  # what an interrupted run goes on from
# Epochs of the last fit, which has no validation part left: chosen by `python -m benchmarks chromatin_choice`.
EPOCHS = {"network": 12, "per-cell": 16, "network as published": 20}
BASE = dataclasses.replace(NetworkSettings(), members=MEMBERS)
METHODS = {
    "network": ("network", BASE),
    "per-cell": ("per-cell", dataclasses.replace(NetworkSettings.per_cell(), members=MEMBERS)),
    "network as published": ("network", NetworkSettings.paper()),
    "ridge, promoter": ("ridge", MarkRidgeSettings()),
    "ridge, 1-kb bins": ("ridge", MarkRidgeSettings(bins=20)),
    "ridge, 2-kb bins": ("ridge", MarkRidgeSettings(bins=10)),
}


def weighted(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Pearson correlation with each gene taken ``weight`` times, [draw]."""
    total = weight.sum(axis=1)
    mean = [(weight @ part) / total for part in (first, second, first * second, first**2, second**2)]
    spread = (mean[3] - mean[0] ** 2) * (mean[4] - mean[1] ** 2)
    return (mean[2] - mean[0] * mean[1]) / np.sqrt(np.maximum(spread, 1e-12))


def scores(
    predicted: np.ndarray, observed: np.ndarray, draws: int = 2000
) -> list[tuple[float, float, float]]:
    """Across genes (mean over cell types) and difference of two cell types, with 95% bootstrap intervals over genes."""
    weight = np.vstack([np.ones(predicted.shape[1]), block_draws(predicted.shape[1], draws, 0)])
    found = [np.mean([weighted(p, o, weight) for p, o in zip(predicted, observed)], axis=0)]
    if len(predicted) == 2:
        found.append(weighted(predicted[0] - predicted[1], observed[0] - observed[1], weight))
    return [(float(v[0]), *map(float, percentile_interval(v[1:]))) for v in found]


def text(found: Sequence[tuple[float, float, float]]) -> str:
    """Scores as text."""
    return "   ".join(f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in found)


def part_of(result, part: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]  # AnnData
    """Predicted and observed values of a part, [cell type, gene]."""
    rows = (result.var["split"] == part).to_numpy()
    return np.asarray(result.layers["predicted"])[:, rows], np.asarray(result.layers["observed"])[:, rows]


def fitted_on_all(store: GeneTracks, name: str, permuted: bool = False) -> ChromatinModel:
    """Fit a method on the 400 genes, for a number of epochs that was chosen before."""
    method, settings = METHODS[name]
    if isinstance(settings, NetworkSettings):
        fit = dataclasses.replace(settings.fit, epochs=EPOCHS[name], patience=None)
        members = 3 if permuted else settings.members
        settings = dataclasses.replace(settings, fit=fit, members=members)
    predictor = ExpressionPredictor(settings, method=method, seed=1)
    return predictor.fit(store, permuted=permuted, directory=KEPT / f"{name} {permuted}")


def main() -> None:
    """Print the comparison on both sets, then map and design."""
    choosing, store = deepdiff(), deepdiff(merge_validation=True)
    print(
        "DeepDiffChrome: 2 cell types x 5 marks x 200 bins, log1p counts; across genes (mean of both), difference of both"
    )
    print(
        "chosen on the 200 validation genes (fitted on 200), then fitted on 400, tested on 200; 95% bootstrap over genes"
    )
    network = None
    for name, (method, settings) in METHODS.items():
        first = ExpressionPredictor(settings, method=method, seed=1).fit(
            choosing, directory=KEPT / f"{name} choosing"
        )
        last = fitted_on_all(store, name)
        network = network or last
        validation = text(scores(*part_of(predict_expression(first, choosing), "validation")))
        test = text(scores(*part_of(predict_expression(last, store), "test")))
        print(f"{name:22} validation {validation}   test {test}   epochs {EPOCHS.get(name, '-')}", flush=True)
    control = fitted_on_all(store, "network", permuted=True)
    print(
        f"{'network, permuted':22} test {text(scores(*part_of(predict_expression(control, store), 'test')))}"
    )
    assert network is not None
    second_look()
    effects(network, store)
    hundredfold(network, store)


def second_look() -> None:
    """Five folds over Chromoformer's 100 genes with the settings of before; nothing is chosen here."""
    store = chromoformer()
    order = np.random.default_rng(0).permutation(len(store.genes))
    names = np.array(store.genes)
    print(
        "\nChromoformer's example: 100 genes x 7 marks x 400 bins in H1, log1p RPKM; five folds, pooled correlation across genes"
    )
    for name in ("network", "ridge, promoter", "ridge, 1-kb bins"):
        method, settings = METHODS[name]
        predicted = np.empty(len(names))
        for fold in range(5):
            test = frozenset(names[order[fold::5]])
            split = Split(frozenset(names) - test, frozenset(), test)
            parts = TwoAxisSplit(split, choose_split(store).cell_types)
            if isinstance(settings, NetworkSettings):
                fit = dataclasses.replace(settings.fit, epochs=12, patience=None)
                settings = dataclasses.replace(settings, members=3, fit=fit)
            model = ExpressionPredictor(settings, method=method, seed=1).fit(store, split=parts)
            values = np.asarray(predict_expression(model, store).layers["predicted"])[0]
            rows = np.isin(names, list(test))
            predicted[rows] = values[rows]
        found = scores(predicted[None], store.require_expression().T)
        print(f"{name:22} {text(found)}")


def effects(model: ChromatinModel, store: GeneTracks) -> None:
    """Print where each mark does most, on empty and on real background."""
    test = np.flatnonzero(np.isin(store.genes, model.facts["genes"]["test"]))
    for background in ("empty", "ablated"):
        asked = EpigenesisSettings(background=background, genes=60)  # type: ignore[arg-type]
        found = epigenesis(model, store, test, asked)
        table = found.table[found.table["read_in"] == "all"]
        print(
            f"\nepigenesis, {background} background, peak of 20 reads a bin in both cell types: effect by kb from the start site"
        )
        starts = sorted(table["start"].unique())
        print("mark      " + "".join(f"{start // 1000:+6d}" for start in starts))
        for mark, rows in table.groupby("mark", sort=False):
            row = rows.sort_values("start")
            stars = np.where((row["low"] > 0) | (row["high"] < 0), "*", " ")
            print(f"{mark:10}" + "".join(f"{value:+5.2f}{star}" for value, star in zip(row["effect"], stars)))
    print(
        "(* 95% interval off zero: over networks on the empty background, over 60 test genes on the real marks)"
    )


def hundredfold(model: ChromatinModel, store: GeneTracks) -> None:
    """Design a 100-fold rise of both cell types for lowly expressed test genes and print the mean edit by mark and place."""
    level = store.require_expression().mean(axis=1)
    test = np.flatnonzero(np.isin(store.genes, model.facts["genes"]["test"]))
    low = test[np.argsort(level[test])[:10]]
    design = design_epigenome(model, store, low, DesignSettings(fold=100.0))
    share, judged = design.share(design.achieved), design.share(design.judged)
    print(
        f"\n100-fold design of the 10 lowest test genes, both cell types: {np.mean(share >= 0.899):.0%} reach 90% of the wanted change; mean "
        f"{share.mean():.0%}, by the judge {judged.mean():.0%}; size {design.size.mean():.1f}, {edited_blocks(design).mean():.0f} blocks"
    )
    table = mean_edit(design, store, model.marks)
    starts = sorted(table["start"].unique())
    print("mean edit " + "".join(f"{start // 1000:+6d}" for start in starts))
    for mark, rows in table.groupby("mark", sort=False):
        print(f"{mark:10}" + "".join(f"{value:+6.2f}" for value in rows.sort_values("start")["change"]))
