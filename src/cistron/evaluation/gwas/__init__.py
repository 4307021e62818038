"""The GWAS task: predict gene z-scores from covariates and a gene embedding, chromosome by chromosome."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.gwas.covariates import ExtraCovariates as ExtraCovariates
    from cistron.evaluation.gwas.covariates import read_covariates as read_covariates
    from cistron.evaluation.gwas.evaluate import GwasResult as GwasResult
    from cistron.evaluation.gwas.evaluate import evaluate_gwas as evaluate_gwas
    from cistron.evaluation.gwas.linkage import link as link
    from cistron.evaluation.gwas.linkage import read_covariances as read_covariances
    from cistron.evaluation.gwas.problem import Linkage as Linkage
    from cistron.evaluation.gwas.problem import Problem as Problem
    from cistron.evaluation.gwas.regressor_settings import BoostedSettings as BoostedSettings
    from cistron.evaluation.gwas.regressor_settings import LinearSettings as LinearSettings
    from cistron.evaluation.gwas.regressor_settings import RidgeSettings as RidgeSettings
    from cistron.evaluation.gwas.regressor_settings import XgboostSettings as XgboostSettings
    from cistron.evaluation.gwas.regressors import REGRESSORS as REGRESSORS
    from cistron.evaluation.gwas.regressors import Regressor as Regressor
    from cistron.evaluation.gwas.regressors import predict as predict
    from cistron.evaluation.gwas.run import run_gwas as run_gwas
    from cistron.evaluation.gwas.settings import GwasSettings as GwasSettings
    from cistron.evaluation.gwas.traits import PUBLISHED_SUBSET as PUBLISHED_SUBSET
    from cistron.evaluation.gwas.traits import TraitCollection as TraitCollection
    from cistron.evaluation.gwas.traits import TraitDesign as TraitDesign
    from cistron.evaluation.gwas.traits import independent_subset as independent_subset
    from cistron.evaluation.gwas.traits import read_traits as read_traits
    from cistron.evaluation.gwas.traits import trait_halves as trait_halves

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "covariates": (
            "ExtraCovariates",
            "read_covariates",
        ),
        "evaluate": (
            "GwasResult",
            "evaluate_gwas",
        ),
        "linkage": (
            "link",
            "read_covariances",
        ),
        "problem": (
            "Linkage",
            "Problem",
        ),
        "regressor_settings": (
            "BoostedSettings",
            "LinearSettings",
            "RidgeSettings",
            "XgboostSettings",
        ),
        "regressors": (
            "REGRESSORS",
            "Regressor",
            "predict",
        ),
        "run": ("run_gwas",),
        "settings": ("GwasSettings",),
        "traits": (
            "PUBLISHED_SUBSET",
            "TraitCollection",
            "TraitDesign",
            "independent_subset",
            "read_traits",
            "trait_halves",
        ),
    },
)
