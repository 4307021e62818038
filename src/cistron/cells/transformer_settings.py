"""Old name of :mod:`cistron.cells.settings`, until 0.3."""

from typing import get_args

from cistron.cells.settings import *  # noqa: F403
from cistron.cells.settings import AttentionName, HeadName

ATTENTIONS, HEADS = get_args(AttentionName), get_args(HeadName)
