"""Old name of :mod:`cistron.sequence.saving`, until 0.3."""

from cistron.sequence.saving import *  # noqa: F403
