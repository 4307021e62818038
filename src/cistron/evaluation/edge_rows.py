"""Old name of :mod:`cistron.evaluation.edges.rows`, until 0.3."""

from cistron.evaluation.edges.rows import *  # noqa: F403
