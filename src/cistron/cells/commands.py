"""Old name of :mod:`cistron.cells.settings`, until 0.3."""

from cistron.cells.settings import *  # noqa: F403
