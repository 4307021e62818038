"""From evidence to one probability: small networks that read the numbers of a pair and of its screen.

A pair's log-odds of a direct edge are the mean over a few networks of two hidden layers. Their inputs are numbers of the pair
(how sure a direct effect is, any effect, co-variation ...) and numbers of the screen (how many genes and cells, how well
perturbations are seen, how dense the network was found to be), so that the same evidence counts less where the screen is wide and thin.
The weights were fitted by ``benchmarks/networks_fit.py`` on screens of development seeds from four simulators and are used
within the ranges that were seen there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

# numbers of the pair that each form reads
WITH_DIRECT = (
    "direct",
    "total",
    "agreement",
    "co-variation",
    "moved by source",
    "targets of source",
    "back",
    "into",
    "error",
    "direct effect",
)
TOTAL_ONLY = (
    "total",
    "agreement",
    "co-variation",
    "moved by source",
    "error",
    "two steps",
    "share of strongest",
)
UNPERTURBED = ("co-variation",)
FORMS = {"with direct": WITH_DIRECT, "total only": TOTAL_ONLY, "unperturbed": UNPERTURBED}
GROWING = ("direct", "total")  # more evidence than was ever seen in fitting is still more
BLOCK = 200_000  # pairs at a time


@dataclass(frozen=True)
class ScreenNumbers:
    """Numbers of the screen.

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


SCREEN = tuple(field.name for field in fields(ScreenNumbers))


@dataclass(frozen=True)
class Calibration:
    """Fitted networks of one form.

    Attributes
    ----------
    pair_inputs
        Names of the numbers of the pair; those of the screen follow them.
    low, high, mean, scale
        Of each input: range in fitting, and what it is standardised by [input].
    layers
        For each network its layers, each weights [out, in] and bias [out].
    """

    pair_inputs: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[tuple[tuple[np.ndarray, np.ndarray], ...], ...]

    def standardised(self, inputs: np.ndarray) -> np.ndarray:
        """Keep inputs within their ranges and standardise them, float32 [pair, input]."""
        high = np.where(np.isin((*self.pair_inputs, *SCREEN), GROWING), np.inf, self.high)
        return ((np.clip(inputs, self.low, high) - self.mean) / self.scale).astype(np.float32)

    def log_odds(self, inputs: np.ndarray) -> np.ndarray:
        """Mean log-odds over the networks [pair] of inputs [pair, input]."""
        total = np.zeros(len(inputs))
        standard = self.standardised(inputs)
        for network in self.layers:
            values = standard
            for place, (weight, bias) in enumerate(network):
                values = values @ weight.T + bias
                if place < len(network) - 1:
                    values = values / (1 + np.exp(-np.clip(values, -60, 60)))  # SiLU
            total += values[:, 0]
        return total / len(self.layers)


def inputs_of(names: tuple[str, ...], pairs: Mapping[str, np.ndarray], screen: ScreenNumbers) -> np.ndarray:
    """Stack the numbers of pairs and of their screen, float32 [pair, input].

    Parameters
    ----------
    names
        Numbers of the pair.
    pairs
        Each [pair].
    screen
        Numbers of the screen.
    """
    length = len(pairs[names[0]])
    table = np.empty((length, len(names) + len(SCREEN)), dtype=np.float32)
    for place, name in enumerate(names):
        table[:, place] = pairs[name]
    for place, name in enumerate(SCREEN, len(names)):
        table[:, place] = getattr(screen, name)
    return table


def log_odds(form: str, pairs: Mapping[str, np.ndarray], screen: ScreenNumbers) -> np.ndarray:
    """Give the log-odds of an edge, in blocks of rows.

    Parameters
    ----------
    form
        ``with direct``, ``total only`` or ``unperturbed``.
    pairs
        Numbers of the pairs, each [source, target] or [source, 1] or [1, target].
    screen
        Numbers of the screen.

    Returns
    -------
    ndarray
        float64 [source, target].
    """
    calibration = calibrations()[form]
    names = calibration.pair_inputs
    shape = np.broadcast_shapes(*(pairs[name].shape for name in names))
    whole = {name: np.broadcast_to(pairs[name], shape) for name in names}
    found = np.empty(shape)
    rows = max(1, BLOCK // max(shape[1], 1))
    for start in range(0, shape[0], rows):
        part = slice(start, start + rows)
        inputs = inputs_of(names, {name: values[part].ravel() for name, values in whole.items()}, screen)
        found[part] = calibration.log_odds(inputs).reshape(found[part].shape)
    if form == "unperturbed":
        # co-variation does not say which way an edge runs: of two directions one is right, so at most 0.5
        return -np.logaddexp(0, -found)
    return found


@cache
def calibrations() -> dict[str, Calibration]:
    """Read the fitted networks of the three forms."""
    text = resources.files("cistron.networks").joinpath("calibration.json").read_text(encoding="utf-8")
    return {name: _calibration(one) for name, one in json.loads(text).items()}


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    networks = tuple(
        tuple((np.array(weight, dtype=np.float32), np.array(bias, dtype=np.float32)) for weight, bias in one)
        for one in stored["networks"]
    )
    low, high, mean, scale = (np.array(stored[key]) for key in ("low", "high", "mean", "scale"))
    return Calibration(tuple(stored["pair_inputs"]), low, high, mean, scale, networks)
