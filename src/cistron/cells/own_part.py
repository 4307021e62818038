"""Old name of :mod:`cistron.cells.shrinkage`, until 0.3."""

from cistron.cells.shrinkage import *  # noqa: F403
