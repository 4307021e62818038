"""The table of a model's output tracks, one row per track, and how tracks are chosen from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime import atomic_path
from cistron.runtime.tables import read_text_table

TRACK_COLUMNS = ("organism", "index", "identifier", "description", "strand_pair")
# CAGE in the published order of 5,313 and 1,643 tracks (targets_*.txt of the Basenji repository).
_PUBLISHED_CAGE = {("human", 5313): range(4675, 5313), ("mouse", 1643): range(1286, 1643)}


def read_track_table(paths: Mapping[str, Path], tracks: Mapping[str, int]) -> pd.DataFrame:
    """Read targets tables as published with Basenji, Enformer and Borzoi.

    Parameters
    ----------
    paths
        Table of each organism: tab-separated with columns ``identifier``, ``description`` and, where tracks come
        in strand pairs, ``strand_pair`` (number of the partner).
    tracks
        Number of tracks that each organism's head has.

    Returns
    -------
    DataFrame
        :data:`TRACK_COLUMNS`; ``index`` counts within the organism, ``strand_pair`` is the track itself where it has
        no partner.

    Raises
    ------
    InputError
        If a table cannot be read, or its rows are not the head's.
    """
    parts = []
    for organism, path in paths.items():
        if organism not in tracks:
            raise InputError(
                f"a track table for {organism} was given, but the model has {', '.join(tracks)} only"
            )
        text = read_text_table(path, "track table", columns=("identifier", "description"))
        table = text.frame
        own = pd.Series(range(len(table)))
        pair = text.numbers("strand_pair", missing=False) if "strand_pair" in text else own
        parts.append(
            pd.DataFrame(
                {
                    "organism": organism,
                    "index": own,
                    "identifier": table["identifier"].astype(str),
                    "description": table["description"].astype(str),
                    "strand_pair": np.asarray(pair, dtype=int),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    check_track_table(frame, tracks)
    return frame


def check_track_table(table: pd.DataFrame, tracks: Mapping[str, int]) -> None:
    """Raise unless the table has the rows of each organism that it names.

    Raises
    ------
    InputError
        If it has not.
    """
    absent = [column for column in TRACK_COLUMNS if column not in table]
    if absent:
        raise InputError(f"the track table has no column {absent[0]}")
    for organism, rows in table.groupby("organism", sort=False):
        number = tracks.get(str(organism), 0)
        if len(rows) != number or list(rows["index"]) != list(range(number)):
            raise InputError(
                f"the track table has {len(rows):,} rows of {organism}, the model {number:,} tracks; "
                "give the table that the model was trained on"
            )
        if not rows["strand_pair"].between(0, number - 1).all():
            raise InputError(f"the track table of {organism} names a strand pair that does not exist")


def write_track_table(table: pd.DataFrame, path: Path, tracks: Mapping[str, int]) -> None:
    """Check and write a track table as TSV.

    Parameters
    ----------
    table
        Track table.
    path
        File to write.
    tracks
        Number of tracks of each organism.

    Raises
    ------
    InputError
        If the rows are not those of the model.
    """
    check_track_table(table, tracks)
    with atomic_path(path) as partial:
        table[list(TRACK_COLUMNS)].to_csv(partial, sep="\t", index=False)


def load_track_table(model: str | Path, tracks: Mapping[str, int]) -> pd.DataFrame:
    """Give the track table of a model folder; where it has none, tracks are named ``human_0`` and so on."""
    path = Path(model) / "tracks.tsv"
    if path.exists():
        table = pd.read_csv(path, sep="\t", keep_default_na=False)
        check_track_table(table, tracks)
        return table
    parts = [
        pd.DataFrame(
            {
                "organism": organism,
                "index": range(number),
                "identifier": [f"{organism}_{index}" for index in range(number)],
                "description": "",
                "strand_pair": range(number),
            }
        )
        for organism, number in tracks.items()
    ]
    return pd.concat(parts, ignore_index=True)


def choose_tracks(table: pd.DataFrame, organism: str, wanted: Sequence[str]) -> np.ndarray:
    """Find tracks by number, identifier, or a part of the description.

    Parameters
    ----------
    table
        Track table.
    organism
        Whose tracks.
    wanted
        Each a number (``12``), a range (``10-20``, both ends), an identifier (``CNhs10608``) or text that the
        description contains, whatever its case (``CAGE:``, ``K562``). Empty takes all.

    Returns
    -------
    ndarray of int
        Sorted numbers, each once.

    Raises
    ------
    InputError
        If one finds nothing.
    """
    rows = table[table["organism"] == organism]
    if rows.empty:
        raise InputError(
            f"the model has no {organism} tracks; it has {', '.join(table['organism'].unique())}"
        )
    if not wanted:
        return np.arange(len(rows))
    chosen: set[int] = set()
    for text in wanted:
        first, dash, last = text.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            numbers = range(int(first), int(last if dash else first) + 1)
            if not numbers or numbers[-1] >= len(rows):
                raise InputError(f"tracks of {organism} are numbered 0 to {len(rows) - 1:,}. Given: {text}")
            chosen.update(numbers)
            continue
        hit = rows["identifier"] == text
        if not hit.any():
            hit = rows["description"].str.contains(text, case=False, regex=False)
        if not hit.any():
            raise InputError(
                f"no {organism} track is called or described {text!r}; give a number, an identifier or a part of "
                "a description (tracks.tsv of the model lists them)"
            )
        chosen.update(rows.loc[hit, "index"])
    return np.array(sorted(chosen), dtype=np.int64)


def cage_tracks(table: pd.DataFrame, organism: str = "human") -> np.ndarray:
    """Find the CAGE tracks by their description, or by their place in the published order of 5,313.

    Raises
    ------
    InputError
        If the table does not say and the model is not of the published size.
    """
    rows = table[table["organism"] == organism]
    hit = rows["description"].str.upper().str.startswith("CAGE")
    if hit.any():
        return rows.loc[hit, "index"].to_numpy(np.int64)
    published = _PUBLISHED_CAGE.get((organism, len(rows)))
    if published is not None and not rows["description"].any():
        return np.array(published, dtype=np.int64)
    raise InputError(
        f"no {organism} track is described as CAGE; store the track table with 'cistron sequence weights "
        "--human-tracks TABLE', or choose tracks with --tss-tracks"
    )


def track_rows(table: pd.DataFrame, tracks: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Describe chosen tracks of each organism as a tracks store does: one row a track, with a unique ``name``."""
    parts = []
    for organism, numbers in tracks.items():
        rows = table[table["organism"] == organism].set_index("index", drop=False).loc[numbers]
        parts.append(rows.reset_index(drop=True))
    rows = pd.concat(parts, ignore_index=True)
    again = rows["identifier"].duplicated(keep=False)
    name = rows["identifier"].where(
        ~again, rows["organism"] + "_" + rows["index"].astype(str) + "_" + rows["identifier"]
    )
    return rows.assign(name=name)[["name", "organism", "index", "identifier", "description"]]


def strand_pairs(table: pd.DataFrame, organism: str) -> np.ndarray:
    """Give the partner of every track of an organism on the other strand, int64 [track]."""
    return table.loc[table["organism"] == organism, "strand_pair"].to_numpy(np.int64)
