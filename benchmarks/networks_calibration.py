"""Reserved screens of four simulators: whether probabilities of the default method hold, and what it finds beyond baselines.

Ten seeds from 1000 on for each design; nothing was fitted on them. ``CISTRON_PEER_CISTRON`` names the source folder of an
earlier version whose right pairs at P >= .5 are counted beside.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.networks_designs import screen_of
from cistron.evaluation.edges.truth import average_precision
from cistron.networks.combined import infer_default
from cistron.networks.effects import direct_effects, mean_shift
from cistron.networks.settings import DefaultSettings

SEEDS = range(1000, 1010)
BINS = ((0.05, 0.2), (0.2, 0.5), (0.5, 0.9), (0.9, 1.0001))
COMMON: dict[str, Any] = {"control_cells": 1000}
DESIGNS: dict[str, dict[str, Any]] = {
    "hill hubs 100 genes, 30 cells, 1 UMI": {"kind": "hill", "shape": "hubs"},
    "hill flat 100 genes, 30 cells, 1 UMI": {"kind": "hill", "shape": "flat"},
    "hill hubs 100 genes, 100 cells, 12 UMI": {"kind": "hill", "shape": "hubs", "cells_each": 60, "counts_per_gene": 12.0},
    "hill hubs 500 genes, 8 cells": {"kind": "hill", "shape": "hubs", "genes": 500, "cells_each": 8},
    "hill flat 500 genes, 8 cells": {"kind": "hill", "shape": "flat", "genes": 500, "cells_each": 8},
    "hill hubs 30 genes, 100 cells": {"kind": "hill", "shape": "hubs", "genes": 30, "cells_each": 100, "counts_per_gene": 3.0},
    "hill hubs 100 genes, activation": {"kind": "hill", "shape": "hubs", "perturbation": "activation"},
    "hill hubs 100 genes, inhibition": {"kind": "hill", "shape": "hubs", "perturbation": "inhibition", "counts_per_gene": 4.0},
    "linear hubs 100 genes, 30 cells": {"kind": "linear", "shape": "hubs"},
    "linear flat 100 genes, 30 cells, 6 UMI": {"kind": "linear", "shape": "flat", "counts_per_gene": 6.0},
    "sergio hubs 100 genes, 30 cells": {"kind": "sergio", "shape": "hubs"},
    "sergio flat 200 genes, 15 cells, 4 UMI": {"kind": "sergio", "shape": "flat", "genes": 200, "cells_each": 15, "counts_per_gene": 4.0},
    "world hubs 100 genes, 30 cells, 1 UMI": {"kind": "world", "shape": "hubs", "cells_each": 30},
    "world flat 100 genes, 30 cells, 1 UMI": {"kind": "world", "shape": "flat", "cells_each": 30},
}  # fmt: skip
EARLIER = """
import pickle, sys
import numpy as np
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.combined import infer_default
answers = []
for values, genes, labels in pickle.load(open(sys.argv[1], "rb")):
    cells = assemble_cells(values, genes, labels, control="non-targeting")
    network = infer_default(cells, DefaultSettings(resamples=0), 0)
    answers.append((network.probability.astype(np.float16), network.weight))
pickle.dump(answers, open(sys.argv[2], "wb"))
"""


def earlier(screens: list[Any]) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Probabilities and weights of an earlier version on the same screens, where one is named."""
    if "CISTRON_PEER_CISTRON" not in os.environ:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for cells, _ in screens:
            names = np.array([*cells.genes, "excluded", "non-targeting"], dtype=object)
            given.append((cells.values, cells.genes, names[cells.perturbation].tolist()))
        with open(f"{folder}/screens", "wb") as file:
            pickle.dump(given, file)
        subprocess.run(
            [sys.executable, "-c", EARLIER, f"{folder}/screens", f"{folder}/answers"],
            check=True,
            env={**os.environ, "PYTHONPATH": os.environ["CISTRON_PEER_CISTRON"]},
        )
        with open(f"{folder}/answers", "rb") as file:
            return list(pickle.load(file))  # noqa: S301  # written by the line before


def curve(probability: np.ndarray, true: np.ndarray) -> str:
    """Write pairs, stated and observed share of each bin; bins with fewer than 100 pairs in brackets."""
    parts = []
    for low, high in BINS:
        here = (probability >= low) & (probability < high)
        if not here.any():
            parts.append(" " * 17 + "-")
            continue
        text = f"{here.sum()} {probability[here].mean():.2f}/{true[here].mean():.2f}"
        parts.append((text if here.sum() >= 100 else f"({text})").rjust(18))
    return "".join(parts)


