"""Planted networks of 100 genes, reserved seeds: AUPRC of the methods, signs, calibration, ablation of the default."""

import itertools
from collections.abc import Callable

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.truth import average_precision, calibration_error
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.combined import infer_default
from cistron.networks.covariation import co_variation
from cistron.networks.effects import direct_effects, mean_shift
from cistron.networks.network import Network
from cistron.networks.settings import DefaultSettings
from cistron.networks.wasserstein_distance import wasserstein

SEEDS = range(1000, 1010)
DESIGNS = list(itertools.product(("hubs", "flat"), (1.0, 12.0), (30, 100)))
METHODS: dict[str, Callable[[PerturbedCells], Network]] = {
    "default": lambda cells: infer_default(cells, DefaultSettings(resamples=0), 0),
    "mean-shift": lambda cells: mean_shift(cells, "moderated"),
    "direct": lambda cells: direct_effects(cells, 3.0),
    "(welch)": lambda cells: mean_shift(cells, "welch"),
    "(difference)": lambda cells: mean_shift(cells, "difference"),
    "wasserstein": wasserstein,
    "correlation": lambda cells: co_variation(cells, False, 20_000, 0),
    "partial-correlation": lambda cells: co_variation(cells, True, 20_000, 0),
    "no direct": lambda cells: infer_default(cells, DefaultSettings(resamples=0, direct=False), 0),
    "no hubs": lambda cells: infer_default(cells, DefaultSettings(resamples=0, learn_hubs=False), 0),
    "no co-variation": lambda cells: infer_default(
        cells, DefaultSettings(resamples=0, co_variation=False), 0
    ),
    "shuffled labels": lambda cells: infer_default(shuffled(cells), DefaultSettings(resamples=0), 0),
}


def shuffled(cells: PerturbedCells) -> PerturbedCells:
    """Give the perturbation labels to other cells: the negative control."""
    from dataclasses import replace

    return replace(cells, perturbation=np.random.default_rng(0).permutation(cells.perturbation))


def interval(values: np.ndarray) -> str:
    """Write mean and 95% interval over seeds (t distribution)."""
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} [{values.mean() - half:+.3f}, {values.mean() + half:+.3f}]"


def calibration(probability: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of stated and observed over ten bins, of pairs of probability 0.05 and more."""
    import pandas as pd

    place = np.clip((probability * 10).astype(int), 0, 9)
    kept = probability >= 0.05
    rows = [
        {"n": int(here.sum()), "stated": probability[here].mean(), "observed": true[here].mean()}
        for here in (kept & (place == number) for number in range(10))
        if here.any()
    ]
    return calibration_error(pd.DataFrame(rows))


def main() -> None:
    """Print AUPRC by design, then default against the better of mean-shift and direct, signs and calibration."""
    scores: dict[tuple, dict[str, list[float]]] = {}
    stated: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    signs: dict[tuple, list[float]] = {}
    for design, seed in itertools.product(DESIGNS, SEEDS):
        shape, depth, each = design
        cells, true = planted_cells(seed, shape=shape, counts_per_gene=depth, cells_per_knockout=each)
        pairs = ~np.eye(len(true), dtype=bool)
        edges = true[pairs] != 0
        for name, infer in METHODS.items():
            network = infer(cells)
            value = average_precision(np.nan_to_num(network.weight[pairs], nan=-np.inf), edges)
            scores.setdefault(design, {}).setdefault(name, []).append(value)
            if name == "default" and network.probability is not None and network.sign is not None:
                stated.setdefault(design, []).append((network.probability[pairs], edges))
                top = network.strongest(int(edges.sum()))
                found = true[top] != 0
                signs.setdefault(design, []).append(float((network.sign[top] == true[top])[found].mean()))
    print(f"AUPRC, mean of seeds {SEEDS.start} to {SEEDS.stop - 1}; 100 genes, 2,000 control cells")
    print("world".ljust(24) + " ".join(name.rjust(max(7, len(name))) for name in METHODS))
    for design, rows in scores.items():
        shape, depth, each = design
        text = f"{shape}, {depth:g} UMI, {each} cells".ljust(24)
        print(text + " ".join(f"{np.mean(rows[name]):.3f}".rjust(max(7, len(name))) for name in METHODS))
    print(
        "\ndefault less the better of mean-shift and direct (by seed), signs right, calibration error (seeds pooled, mean of seeds)"
    )
    for design, rows in scores.items():
        shape, depth, each = design
        best = np.maximum(rows["mean-shift"], rows["direct"])
        gain = interval(np.array(rows["default"]) - best)
        pooled = calibration(*(np.concatenate(part) for part in zip(*stated[design])))
        single = np.mean([calibration(*pair) for pair in stated[design]])
        text = f"{shape}, {depth:g} UMI, {each} cells".ljust(24)
        print(f"{text}{gain}   signs {np.mean(signs[design]):.3f}   calibration {pooled:.3f}, {single:.3f}")
