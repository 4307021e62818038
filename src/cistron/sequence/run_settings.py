"""Old name of :mod:`cistron.sequence.settings`, until 0.3."""

from cistron.sequence.settings import *  # noqa: F403
