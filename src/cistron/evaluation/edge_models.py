"""Old name of :mod:`cistron.evaluation.edges.causalbench`, until 0.3."""

from cistron.evaluation.edges.causalbench import *  # noqa: F403
