"""Old name of :mod:`cistron.evaluation.edges.interventions`, until 0.3."""

from cistron.evaluation.edges.interventions import *  # noqa: F403
