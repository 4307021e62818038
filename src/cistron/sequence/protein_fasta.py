"""Old name of :mod:`cistron.sequence.inputs_proteins`, until 0.3."""

from cistron.sequence.inputs_proteins import *  # noqa: F403
