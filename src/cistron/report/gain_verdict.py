"""What may be said of an embedding by its gain beyond trivial columns: the word "knows" and a filled mark rest on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cistron.evaluation.rivals import RIVAL_NAME
from cistron.study.rows import ADDED_ROWS

GAIN = "gain_"


def is_embedding(name: object) -> bool:
    """Whether a row is of an embedding, and not of trivial columns or of a row that a study adds to judge by."""
    return not str(name).startswith(RIVAL_NAME) and name not in ADDED_ROWS.values()


def first_embedding(rows: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The best row that is of an embedding, and those above it that are of none.

    Parameters
    ----------
    rows
        Rows with ``embedding``, best first. Where none is of an embedding, the first is taken.
    """
    place = next((number for number, row in enumerate(rows) if is_embedding(row["embedding"])), 0)
    return rows[place], list(rows[:place])


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
