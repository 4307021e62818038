"""The enhancer task: which elements regulate which genes, judged on pairs that were tested by perturbation."""

from cistron.evaluation.enhancers.evaluate import EnhancerSettings, evaluate_enhancers
from cistron.evaluation.enhancers.predictors import Predictor, read_predictors
from cistron.evaluation.enhancers.run import run_enhancers
from cistron.formats.enhancer_pairs import Pairs, read_pairs

__all__ = [
    "EnhancerSettings",
    "Pairs",
    "Predictor",
    "evaluate_enhancers",
    "read_pairs",
    "read_predictors",
    "run_enhancers",
]
