"""Old name of :mod:`cistron.omics.saving`, until 0.3."""

from cistron.omics.saving import *  # noqa: F403
