"""Old name of :mod:`cistron.chromatin.settings`, until 0.3."""

from cistron.chromatin.settings import EpigenesisSettings as EpigenesisSettings
