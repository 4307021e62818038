"""Old name of :mod:`cistron.cells.baselines`, until 0.3."""

from cistron.cells.baselines import *  # noqa: F403
