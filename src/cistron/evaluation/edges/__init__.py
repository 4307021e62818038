"""The task ``edges``: networks against held-out perturbed cells, a known network, and collections of interactions."""

from cistron.evaluation.edges.evaluate import EdgeEvaluation, cells_label, evaluate_edges, random_network
from cistron.evaluation.edges.rows import EdgeEvaluationSettings
from cistron.evaluation.edges.run import run_edges, write_edge_evaluation

__all__ = [
    "EdgeEvaluation",
    "EdgeEvaluationSettings",
    "cells_label",
    "evaluate_edges",
    "random_network",
    "run_edges",
    "write_edge_evaluation",
]
