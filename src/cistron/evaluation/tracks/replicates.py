"""The ceiling from replicates: how well a measurement of the same sample predicts a track."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cistron.evaluation.tracks.scoring import Predictor

NAME = "replicate tracks"
# FANTOM says donor1, biol_rep2, tech_rep1, pool3; ENCODE gives replicates the same description
_NUMBERED = re.compile(
    r"[\s,;(]*\b(donor|(?:biol|tech|bio|biological|technical)[ _]?rep(?:licate)?|rep(?:licate)?|pool)[ _#]*\d+\)?",
    re.I,
)


def replicates_of(tracks: pd.DataFrame) -> list[np.ndarray]:
    """Find the replicates of each track: those of the same description but for the number of a donor or replicate, and of the same strand.

    Parameters
    ----------
    tracks
        ``description``, ``identifier``, and where there are strand pairs ``strand_pair``.

    Returns
    -------
    list of ndarray
        For each track the numbers of its replicates, int64; empty where there are none, where there is no description, or where the strand of a
        pair is not known (identifiers or descriptions that end in ``+`` and ``-``).
    """
    number = np.arange(len(tracks))
    partner = tracks["strand_pair"].to_numpy(np.int64) if "strand_pair" in tracks else number
    identifiers = tracks["identifier"] if "identifier" in tracks else tracks["name"]
    keys: list[tuple[str, str] | None] = []
    for row, (identifier, description) in enumerate(
        zip(identifiers.astype(str), tracks["description"].astype(str))
    ):
        text = re.sub(r"\s+", " ", _NUMBERED.sub("", description)).strip().lower()
        sign = "."
        if partner[row] != row:
            ends = [one.strip()[-1:] for one in (identifier, description)]
            sign = next((end for end in ends if end in "+-" and end), "")
        keys.append((text.rstrip(" +-,"), sign) if text and sign else None)
    groups: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(keys):
        if key is not None:
            groups.setdefault(key, []).append(row)
    empty = np.array([], np.int64)
    return [
        empty if key is None else np.array([other for other in groups[key] if other != row], np.int64)
        for row, key in enumerate(keys)
    ]


def replicate_predictor(model: Predictor, replicates: list[np.ndarray]) -> Predictor:
    """Predict each track by the mean of its replicates; tracks without one by 0.

    Parameters
    ----------
    model
        Any predictor of the same sequences, for what was measured.
    replicates
        Of :func:`replicates_of`.
    """
    mixing = np.zeros((len(replicates), len(replicates)), np.float32)
    for row, others in enumerate(replicates):
        if len(others):
            mixing[others, row] = 1 / len(others)

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for places, observed, _ in model.blocks():
            yield places, observed, observed @ mixing

    predicted = np.asarray(mixing.any(axis=0))
    return Predictor(NAME, blocks, predicted)
