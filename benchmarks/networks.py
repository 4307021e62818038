"""Planted networks of 100 genes, reserved seeds: AUPRC of the methods, signs, calibration, ablation of the default.

Parts are left out when the network is inferred; the fitted weights stay those of the whole method. Weights
of escapers where there are many: ``networks_escapers``. ``CISTRON_NETWORKS_SEEDS`` is the number of seeds of a smaller run,
``CISTRON_NETWORKS_CELLS`` keeps designs of that many cells per knock-out.
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import numpy as np
from scipy import sparse

from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.truth import average_precision, calibration_error
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks import normalisation
from cistron.networks.combined import infer_default
from cistron.networks.covariation import co_variation
from cistron.networks.effects import direct_effects, mean_shift
from cistron.networks.evidence import Evidence
from cistron.networks.fold_changes import screen_effects
from cistron.networks.network import Network
from cistron.networks.normalisation import Composition
from cistron.networks.settings import DefaultSettings
from cistron.networks.shrinkage import shrink_effects
from cistron.networks.wasserstein_distance import wasserstein

SEEDS = range(1000, 1000 + int(os.environ.get("CISTRON_NETWORKS_SEEDS", "10")))
CELLS = (
    (30, 100) if "CISTRON_NETWORKS_CELLS" not in os.environ else (int(os.environ["CISTRON_NETWORKS_CELLS"]),)
)
DESIGNS = list(itertools.product(("hubs", "flat"), (1.0, 12.0), CELLS))
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
    "no agreement": lambda cells: without_agreement(cells),
    "plain totals": lambda cells: with_plain_totals(cells),
    "source alone": lambda cells: source_alone(cells),
    "shuffled labels": lambda cells: infer_default(shuffled(cells), DefaultSettings(resamples=0), 0),
}


PARTS = ("no direct", "no hubs", "no co-variation", "no agreement", "plain totals")


def source_alone(cells: PerturbedCells) -> Network:
    """Rank pairs by how many genes their source moves, whichever the target: what knowing the hubs alone gives."""
    effects = screen_effects(cells)
    weight = np.full((len(cells.genes),) * 2, -np.inf)
    weight[effects.sources] = shrink_effects(effects).share[:, None]
    return Network(cells.genes, weight)


def shuffled(cells: PerturbedCells) -> PerturbedCells:
    """Give the perturbation labels to other cells: the negative control."""
    return replace(cells, perturbation=np.random.default_rng(0).permutation(cells.perturbation))


def without_agreement(cells: PerturbedCells) -> Network:
    """Leave out whether co-variation has the sign that the perturbation implies; it stays in the signs of the edges."""
    whole = Evidence.pairs

    def pairs(evidence: Evidence) -> dict[str, np.ndarray]:
        found = whole(evidence)
        return found | {"agreement": np.zeros_like(found["agreement"])}

    with mock.patch.object(Evidence, "pairs", pairs):
        return infer_default(cells, DefaultSettings(resamples=0), 0)


def with_plain_totals(cells: PerturbedCells) -> Network:
    """Divide each cell by its total count, dominant genes and all."""

    def nothing(counts: sparse.csr_matrix, perturbation: np.ndarray, *, shares: bool = True) -> Composition:
        return Composition(
            np.empty(0, dtype=np.int64), np.ones(len(np.unique(perturbation[perturbation >= 0])))
        )

    with mock.patch.object(normalisation, "composition", nothing):
        return infer_default(cells, DefaultSettings(resamples=0), 0)


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


def planted() -> None:
    """Print AUPRC by design, default against the better of mean-shift and direct, signs, calibration, and what parts add."""
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
    names = {design: f"{design[0]}, {design[1]:g} UMI, {design[2]} cells".ljust(24) for design in DESIGNS}
    print(f"AUPRC, mean of seeds {SEEDS.start} to {SEEDS.stop - 1}; 100 genes, 2,000 control cells")
    print("world".ljust(24) + " ".join(name.rjust(max(7, len(name))) for name in METHODS))
    for design, rows in scores.items():
        print(
            names[design]
            + " ".join(f"{np.mean(rows[name]):.3f}".rjust(max(7, len(name))) for name in METHODS)
        )
    print(
        "\ndefault less the better of mean-shift and direct, signs right, calibration error (pooled, mean of seeds)"
    )
    for design, rows in scores.items():
        best = np.maximum(rows["mean-shift"], rows["direct"])
        gain = interval(np.array(rows["default"]) - best)
        pooled = calibration(*(np.concatenate(part) for part in zip(*stated[design])))
        single = np.mean([calibration(*pair) for pair in stated[design]])
        print(
            f"{names[design]}{gain}   signs {np.mean(signs[design]):.3f}   calibration {pooled:.3f}, {single:.3f}"
        )
    print("\ndefault less the default with one part changed (by seed)")
    print("world".ljust(24) + " ".join(name.rjust(24) for name in PARTS))
    for design, rows in scores.items():
        changes = (interval(np.array(rows["default"]) - np.array(rows[name])) for name in PARTS)
        print(names[design] + " ".join(text.rjust(24) for text in changes))
    together = {
        name: np.concatenate([rows[name] for rows in scores.values()]) for name in ("default", *PARTS)
    }
    changes = (interval(together["default"] - together[name]) for name in PARTS)
    print("all".ljust(24) + " ".join(text.rjust(24) for text in changes))


def main() -> None:
    """Print what methods and parts find."""
    planted()
