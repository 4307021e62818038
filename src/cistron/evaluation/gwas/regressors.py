"""The list of regressors between embedding and z-score. A new one is a function and an entry here.

``make(problem, settings, seed, threads)`` takes a :class:`cistron.evaluation.gwas.problem.Problem` and gives held-out
predictions, float64 [gene, trait].
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cistron.evaluation.gwas.regressor_settings import (
    BoostedSettings,
    LinearSettings,
    RidgeSettings,
    XgboostSettings,
)
from cistron.methods import Method, MethodList

if TYPE_CHECKING:  # reading the list loads nothing else
    import numpy as np

    from cistron.evaluation.gwas.problem import Problem


@dataclass(frozen=True)
class Regressor(Method):
    """One way from covariates and embedding to held-out predictions of z: a method, and how the task runs it.

    Attributes
    ----------
    default_folds
        Number of chromosome groups that are left out in turn; None leaves out each chromosome.
    default_controls
        Draws of each negative control.
    traits_per_shard
        Traits that are fitted together; None fits all at once, where one decomposition serves them all.
    neighbours
        Whether functions of neighbouring genes can count.
    """

    default_folds: int | None = None
    default_controls: int = 1
    traits_per_shard: int | None = None
    neighbours: bool = False


REGRESSORS: MethodList[Regressor] = MethodList(
    "GWAS",
    Regressor(
        name="ridge",
        summary="ridge regression",
        settings=RidgeSettings,
        make="cistron.evaluation.gwas.linear_models:predict_ridge",
        meaning="linear in covariates and dimensions, dimensions shrunk",
        reference="Hoerl and Kennard 1970; penalties chosen on chromosomes left out",
        default_controls=5,
        neighbours=True,
    ),
    Regressor(
        name="linear",
        summary="least squares",
        settings=LinearSettings,
        make="cistron.evaluation.gwas.linear_models:predict_linear",
        meaning="linear in covariates and dimensions",
        reference="(generalised) least squares",
        default_controls=5,
    ),
    Regressor(
        name="xgboost",
        summary="boosted trees with the settings of the report",
        settings=XgboostSettings,
        make="cistron.evaluation.gwas.tree_models:predict_xgboost",
        meaning="sum of regression trees",
        reference="Chen and Guestrin 2016, with the settings of the report (reg_lambda 1000, reg_alpha 100)",
        traits_per_shard=5,
    ),
    Regressor(
        name="boosted",
        summary="small boosted trees averaged with ridge",
        settings=BoostedSettings,
        make="cistron.evaluation.gwas.tree_models:predict_boosted",
        meaning="average of a sum of small regression trees, each on a tenth of the features, and of ridge",
        reference="LightGBM (Ke et al. 2017) averaged with ridge",
        default_folds=11,
        traits_per_shard=5,
        neighbours=True,
    ),
)


def predict(
    problem: "Problem", name: str, settings: Any = None, seed: int = 0, threads: int = 1
) -> "np.ndarray":
    """Predict held-out z-scores with the regressor ``name``; float64 [gene, trait].

    Parameters
    ----------
    problem
        Covariates, embedding, z-scores and folds.
    name
        Name of the regressor.
    settings
        Its settings; defaults when absent.
    seed
        Seed of everything random.
    threads
        Threads of a tree library.
    """
    found = REGRESSORS.find(name)
    result: np.ndarray = found(problem, found.settings() if settings is None else settings, seed, threads)
    return result
