"""Old name of :mod:`cistron.chromatin.design_pruning`, until 0.3."""

from cistron.chromatin.design_pruning import *  # noqa: F403
