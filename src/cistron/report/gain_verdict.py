"""What may be said of an embedding by its gain beyond trivial columns: the word "knows" and a filled mark rest on it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

GAIN = "gain_"


def knows(gain: Mapping[str, Any] | None) -> bool:
    """Whether the interval of the gain lies above 0; never where it was not measured."""
    return gain is not None and gain["low"] is not None and bool(gain["low"] > 0)


def verdict(gain: Mapping[str, Any] | None, subject: str) -> str:
    """The end of a sentence on an embedding.

    Parameters
    ----------
    gain
        Row of the scores table with the gain, or ``None`` where it was not measured.
    subject
        What was predicted, such as "these sets".
    """
    if gain is None:
        return "was not compared with trivial columns, so nothing is said about what it knows"
    if knows(gain):
        return f"knows something about {subject} that trivial columns do not tell"
    if gain["high"] < 0:
        return "makes the prediction from trivial columns worse"
    return "shows no reliable gain beyond trivial columns"


def split_gains(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores, and the rows of gains beyond trivial columns."""
    gains = scores["metric"].astype(str).str.startswith(GAIN)
    return scores[~gains], scores[gains]
