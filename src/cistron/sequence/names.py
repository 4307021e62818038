"""Old name of :mod:`cistron.sequence.weight_layouts`, until 0.3."""

from cistron.sequence.weight_layouts import *  # noqa: F403
