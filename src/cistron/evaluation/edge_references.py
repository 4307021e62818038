"""Old name of :mod:`cistron.evaluation.edges.references`, until 0.3."""

from cistron.evaluation.edges.references import *  # noqa: F403
