"""Old name of :mod:`cistron.cells.inputs_features`, until 0.3."""

from cistron.cells.inputs_features import *  # noqa: F403
