"""Old name of :mod:`cistron.evaluation.edges.truth`, until 0.3."""

from cistron.evaluation.edges.truth import *  # noqa: F403
