"""Old name of :mod:`cistron.sequence.inputs_tracks`, until 0.3."""

from cistron.sequence.inputs_tracks import *  # noqa: F403
