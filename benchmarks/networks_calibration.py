"""Reserved screens of four simulators: whether probabilities of the default method hold, and what it finds beyond baselines.

Ten seeds of each design from ``CISTRON_CALIBRATION_FIRST_SEED`` on (2000; those from 1000 on were looked at while the method was made);
nothing was fitted on them. ``CISTRON_PEER_CISTRON`` names the source folder of an
earlier version whose right pairs at P >= .5 are counted beside. Each screen's answers are kept in the folder that
``CISTRON_CALIBRATION_FOLDER`` names, so that a run that was cut goes on; with ``CISTRON_CALIBRATION_PRINT`` only what is there is printed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse, stats

from benchmarks.networks_designs import screen_of
from cistron.evaluation.edges.truth import average_precision
from cistron.networks.combined import infer_default
from cistron.networks.effects import direct_effects, mean_shift
from cistron.networks.settings import DefaultSettings

FIRST = int(os.environ.get("CISTRON_CALIBRATION_FIRST_SEED", "2000"))
SEEDS = range(FIRST, FIRST + 10)
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
import sys
import numpy as np
from cistron.formats.perturbed_cells import assemble_cells
from cistron.networks.combined import DefaultSettings, infer_default
given, answers = np.load(sys.argv[1]), {}
for number in range(len(given.files) // 3):
    values, genes, labels = (given[f"{name}{number}"] for name in ("values", "genes", "labels"))
    cells = assemble_cells(values, genes.tolist(), labels.tolist(), control="non-targeting")
    network = infer_default(cells, DefaultSettings(resamples=0), 0)
    answers[f"probability{number}"] = network.probability.astype(np.float16)
    answers[f"weight{number}"] = network.weight
np.savez(sys.argv[2], **answers)
"""


