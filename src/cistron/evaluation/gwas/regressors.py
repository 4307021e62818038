"""The list of regressors between embedding and z-score. A new one is a function and an entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.evaluation.gwas.linear_models import LinearSettings, RidgeSettings, predict_linear, predict_ridge
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.tree_models import (
    BoostedSettings,
    XgboostSettings,
    predict_boosted,
    predict_xgboost,
)


@dataclass(frozen=True)
class Regressor:
    """One way from covariates and embedding to held-out predictions of z.

    Attributes
    ----------
    name
        Name on the command line.
    predict
        ``predict(problem, settings, seed, threads) -> float64 [gene, trait]``.
    settings
        Data class of its settings.
    default_folds
        Number of chromosome groups that are left out in turn; None leaves out each chromosome.
    default_controls
        Draws of each negative control.
    traits_per_shard
        Traits that are fitted together; None fits all at once, where one decomposition serves them all.
    reference
        Where it comes from.
    meaning
        What its prediction means.
    """

    name: str
    predict: Callable[..., np.ndarray]
    settings: type
    default_folds: int | None
    default_controls: int
    traits_per_shard: int | None
    reference: str
    meaning: str


REGRESSORS = {
    regressor.name: regressor
    for regressor in (
        Regressor(
            "ridge",
            predict_ridge,
            RidgeSettings,
            None,
            5,
            None,
            "Hoerl and Kennard 1970; generalised cross-validation of Golub, Heath and Wahba 1979",
            "linear in covariates and dimensions, dimensions shrunk",
        ),
        Regressor(
            "linear",
            predict_linear,
            LinearSettings,
            None,
            5,
            None,
            "(generalised) least squares",
            "linear in covariates and dimensions",
        ),
        Regressor(
            "xgboost",
            predict_xgboost,
            XgboostSettings,
            None,
            1,
            5,
            "Chen and Guestrin 2016, with the settings of the report (reg_lambda 1000, reg_alpha 100)",
            "sum of regression trees",
        ),
        Regressor(
            "boosted",
            predict_boosted,
            BoostedSettings,
            11,
            1,
            5,
            "LightGBM (Ke et al. 2017) averaged with ridge",
            "average of a sum of small regression trees, each on a tenth of the features, and of ridge",
        ),
    )
}


def regressor(name: str) -> Regressor:
    """Find a regressor by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in REGRESSORS:
        raise InputError(f"there is no model {name!r}; expected {', '.join(REGRESSORS)}")
    return REGRESSORS[name]


def predict(problem: Problem, name: str, settings: Any = None, seed: int = 0, threads: int = 1) -> np.ndarray:
    """Predict held-out z-scores with the regressor ``name``; float64 [gene, trait]."""
    found = regressor(name)
    return found.predict(problem, settings if settings is not None else found.settings(), seed, threads)
