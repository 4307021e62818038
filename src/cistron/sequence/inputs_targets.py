"""The targets table of training data: one row a track, with its file, clips, scale and statistic."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime import say
from cistron.runtime.tables import read_text_table
from cistron.sequence.target_transforms import TargetPreset, TrackTransform

COLUMNS = ("identifier", "file", "clip", "clip_soft", "scale", "sum_stat", "strand_pair", "description")


def read_targets(path: str | Path) -> pd.DataFrame:
    """Read a targets table as published with Basenji, Enformer, Borzoi and Baskerville.

    Parameters
    ----------
    path
        Text, plain or packed, with ``identifier`` and whatever it has of :data:`COLUMNS` (and ``index``, ``genome``).

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, one row a track; ``clip`` and ``clip_soft`` are NaN where there is none, ``strand_pair`` is the row itself
        where a track has no partner, ``name`` is unique (``#row`` is added to identifiers that repeat).

    Raises
    ------
    InputError
        If a column is absent, a number is none, or strand pairs contradict each other.
    """
    text = read_text_table(path, "targets", columns=("identifier",))
    label, rows = text.layout.label, len(text)
    frame = pd.DataFrame({"identifier": text.text("identifier")})
    frame["file"] = text.text("file") if "file" in text else ""
    frame["description"] = text.text("description") if "description" in text else ""
    frame["sum_stat"] = text.text("sum_stat") if "sum_stat" in text else "sum"
    for name, default in (("clip", np.nan), ("clip_soft", np.nan), ("scale", 1.0)):
        frame[name] = text.numbers(name) if name in text else default
    frame["scale"] = frame["scale"].fillna(1.0)
    for name, low in (("scale", True), ("clip", True), ("clip_soft", False)):
        wrong = (frame[name] <= 0) if low else (frame[name] < 0)
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{label} line {text.layout.line_of(row)}: {name} must be {'positive' if low else '0 or more'}. Given: {frame[name].iloc[row]:g}"
            )
    pair = text.numbers("strand_pair", missing=False) if "strand_pair" in text else np.arange(rows)
    frame["strand_pair"] = _checked_pairs(pair, label)
    twice = frame["identifier"].duplicated(keep=False)
    frame["name"] = np.where(
        twice, frame["identifier"] + "#" + pd.Series(range(rows)).astype(str), frame["identifier"]
    )
    if twice.any() and not frame["name"].is_unique:
        raise InputError(f"{label}: identifiers repeat and end in '#number'; rename them")
    return frame


def _checked_pairs(pair: np.ndarray, label: str) -> np.ndarray:
    rows = np.arange(len(pair))
    whole = (pair % 1 == 0) & (pair >= 0) & (pair < len(pair))
    if not whole.all():
        row = int((~whole).argmax())
        raise InputError(
            f"{label}: strand_pair of row {row} is {pair[row]:g}; expected the number of a row, 0 to {len(pair) - 1:,}"
        )
    partner = pair.astype(np.int64)
    if (partner[partner] != rows).any():
        row = int((partner[partner] != rows).argmax())
        raise InputError(
            f"{label}: row {row} names {partner[row]} as its strand pair, which names {partner[partner[row]]}; pairs must name each other"
        )
    return partner


def transform_of(row: pd.Series) -> TrackTransform:
    """Give the transform of a track from its row."""
    return TrackTransform(
        str(row["sum_stat"]),
        float(row["scale"]),
        None if np.isnan(row["clip"]) else float(row["clip"]),
        None if np.isnan(row["clip_soft"]) else float(row["clip_soft"]),
    )


def check_statistics(targets: pd.DataFrame, preset: TargetPreset, what: str) -> None:
    """Raise where the version of the transform lacks a statistic or clip of the table.

    Parameters
    ----------
    targets
        Table of :func:`read_targets`.
    preset
        Version.
    what
        Name of the table, for the message.

    Raises
    ------
    InputError
        Naming the first such track.
    """
    unknown = ~targets["sum_stat"].isin(preset.statistics)
    if unknown.any():
        row = targets[unknown].iloc[0]
        raise InputError(
            f"targets {what}: {row['identifier']} has the statistic {row['sum_stat']!r}, which the version {preset.name} does not have "
            f"({', '.join(preset.statistics)}); choose the version with --settings"
        )


def leave_out(targets: pd.DataFrame, reasons: dict[int, str]) -> pd.DataFrame:
    """Leave out tracks, and the strand partners of these, each with a remark; strand pairs are numbered anew.

    Parameters
    ----------
    targets
        Table of :func:`read_targets`.
    reasons
        Row to why it is left out.

    Returns
    -------
    DataFrame
        The other rows, with the column ``row`` of their place in the table.
    """
    partner = targets["strand_pair"].to_numpy()
    for row in list(reasons):
        other = int(partner[row])
        reasons.setdefault(other, f"its strand partner {targets['name'].iloc[row]} is left out")
    for row, reason in sorted(reasons.items()):
        say(f"track {targets['name'].iloc[row]} is left out: {reason}")
    kept = [row for row in range(len(targets)) if row not in reasons]
    number = {row: place for place, row in enumerate(kept)}
    found = targets.iloc[kept].reset_index(drop=True)
    return found.assign(row=kept, strand_pair=[number[int(partner[row])] for row in kept])
