"""Names of :mod:`cistron.cells.settings` as they were before 0.2; kept until 0.3."""

from typing import get_args

from cistron.cells.settings import COUNT_HEADS, AttentionName, HeadName, TransformerSettings

ATTENTIONS, HEADS = get_args(AttentionName), get_args(HeadName)

__all__ = ["ATTENTIONS", "COUNT_HEADS", "HEADS", "TransformerSettings"]
