"""The list of methods: one record each. A new method is one function, one settings class and one entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cistron.errors import InputError
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.catran_batches import CatranSettings
from cistron.networks.catran_inference import infer_catran
from cistron.networks.combined import DefaultSettings, infer_default
from cistron.networks.covariation import co_variation
from cistron.networks.effects import direct_effects, mean_shift, wasserstein
from cistron.networks.network import Network
from cistron.networks.trees import TreesSettings, infer_trees
from cistron.runtime.seeds import random_generator


@dataclass(frozen=True)
class NoSettings:
    """A method without settings."""


@dataclass(frozen=True)
class MeanShiftSettings:
    """Settings of ``mean-shift``.

    Attributes
    ----------
    statistic
        ``moderated`` z with pooled variance, ``welch`` t, or ``difference`` of the log-normalised means (CausalBench's).
    """

    statistic: Literal["moderated", "welch", "difference"] = "moderated"


@dataclass(frozen=True)
class DirectSettings:
    """Settings of ``direct``.

    Attributes
    ----------
    cut
        Shifts with |z| below it are taken as zero before the inversion.
    """

    cut: float = 3.0


@dataclass(frozen=True)
class CovariationSettings:
    """Settings of ``correlation`` and ``partial-correlation``.

    Attributes
    ----------
    most_cells
        Cells used, at most.
    """

    most_cells: int = 20_000


@dataclass(frozen=True)
class Method:
    """One way to infer a network.

    Attributes
    ----------
    name
        As the command line knows it.
    infer
        ``infer(cells, settings, seed)`` gives a :class:`Network`.
    settings
        Class of its settings; the defaults are the recommended ones.
    weight
        What the weight of an edge means.
    reference
        Where it comes from.
    presets
        Named settings besides the default ones, for example ``paper``.
    interventions
        Whether it needs control and perturbed cells.
    """

    name: str
    infer: Callable[[PerturbedCells, Any, int], Network]
    settings: type
    weight: str
    reference: str
    presets: dict[str, Any]
    interventions: bool = True


def _random(cells: PerturbedCells, settings: NoSettings, seed: int) -> Network:
    size = len(cells.genes)
    weight = random_generator(seed, "random network").random((size, size)).astype(np.float32)
    np.fill_diagonal(weight, np.nan)
    return Network(cells.genes, weight)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "default",
            infer_default,
            DefaultSettings,
            "log-odds of a direct edge",
            "cistron; modular response analysis (Bruggeman 2002) with spike and slab, empirical Bayes (Stephens 2017)",
            {},
        ),
        Method(
            "catran",
            infer_catran,
            CatranSettings,
            "attention over sources, divided by the mean of each source",
            "CaTran (CausalBench challenge entry), mended; preset paper as published",
            {"paper": CatranSettings.paper()},
        ),
        Method(
            "mean-shift",
            lambda cells, settings, seed: mean_shift(cells, settings.statistic),
            MeanShiftSettings,
            "how far the target's mean moves when the source is perturbed",
            "Welch 1947; CausalBench's mandatory baseline (preset paper: difference of means)",
            {"paper": MeanShiftSettings("difference")},
        ),
        Method(
            "wasserstein",
            lambda cells, settings, seed: wasserstein(cells),
            NoSettings,
            "Wasserstein distance of the target between perturbed and control cells",
            "Chevalley et al. 2022",
            {},
        ),
        Method(
            "direct",
            lambda cells, settings, seed: direct_effects(cells, settings.cut),
            DirectSettings,
            "smaller of the direct and the total |z|, plus half the total",
            "modular response analysis (Bruggeman et al. 2002)",
            {},
        ),
        Method(
            "correlation",
            lambda cells, settings, seed: co_variation(cells, False, settings.most_cells, seed),
            CovariationSettings,
            "absolute correlation over all cells; the same in both directions",
            "Pearson",
            {},
            interventions=False,
        ),
        Method(
            "partial-correlation",
            lambda cells, settings, seed: co_variation(cells, True, settings.most_cells, seed),
            CovariationSettings,
            "absolute partial correlation over all cells; the same in both directions",
            "Schäfer and Strimmer 2005",
            {},
            interventions=False,
        ),
        Method(
            "trees",
            infer_trees,
            TreesSettings,
            "share of the source in the gain of the boosted trees that predict the target",
            "GRNBoost2 (Moerman et al. 2019) on xgboost",
            {},
            interventions=False,
        ),
        Method("random", _random, NoSettings, "a random number", "negative control", {}, interventions=False),
    )
}


def method_named(name: str) -> Method:
    """Look up a method.

    Raises
    ------
    InputError
        If there is none of that name; the message lists them.
    """
    if name not in METHODS:
        raise InputError(f"there is no network method {name!r}; methods are {', '.join(METHODS)}")
    return METHODS[name]


def settings_named(method: Method, preset: str) -> Any:
    """Give the settings of a preset: ``default``, or one of the method's own.

    Raises
    ------
    InputError
        If the method has no preset of that name.
    """
    if preset == "default":
        return method.settings()
    if preset not in method.presets:
        known = ", ".join(["default", *method.presets])
        raise InputError(f"method {method.name} has no settings {preset!r}; it has {known}")
    return method.presets[preset]
