"""From evidence to one probability: the log-odds of a direct edge as a sum of terms with fitted coefficients.

Each term is a number of the pair (``V``, ``E``, co-variation) times a number of the screen (how many genes and cells, how
well perturbations are seen, how dense the network was found to be). So the same evidence counts less where the screen is
wide and thin. The coefficients were fitted by ``benchmarks/networks_fit.py`` on screens of development seeds from four
simulators (30 to 260 genes, 5 to 200 cells a perturbation, 0.4 to 12 counts a gene, hubs and flat, knock-down, activation
and inhibition) and are used within those ranges.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

TERM = "{pair} x {screen}"

# numbers of the pair and the numbers of the screen that they are multiplied with
WITH_DIRECT: dict[str, tuple[str, ...]] = {
    "1": ("1", "visibility", "genes", "cells", "density", "moved", "unknown"),
    "direct": ("1", "visibility", "density", "cells", "genes"),
    "direct above 0": ("1", "visibility", "density"),
    "direct above 4": ("1",),
    "total": ("1", "visibility", "density", "cells", "genes"),
    "total above 0": ("1", "visibility"),
    "total above 4": ("1",),
    "agreement": ("1", "structure", "density", "genes"),
    "co-variation": ("1", "structure", "genes"),
    "agreement and co-variation": ("1", "structure"),
    "moved by source": ("1",),
    "targets of source": ("1",),
}
TOTAL_ONLY: dict[str, tuple[str, ...]] = {
    "1": ("1", "genes", "cells", "moved", "unknown", "perturbed"),
    "total": ("1", "cells", "genes", "moved"),
    "total above 0": ("1", "moved"),
    "total above 4": ("1",),
    "agreement": ("1", "structure"),
    "co-variation": ("1", "structure", "unknown"),
    "agreement and co-variation": ("1",),
    "moved by source": ("1",),
    "two steps": ("1", "unknown"),
    "share of strongest": ("1",),
}
UNPERTURBED: dict[str, tuple[str, ...]] = {
    "1": ("1", "genes", "density", "structure"),
    "co-variation": ("1", "genes", "structure"),
    "co-variation above 1": ("1",),
}


@dataclass(frozen=True)
class ScreenNumbers:
    """Numbers of the screen, each kept within the range that the coefficients were fitted on.

    Attributes
    ----------
    visibility
        Logarithm of the median |z| of the perturbed genes themselves, less 2.
    genes, cells
        Logarithms of the number of genes over 100 and of the mean cells of a perturbation over 30.
    density, moved
        Logarithms of the mean probability of a direct and of any effect.
    structure
        Logarithm of the spread of the partial correlations over the spread that sampling alone gives.
    unknown
        Share of the perturbations whose direction is not known.
    perturbed
        Share of the genes that are perturbed.
    """

    visibility: float
    genes: float
    cells: float
    density: float
    moved: float
    structure: float
    unknown: float
    perturbed: float

    def value(self, name: str) -> float:
        """Give a number by name; ``1`` is one."""
        return 1.0 if name == "1" else float(getattr(self, name))


RANGES = {
    "visibility": (-1.5, 1.5),
    "genes": (np.log(0.3), np.log(2.6)),
    "cells": (np.log(5 / 30), np.log(200 / 30)),
    "density": (np.log(5e-4), np.log(0.15)),
    "moved": (np.log(1e-3), np.log(0.5)),
    "structure": (-0.5, 2.0),
}


def within_range(name: str, value: float) -> float:
    """Keep a number of the screen within the range of the fit."""
    low, high = RANGES[name]
    return float(np.clip(value, low, high))


def term_names(form: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Name the terms of a form in order."""
    return [TERM.format(pair=pair, screen=screen) for pair, screens in form.items() for screen in screens]


def design(
    form: Mapping[str, tuple[str, ...]], pairs: Mapping[str, np.ndarray], screen: ScreenNumbers
) -> np.ndarray:
    """Give all terms, float64 [pair, term]; for fitting.

    Parameters
    ----------
    form
        Which terms there are.
    pairs
        Numbers of the pairs, each [pair].
    screen
        Numbers of the screen.
    """
    length = len(next(iter(pairs.values())))
    columns = [
        (np.ones(length) if pair == "1" else pairs[pair]) * screen.value(name)
        for pair, names in form.items()
        for name in names
    ]
    return np.stack(columns, axis=1)


def log_odds(
    form: Mapping[str, tuple[str, ...]],
    coefficients: Mapping[str, float],
    pairs: Mapping[str, np.ndarray],
    screen: ScreenNumbers,
) -> np.ndarray:
    """Add the terms up without forming them all.

    Parameters
    ----------
    form
        Which terms there are.
    coefficients
        Coefficient of each term by name.
    pairs
        Numbers of the pairs, of shapes that broadcast to [source, target].
    screen
        Numbers of the screen.
    """
    total: np.ndarray = np.zeros(())
    for pair, names in form.items():
        slope = sum(coefficients[TERM.format(pair=pair, screen=name)] * screen.value(name) for name in names)
        total = total + (slope if pair == "1" else slope * pairs[pair])
    return total


@cache
def fitted_coefficients() -> dict[str, dict[str, float]]:
    """Read the fitted coefficients of the three forms."""
    text = resources.files("cistron.networks").joinpath("calibration.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def above(values: np.ndarray, cut: float) -> np.ndarray:
    """Give what is above a cut, zero below."""
    return np.maximum(values - cut, 0)