def loss(probability: np.ndarray, true: np.ndarray) -> float:
    """Mean log-loss in thousandths."""
    kept = np.clip(probability, 1e-7, 1 - 1e-7)
    return float(-1000 * np.where(true, np.log(kept), np.log1p(-kept)).mean())


def judge(design: dict[str, Any]) -> tuple[dict[str, list[Any]], list[np.ndarray], list[np.ndarray]]:
    """Run one design over all seeds."""
    screens = [screen_of({**COMMON, **design}, seed) for seed in SEEDS]
    before = earlier(screens)
    rows: dict[str, list[Any]] = {}
    stated, truths = [], []

    def note(name: str, value: Any) -> None:
        rows.setdefault(name, []).append(value)

    for place, (cells, true) in enumerate(screens):
        pairs = ~np.eye(len(true), dtype=bool)
        edges = true[pairs] != 0
        started = time.process_time()
        ours = infer_default(cells, DefaultSettings(resamples=0), 0)
        note("seconds", time.process_time() - started)
        assert ours.probability is not None
        assert ours.sign is not None
        shift = mean_shift(cells, "moderated")
        assert shift.sign is not None
        others = {"shift": shift, "direct": direct_effects(cells, 3.0)}
        for name, network in {"default": ours, **others}.items():
            note(name, average_precision(np.nan_to_num(network.weight[pairs], nan=-np.inf), edges))
        top = ours.strongest(int(edges.sum()))
        found = true[top] != 0
        note("sign", float((ours.sign[top] == true[top])[found].mean()) if found.any() else np.nan)
        note("sign shift", float((shift.sign[top] == true[top])[found].mean()) if found.any() else np.nan)
        stated.append(ours.probability[pairs].astype(np.float64))
        truths.append(edges)
        note("right", int((edges & (stated[-1] >= 0.5)).sum()))
        if before is not None:
            probability, weight = before[place]
            note("right before", int((edges & (probability[pairs] >= 0.5)).sum()))
            note("before", average_precision(np.nan_to_num(weight[pairs], nan=-np.inf), edges))
            note("stated before", probability[pairs].astype(np.float64))
    return rows, stated, truths


def main() -> None:
    """Print one table: each design, then each simulator pooled."""
    print(
        f"seeds {SEEDS.start} to {SEEDS.stop - 1}; pairs stated/observed by bin of the stated probability (in brackets: under 100 pairs)"
    )
    head = "".join(f"[{low:g}, {min(high, 1):g}{']' if high > 1 else ')'}".rjust(18) for low, high in BINS)
    print(
        "screen".ljust(44)
        + head
        + "   loss of constant  right (before)  AUPRC default shift direct (before)  gain over better [95%]  signs (shift)  CPU s"
    )
    pooled: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for title, design in DESIGNS.items():
        rows, stated, truths = judge(design)
        probability, true = np.concatenate(stated), np.concatenate(truths)
        pooled.setdefault(title.split()[0], []).append((probability, true))
        gain = np.array(rows["default"]) - np.maximum(rows["shift"], rows["direct"])
        half = stats.t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
        mean = {name: float(np.nanmean(values)) for name, values in rows.items() if name != "stated before"}
        before = "right before" in rows
        print(
            title.ljust(44)
            + curve(probability, true)
            + f"  {loss(probability, true):6.1f} {loss(np.full(len(true), true.mean()), true):6.1f}"
            + f"  {sum(rows['right']):5d}"
            + (f" ({sum(rows['right before']):5d})" if before else "")
            + f"   {mean['default']:.3f} {mean['shift']:.3f} {mean['direct']:.3f}"
            + (f" ({mean['before']:.3f})" if before else "")
            + f"  {gain.mean():+.3f} [{gain.mean() - half:+.3f}, {gain.mean() + half:+.3f}]"
            + f"  {mean['sign']:.3f} ({mean['sign shift']:.3f})  {mean['seconds']:.2f}",
            flush=True,
        )
        if before:
            old = np.concatenate(rows["stated before"])
            print("  before".ljust(44) + curve(old, true) + f"  {loss(old, true):6.1f}", flush=True)
    for name, parts in pooled.items():
        probability, true = (np.concatenate(part) for part in zip(*parts))
        print(f"all {name}".ljust(44) + curve(probability, true))
