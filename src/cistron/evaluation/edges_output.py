"""Old name of :mod:`cistron.evaluation.edges.run`, until 0.3."""

from cistron.evaluation.edges.run import DRAWN_EDGES as DRAWN_EDGES
from cistron.evaluation.edges.run import write_edge_evaluation as write_edge_evaluation