def earlier(screens: list[Any]) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Probabilities and weights of an earlier version on the same screens, where one is named."""
    if "CISTRON_PEER_CISTRON" not in os.environ:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given = {}
        for number, (cells, _) in enumerate(screens):
            names = np.array([*cells.genes, "excluded", "non-targeting"], dtype=str)
            given[f"values{number}"] = (
                cells.values.toarray() if sparse.issparse(cells.values) else cells.values
            )
            given[f"genes{number}"] = np.array(cells.genes, dtype=str)
            given[f"labels{number}"] = names[cells.perturbation]
        np.savez(f"{folder}/screens.npz", **given)
        subprocess.run(
            [sys.executable, "-c", EARLIER, f"{folder}/screens.npz", f"{folder}/answers.npz"],
            check=True,
            env={**os.environ, "PYTHONPATH": os.environ["CISTRON_PEER_CISTRON"]},
        )
        with np.load(f"{folder}/answers.npz") as found:
            return [
                (found[f"probability{number}"], found[f"weight{number}"]) for number in range(len(screens))
            ]


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


def file_of(title: str, what: object, folder: Path) -> Path:
    """Where the answers of a screen are kept."""
    return folder / f"{title.replace(' ', '_').replace(',', '')}_{what}.npz"


def keep(file: Path, found: dict[str, np.ndarray]) -> None:
    """Write at once or not at all."""
    partial = file.with_suffix(".part.npz")
    np.savez_compressed(partial, **found)
    partial.rename(file)


def judge(title: str, folder: Path) -> list[dict[str, np.ndarray]]:
    """What all methods say of the screens of a design, from the folder or computed and kept there."""
    missing = [] if "CISTRON_CALIBRATION_PRINT" in os.environ else list(SEEDS)
    for seed in missing:
        file = file_of(title, seed, folder)
        if not file.exists():
            keep(file, _answers(*screen_of({**COMMON, **DESIGNS[title]}, seed)))
    old = [seed for seed in missing if not file_of(title, f"{seed}_before", folder).exists()]
    screens = [screen_of({**COMMON, **DESIGNS[title]}, seed) for seed in old]
    for seed, (_, true), (probability, weight) in zip(old, screens, earlier(screens) or []):
        off = ~np.eye(len(true), dtype=bool)
        keep(
            file_of(title, f"{seed}_before", folder),
            {"stated before": probability[off], "before": np.nan_to_num(weight[off])},
        )
    found = []
    for seed in SEEDS:
        files = [file_of(title, name, folder) for name in (seed, f"{seed}_before")]
        one: dict[str, np.ndarray] = {}
        for file in files:
            if file.exists():
                with np.load(file) as stored:
                    one |= dict(stored)
        if "stated" in one:
            found.append(one)
    return found


def _answers(cells: Any, true: np.ndarray) -> dict[str, np.ndarray]:
    pairs = ~np.eye(len(true), dtype=bool)
    edges = true[pairs] != 0
    started = time.process_time()
    ours = infer_default(cells, DefaultSettings(resamples=0), 0)
    seconds = time.process_time() - started
    assert ours.probability is not None
    assert ours.sign is not None
    shift = mean_shift(cells, "moderated")
    assert shift.sign is not None
    top = ours.strongest(int(edges.sum()))
    right = true[top] != 0
    found = {
        "seconds": np.array(seconds),
        "stated": ours.probability[pairs],
        "true": edges,
        "signs": np.array([(sign[top] == true[top])[right].mean() for sign in (ours.sign, shift.sign)]),
    }
    for name, network in {"default": ours, "shift": shift, "direct": direct_effects(cells, 3.0)}.items():
        found[name] = np.nan_to_num(network.weight[pairs], nan=-np.inf).astype(np.float32)
    return found


def main() -> None:
    """Print one table: each design, then each simulator pooled."""
    folder = Path(os.environ.get("CISTRON_CALIBRATION_FOLDER") or tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    print(
        f"pairs stated/observed by bin of the stated probability (in brackets: under 100 pairs); seeds from {FIRST} on"
    )
    head = "".join(f"[{low:g}, {min(high, 1):g}{']' if high > 1 else ')'}".rjust(18) for low, high in BINS)
    print(
        "screen (seeds)".ljust(46)
        + head
        + "   loss of constant  right (before)  AUPRC default shift direct (before)  gain over better [95%]  signs (shift; difference [95%])  CPU s"
    )
    pooled: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for title in DESIGNS:
        screens = judge(title, folder)
        if not screens:
            print(f"{title}: not run")
            continue
        probability, true = (np.concatenate([one[name] for one in screens]) for name in ("stated", "true"))
        probability = probability.astype(np.float64)
        pooled.setdefault(title.split()[0], []).append((probability, true))
        names = [
            name for name in ("default", "shift", "direct", "before") if all(name in one for one in screens)
        ]
        scores = {
            name: np.array([average_precision(one[name], one["true"]) for one in screens]) for name in names
        }
        gain = scores["default"] - np.maximum(scores["shift"], scores["direct"])
        half = 0.0
        if len(gain) > 1:
            half = stats.t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
        signs = np.nanmean([one["signs"] for one in screens], axis=0)
        apart = np.array([one["signs"][0] - one["signs"][1] for one in screens])
        around = (
            stats.t.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart))
            if len(apart) > 1
            else 0
        )
        before = all("before" in one for one in screens)
        old = np.concatenate([one["stated before"] for one in screens]).astype(np.float64) if before else None
        print(
            f"{title} ({len(screens)})".ljust(46)
            + curve(probability, true)
            + f"  {loss(probability, true):6.1f} {loss(np.full(len(true), true.mean()), true):6.1f}"
            + f"  {(true & (probability >= 0.5)).sum():5d}"
            + (f" ({(true & (old >= 0.5)).sum():5d})" if old is not None else "")
            + "   "
            + " ".join(f"{scores[name].mean():.3f}" for name in names[:3])
            + (f" ({scores['before'].mean():.3f})" if before else "")
            + f"  {gain.mean():+.3f} [{gain.mean() - half:+.3f}, {gain.mean() + half:+.3f}]"
            + f"  {signs[0]:.3f} ({signs[1]:.3f}; {apart.mean():+.3f} [{apart.mean() - around:+.3f}, {apart.mean() + around:+.3f}])  {np.mean([one['seconds'] for one in screens]):.2f}",
            flush=True,
        )
        if old is not None:
            print("  before".ljust(46) + curve(old, true) + f"  {loss(old, true):6.1f}", flush=True)
    for name, parts in pooled.items():
        probability, true = (np.concatenate(part) for part in zip(*parts))
        print(f"all {name}".ljust(46) + curve(probability, true))
