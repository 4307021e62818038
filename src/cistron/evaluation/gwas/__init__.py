"""The GWAS task: predict gene z-scores from covariates and a gene embedding, chromosome by chromosome."""

from cistron.evaluation.gwas.covariates import ExtraCovariates, read_covariates
from cistron.evaluation.gwas.evaluate import GwasResult, GwasSettings, evaluate_gwas
from cistron.evaluation.gwas.linear_models import LinearSettings, RidgeSettings
from cistron.evaluation.gwas.linkage import link, read_covariances
from cistron.evaluation.gwas.problem import Linkage, Problem
from cistron.evaluation.gwas.regressors import REGRESSORS, Regressor, predict
from cistron.evaluation.gwas.run import run_gwas
from cistron.evaluation.gwas.traits import (
    PUBLISHED_SUBSET,
    TraitCollection,
    TraitDesign,
    independent_subset,
    read_traits,
    trait_halves,
)
from cistron.evaluation.gwas.tree_models import BoostedSettings, XgboostSettings

__all__ = [
    "PUBLISHED_SUBSET",
    "REGRESSORS",
    "BoostedSettings",
    "ExtraCovariates",
    "GwasResult",
    "GwasSettings",
    "LinearSettings",
    "Linkage",
    "Problem",
    "Regressor",
    "RidgeSettings",
    "TraitCollection",
    "TraitDesign",
    "XgboostSettings",
    "evaluate_gwas",
    "independent_subset",
    "link",
    "predict",
    "read_covariances",
    "read_covariates",
    "read_traits",
    "run_gwas",
    "trait_halves",
]
