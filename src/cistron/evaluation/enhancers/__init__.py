"""The enhancer task: which elements regulate which genes, judged on pairs that were tested by perturbation."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.enhancers.evaluate import evaluate_enhancers as evaluate_enhancers
    from cistron.evaluation.enhancers.predictors import Predictor as Predictor
    from cistron.evaluation.enhancers.predictors import read_predictors as read_predictors
    from cistron.evaluation.enhancers.run import run_enhancers as run_enhancers
    from cistron.evaluation.enhancers.settings import EnhancerSettings as EnhancerSettings
    from cistron.formats.enhancer_pairs import Pairs as Pairs
    from cistron.formats.enhancer_pairs import read_pairs as read_pairs

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "cistron.formats.enhancer_pairs": (
            "Pairs",
            "read_pairs",
        ),
        "evaluate": ("evaluate_enhancers",),
        "predictors": (
            "Predictor",
            "read_predictors",
        ),
        "run": ("run_enhancers",),
        "settings": ("EnhancerSettings",),
    },
)
