"""Old name of :mod:`cistron.chromatin.fitted_model` and :mod:`cistron.chromatin.saving`, until 0.3."""

from cistron.chromatin.fitted_model import *  # noqa: F403
from cistron.chromatin.saving import *  # noqa: F403
