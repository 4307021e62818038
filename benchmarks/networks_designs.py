"""Screens that the default network method is fitted on and judged on: random designs of all simulators."""

from typing import Any

import numpy as np

from benchmarks.networks_worlds import planted_cells
from cistron.formats.perturbed_cells import PerturbedCells, assemble_cells
from cistron.world.network_simulators import SimulatorSettings, simulate_screen

KINDS = ("hill", "linear", "sergio", "world")  # world is cistron.world.networks


def narrow_design(seed: int) -> dict[str, Any]:
    """Draw a design of 30 to 260 genes, 5 to 200 cells a perturbation, 3,500 in all; the simulators take turns."""
    random = np.random.default_rng([77, seed])
    genes = int(np.exp(random.uniform(np.log(30), np.log(260))))
    fraction = float(random.choice([1, 1, 0.5, 0.2])) if genes >= 60 else 1.0
    random.uniform()
    kind = KINDS[seed % 4]
    perturbation = "knock-down"
    if kind != "world":
        perturbation = str(random.choice(["knock-down"] * 3 + ["activation", "inhibition"]))
    shape = str(random.choice(["hubs", "flat"]))
    control = min(int(np.exp(random.uniform(np.log(300), np.log(4000)))), 1200)
    random.uniform()
    size, escaping = float(random.uniform(0.5, 0.9)), float(random.uniform(0, 0.2))
    regulators = float(random.choice([1.5, 2.0, 3.0]))
    repressors = float(random.uniform(0.1, 0.5))
    further = np.random.default_rng([78, seed])
    each = int(np.exp(further.uniform(np.log(5), np.log(200))))
    return {
        "kind": kind,
        "perturbation": perturbation,
        "genes": genes,
        "shape": shape,
        "cells_each": max(5, min(each, int(3500 / max(1, round(genes * fraction))))),
        "perturbed_fraction": fraction,
        "control_cells": control,
        "counts_per_gene": float(np.exp(further.uniform(np.log(0.4), np.log(12)))),
        "size": size,
        "escaping": escaping,
        "regulators_per_gene": regulators,
        "repressors": repressors,
    }


def wide_design(seed: int) -> dict[str, Any]:
    """Draw a design of a wide range; the simulators take turns.

    Genes: 30 to 250, in every eighth design 250 to 1,000. Cells of a perturbation: 5 to 500, about 3,000 in all.
    """
    random = np.random.default_rng([79, seed])

    def between(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    kind = KINDS[seed % 4]
    genes = int(between(250, 1000) if random.random() < 1 / 8 else between(30, 250))
    fraction = float(random.choice([1, 1, 0.5, 0.2])) if genes >= 60 else 1.0
    perturbation = str(random.choice(["knock-down"] * 3 + ["activation", "inhibition"]))
    each = int(between(5, 500))
    return {
        "kind": kind,
        "perturbation": "knock-down" if kind == "world" else perturbation,
        "genes": genes,
        "shape": str(random.choice(["hubs", "flat"])),
        "cells_each": max(5, min(each, int(3000 / max(1, round(genes * fraction))))),
        "perturbed_fraction": fraction,
        "control_cells": int(between(300, 1200)),
        "counts_per_gene": between(0.4, 12),
        "size": float(random.uniform(0.5, 0.9)),
        "escaping": float(random.uniform(0, 0.25)),
        "regulators_per_gene": float(random.choice([1.5, 2.0, 3.0])),
        "repressors": float(random.uniform(0.1, 0.5)),
        "noise": float(random.uniform(0.2, 0.4)),
        "dispersion": between(0.1, 0.4),
    }


def small_design(seed: int) -> dict[str, Any]:
    """Draw a design of 10 to 30 genes of which 3 to 15 are perturbed: panels of proteins, inhibitors, focused screens."""
    random = np.random.default_rng([80, seed])
    genes = int(random.integers(10, 31))
    return {
        "kind": KINDS[seed % 3],
        "perturbation": str(random.choice(["knock-down", "activation", "inhibition", "inhibition"])),
        "genes": genes,
        "shape": str(random.choice(["hubs", "flat"])),
        "cells_each": int(np.exp(random.uniform(np.log(10), np.log(800)))),
        "perturbed_fraction": min(int(random.integers(3, 16)) / genes, 0.9),
        "control_cells": int(np.exp(random.uniform(np.log(300), np.log(1200)))),
        "counts_per_gene": float(np.exp(random.uniform(np.log(0.5), np.log(100)))),
        "size": float(random.uniform(0.4, 0.9)),
        "escaping": float(random.uniform(0, 0.25)),
        "regulators_per_gene": float(random.choice([1.5, 2.0])),
        "repressors": float(random.uniform(0.1, 0.5)),
        "noise": float(random.uniform(0.2, 0.5)),
        "continuous": bool(random.random() < 0.5),
    }


def thin_design(seed: int) -> dict[str, Any]:
    """Draw a design of 350 to 650 genes, each perturbed in 5 to 10 cells with few counts."""
    random = np.random.default_rng([81, seed])
    return {
        "kind": KINDS[seed % 4],
        "genes": int(random.integers(350, 651)),
        "shape": str(random.choice(["hubs", "flat"])),
        "cells_each": int(random.integers(5, 11)),
        "control_cells": int(random.integers(500, 1201)),
        "counts_per_gene": float(np.exp(random.uniform(np.log(0.5), np.log(2)))),
        "size": float(random.uniform(0.6, 0.9)),
        "escaping": float(random.uniform(0, 0.15)),
        "regulators_per_gene": float(random.choice([1.5, 2.0])),
        "perturbation": "knock-down",
    }


def screen_of(design: dict[str, Any], seed: int) -> tuple[PerturbedCells, np.ndarray]:
    """Simulate a design: cells and the signs of the true edges, int [source, target]."""
    settings = dict(design)
    continuous = settings.pop("continuous", False)  # logarithms of measured amounts instead of counts
    if settings["kind"] == "world":
        renamed = {"cells_each": "cells_per_knockout", "size": "knock_down"}
        kept = {
            renamed.get(key, key): value
            for key, value in settings.items()
            if key not in ("kind", "perturbation")
        }
        return planted_cells(seed, **kept)
    screen = simulate_screen(SimulatorSettings(**settings), seed=seed)
    cells = assemble_cells(
        np.log1p(screen.counts.toarray()) if continuous else screen.counts,
        screen.genes,
        screen.labels,
        control="non-targeting",
        scale="continuous" if continuous else "counts",
        name="simulated",
    )
    return cells, screen.true_signs()
