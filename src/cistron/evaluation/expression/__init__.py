"""The expression task: predicted against observed expression of seen and unseen genes in seen and unseen cells."""

from cistron.evaluation.expression.alignment import align
from cistron.evaluation.expression.comparison import METRICS
from cistron.evaluation.expression.evaluate import ExpressionResult, ExpressionSettings, evaluate_expression
from cistron.evaluation.expression.evidence import TABLES
from cistron.evaluation.expression.run import run_expression
from cistron.evaluation.expression.strata import headline, scored_strata

__all__ = [
    "METRICS",
    "TABLES",
    "ExpressionResult",
    "ExpressionSettings",
    "align",
    "evaluate_expression",
    "headline",
    "run_expression",
    "scored_strata",
]
