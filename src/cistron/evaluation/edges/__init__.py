"""The task ``edges``: networks against held-out perturbed cells, a known network, and collections of interactions."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.edges.evaluate import EdgeEvaluation as EdgeEvaluation
    from cistron.evaluation.edges.evaluate import cells_label as cells_label
    from cistron.evaluation.edges.evaluate import evaluate_edges as evaluate_edges
    from cistron.evaluation.edges.evaluate import random_network as random_network
    from cistron.evaluation.edges.run import run_edges as run_edges
    from cistron.evaluation.edges.run import write_edge_evaluation as write_edge_evaluation
    from cistron.evaluation.edges.settings import EdgeEvaluationSettings as EdgeEvaluationSettings

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": (
            "EdgeEvaluation",
            "cells_label",
            "evaluate_edges",
            "random_network",
        ),
        "run": (
            "run_edges",
            "write_edge_evaluation",
        ),
        "settings": ("EdgeEvaluationSettings",),
    },
)
