"""The expression task: predicted against observed expression of seen and unseen genes in seen and unseen cells."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.expression.alignment import align as align
    from cistron.evaluation.expression.comparison import METRICS as METRICS
    from cistron.evaluation.expression.evaluate import ExpressionResult as ExpressionResult
    from cistron.evaluation.expression.evaluate import evaluate_expression as evaluate_expression
    from cistron.evaluation.expression.evidence import TABLES as TABLES
    from cistron.evaluation.expression.run import run_expression as run_expression
    from cistron.evaluation.expression.settings import ExpressionSettings as ExpressionSettings
    from cistron.evaluation.expression.strata import headline as headline
    from cistron.evaluation.expression.strata import scored_strata as scored_strata

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "alignment": ("align",),
        "comparison": ("METRICS",),
        "evaluate": (
            "ExpressionResult",
            "evaluate_expression",
        ),
        "evidence": ("TABLES",),
        "run": ("run_expression",),
        "settings": ("ExpressionSettings",),
        "strata": (
            "headline",
            "scored_strata",
        ),
    },
)
