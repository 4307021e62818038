"""Old name of :mod:`cistron.chromatin.splits`, until 0.3."""

from cistron.chromatin.splits import *  # noqa: F403
from cistron.chromatin.splits import TwoAxisSplit as Parts  # noqa: F401
from cistron.chromatin.splits import choose_split as choose_parts  # noqa: F401
