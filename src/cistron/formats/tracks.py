"""The tracks format: values along the genome or around genes, a zarr store (page ``docs/formats/tracks.md``)."""

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

import cistron
from cistron.errors import InputError
from cistron.formats.store import CHECKED, StoredArray, attribute, open_store, stored_array
from cistron.runtime import atomic_path

KIND = "tracks"
_BIGWIG_MAGIC = 0x888FFC26
SCHEMA_VERSION = 1
SEQUENCE_COLUMNS = ("name", "chromosome", "start", "end", "strand")
_WHAT = "a tracks store"
_TEXT_FIELDS = ("name", "method", "genome_build", "licence", "software_version")


@dataclass(frozen=True)
class Tracks:
    """An open tracks store.

    Parameters
    ----------
    header
        Plain values: kind, schema version, name, method, genome build, bin size, parameters, chromosome lengths.
    values
        float32 [sequence, cell type, track, bin], on disk: index it to read.
    measured
        bool [cell type, track]: where a value means something.
    sequences
        One row a sequence: name, chromosome, start, end (0-based, half-open, of the binned part), strand.
    cell_types
        Names along the second axis; one empty name where tracks have cell types of their own.
    tracks
        One row a track: ``name``, and whatever is known of it (organism, description, source).
    """

    header: Mapping[str, Any]
    values: StoredArray
    measured: np.ndarray
    sequences: pd.DataFrame
    cell_types: list[str]
    tracks: pd.DataFrame

    @property
    def bin_size(self) -> int:
        """Base pairs of a bin."""
        return int(self.header["bin_size"])


def create_tracks(
    path: str | Path,
    *,
    name: str,
    method: str,
    sequences: pd.DataFrame,
    tracks: pd.DataFrame,
    bins: int,
    bin_size: int,
    cell_types: Sequence[str] = ("",),
    measured: np.ndarray | None = None,
    genome_build: str = "",
    licence: str = "",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    chromosomes: Mapping[str, int] | None = None,
    sequences_per_chunk: int = 1,
    tracks_per_chunk: int | None = None,
    sequences_per_shard: int | None = None,
) -> Tracks:
    """Make an empty store; its values are NaN until they are written.

    When they are, :func:`cistron.formats.store.seal_store` records which files belong to the store.

    Parameters
    ----------
    path
        Folder to make (inside :func:`cistron.runtime.atomic_directory`, or a partial folder of a resumable run).
    name, method, genome_build, licence, seed, parameters
        Header, as of a gene embedding.
    sequences
        Rows along the first axis, with :data:`SEQUENCE_COLUMNS` and any further ones; ``end - start`` is ``bins x bin_size``.
    tracks
        Rows along the third axis, with a column ``name``.
    bins, bin_size
        Number of bins and base pairs of one.
    cell_types
        Names along the second axis.
    measured
        bool [cell type, track]; all true when absent.
    chromosomes
        Length of each chromosome, for export to bigWig.
    sequences_per_chunk
        Sequences in a piece on disk; more than one where a sequence is small.
    tracks_per_chunk
        Tracks in a piece; all when absent.
    sequences_per_shard
        Put pieces of this many sequences into one file; a file a piece when absent.

    Returns
    -------
    Tracks
        The open store.

    Raises
    ------
    InputError
        If sizes contradict each other.
    """
    sequences, tracks = sequences.reset_index(drop=True), tracks.reset_index(drop=True)
    absent = [column for column in SEQUENCE_COLUMNS if column not in sequences]
    if absent:
        raise InputError(f"sequences need a column {absent[0]!r}; they have {', '.join(map(str, sequences))}")
    if "name" not in tracks or not tracks["name"].is_unique:
        raise InputError("tracks need a column 'name' of unique names")
    width = sequences["end"] - sequences["start"]
    if (width != bins * bin_size).any():
        raise InputError(f"every sequence must span {bins:,} bins of {bin_size} bp = {bins * bin_size:,} bp")
    shape = (len(sequences), len(cell_types), len(tracks), bins)
    if 0 in shape:
        raise InputError(f"tracks are empty: {shape[0]} sequences x {shape[2]} tracks x {bins} bins")
    mask = np.ones(shape[1:3], bool) if measured is None else np.asarray(measured, bool)
    if mask.shape != shape[1:3]:
        raise InputError(
            f"measured must be [cell type, track] = {list(shape[1:3])}. Given: {list(mask.shape)}"
        )
    root = zarr.open_group(str(path), mode="w")
    chunks = (min(sequences_per_chunk, shape[0]), 1, min(tracks_per_chunk or shape[2], shape[2]), bins)
    root.create_array(
        "values",
        shape=shape,
        chunks=chunks,
        shards=None if sequences_per_shard is None else (sequences_per_shard, *chunks[1:]),
        dtype="float32",
        fill_value=np.nan,
        compressors=CHECKED,
    )
    root.create_array("measured", data=mask, compressors=CHECKED)
    root.attrs.put(
        {
            "cistron": {
                "kind": KIND,
                "schema_version": SCHEMA_VERSION,
                "name": name,
                "method": method,
                "genome_build": genome_build,
                "licence": licence,
                "seed": int(seed),
                "software_version": cistron.__version__,
                "bin_size": int(bin_size),
                "parameters": json.dumps(dict(parameters or {}), sort_keys=True, default=str),
                "chromosomes": {key: int(value) for key, value in (chromosomes or {}).items()},
            },
            "sequences": _columns(sequences),
            "cell_types": list(cell_types),
            "tracks": _columns(tracks),
        }
    )
    return open_tracks(path, writable=True)


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Give a table as JSON: the values of each column."""
    return {str(name): table[name].tolist() for name in table}


def open_tracks(path: str | Path, *, writable: bool = False) -> Tracks:
    """Open a store.

    Raises
    ------
    InputError
        If there is no store, it is not one of tracks, is of a newer schema, or is damaged or not whole.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"tracks {path} do not exist")
    root = open_store(path, _WHAT, writable=writable)
    header: dict[str, Any] = dict(attribute(root, path, "cistron", dict, _WHAT))
    if header.get("kind") != KIND or not str(header.get("schema_version", 0)).isdigit():
        raise InputError(f"{path} is not {_WHAT}: it holds {header.get('kind')}")
    if int(header.get("schema_version", 0)) > SCHEMA_VERSION:
        raise InputError(
            f"{path} holds {KIND} version {header['schema_version']}; this cistron reads {KIND} up to {SCHEMA_VERSION}"
        )
    values = stored_array(root, path, "values", "f", 4, _WHAT)
    measured = stored_array(root, path, "measured", "b", 2, _WHAT)
    sequences, tracks = (_table(root, path, name) for name in ("sequences", "tracks"))
    cell_types = attribute(root, path, "cell_types", list, _WHAT)
    _require_agreement(path, header, values, measured, sequences, tracks, cell_types)
    mask = measured[:]
    if not mask.any():  # what an older store reads as, which does not know its files, once the part is lost
        raise InputError(
            f"{path} marks no track as measured; a part of it is missing: write or copy it again"
        )
    return Tracks(header, values, mask, sequences, list(map(str, cell_types)), tracks)


def _table(root: zarr.Group, path: Path, name: str) -> pd.DataFrame:
    """Table of an attribute."""
    columns = attribute(root, path, name, dict, _WHAT)
    if not columns or not all(isinstance(column, list) for column in columns.values()):
        raise InputError(f"{path} is not {_WHAT}: its attribute {name!r} is damaged")
    if len({len(column) for column in columns.values()}) > 1:
        raise InputError(f"{path} is not {_WHAT}: the columns of {name!r} differ in length")
    return pd.DataFrame(columns)


def _require_agreement(
    path: Path,
    header: Mapping[str, Any],
    values: StoredArray,
    measured: StoredArray,
    sequences: pd.DataFrame,
    tracks: pd.DataFrame,
    cell_types: list[Any],
) -> None:
    """Raise where the parts of a store contradict each other."""
    problem = ""
    absent = [column for column in SEQUENCE_COLUMNS if column not in sequences]
    if absent or "name" not in tracks:
        problem = f"{'sequences' if absent else 'tracks'} have no column {absent[0] if absent else 'name'!r}"
    expected = (len(sequences), len(cell_types), len(tracks))
    if values.shape[:3] != expected or measured.shape != expected[1:]:
        problem = f"values are {values.shape} and measured {measured.shape}, expected {(*expected, 'bins')}"
    size, chromosomes = header.get("bin_size"), header.get("chromosomes", {})
    if not isinstance(size, int) or size < 1:
        problem = f"bin_size is {size!r}"
    if not isinstance(chromosomes, dict) or not all(
        isinstance(length, int) for length in chromosomes.values()
    ):
        problem = "the lengths of its chromosomes are no numbers"
    for column in () if absent else ("start", "end"):
        if sequences[column].dtype.kind not in "iu":
            problem = f"{column} of its sequences is no whole number"
    try:
        parameters = json.loads(header.get("parameters", "{}"))
    except (TypeError, ValueError):
        parameters = None
    if not isinstance(parameters, dict):
        problem = "its parameters are no JSON"
    if problem:
        raise InputError(f"{path} is not {_WHAT}: {problem}; it is damaged, copy or build it again")


def check_tracks(path: str | Path) -> list[str]:
    """List what breaks the format; an empty list means that the store is valid.

    Raises
    ------
    InputError
        If it cannot be opened at all.
    """
    store = open_tracks(path)
    problems = [f"the header has no {field}" for field in _TEXT_FIELDS if field not in store.header]
    if store.values.dtype != np.float32:
        problems.append(f"values are {store.values.dtype}, not float32")
    for number, name in enumerate(store.sequences["name"]):
        values = np.asarray(store.values[number])
        if not np.isfinite(values[store.measured]).all():
            problems.append(f"sequence {name} has missing values in tracks that are measured")
            break
    return problems


def write_bigwigs(
    store: Tracks, directory: str | Path, tracks: Sequence[int] | None = None, cell_type: int = 0
) -> list[Path]:
    """Export tracks as bigWig, one file a track; where sequences overlap, the mean is written.

    Parameters
    ----------
    store
        Open store whose header has chromosome lengths.
    directory
        Folder of the files, ``NAME.bw``.
    tracks
        Numbers of the tracks; all when absent.
    cell_type
        Number of the cell type.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If the store has no chromosome lengths, or a track does not exist.
    """
    import pybigtools

    chromosomes = {str(key): int(value) for key, value in store.header.get("chromosomes", {}).items()}
    absent = [name for name in store.sequences["chromosome"].unique() if name not in chromosomes]
    if absent:
        raise InputError(f"the tracks store has no length for chromosome {absent[0]}; bigWig needs it")
    chosen = list(range(len(store.tracks))) if tracks is None else list(tracks)
    if any(not 0 <= number < len(store.tracks) for number in chosen):
        raise InputError(f"tracks are numbered 0 to {len(store.tracks) - 1:,}. Given: {chosen[:5]}")
    paths = []
    for number in chosen:
        name = str(store.tracks["name"][number])
        path = Path(directory) / f"{''.join(c if c.isalnum() or c in '+-._' else '_' for c in name)}.bw"
        intervals = [
            (chromosome, *interval)
            for chromosome in sorted(chromosomes)
            for interval in _mean_intervals(store, chromosome, chromosomes[chromosome], number, cell_type)
        ]
        with atomic_path(path, check=_require_whole_bigwig(len(intervals) > 0)) as partial:
            # writes, and closes the file behind itself
            pybigtools.open(str(partial), "w").write(dict(sorted(chromosomes.items())), iter(intervals))
        paths.append(path)
    return paths


def _require_whole_bigwig(signal: bool) -> Callable[[Path], None]:
    """A check that a bigWig can be read to its end: its writer does not tell of a full disk."""
    import pybigtools

    def check(path: Path) -> None:
        try:
            with path.open("rb") as handle:
                handle.seek(-4, 2)
                whole = int.from_bytes(handle.read(4), "little") == _BIGWIG_MAGIC  # stands at both ends
            with pybigtools.open(str(path)) as file:
                last = sorted(file.chroms())[-1]
                whole = whole and (not signal or file.info()["summary"]["basesCovered"] > 0)
                sum(1 for _ in file.records(last))
        except Exception as error:
            whole, reason = False, str(error)
        else:
            reason = "its end is missing"
        if not whole:
            raise OSError(
                errno.ENOSPC, f"the bigWig was not written whole ({reason}; is the disk full?)", str(path)
            )

    return check


def _mean_intervals(
    store: Tracks, chromosome: str, length: int, track: int, cell_type: int
) -> list[tuple[int, int, float]]:
    """Average overlapping bins of one track on one chromosome into disjoint intervals, in order."""
    rows = np.flatnonzero(store.sequences["chromosome"] == chromosome)
    if len(rows) == 0:
        return []
    bins = store.values.shape[3]
    offsets = np.arange(bins) * store.bin_size
    starts = (store.sequences["start"].to_numpy()[rows][:, None] + offsets).ravel()
    ends = np.clip(starts + store.bin_size, 0, length)
    starts = np.clip(starts, 0, length)
    values = np.concatenate([np.asarray(store.values[int(row), cell_type, track]) for row in rows])
    kept = (ends > starts) & np.isfinite(values)
    starts, ends, values = starts[kept], ends[kept], values[kept].astype(np.float64)
    breaks = np.unique(np.concatenate([starts, ends]))
    low, high = np.searchsorted(breaks, starts), np.searchsorted(breaks, ends)
    # each bin adds to the pieces between two breaks that it covers
    pieces = high - low
    piece = np.repeat(low, pieces) + np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    total = np.bincount(piece, np.repeat(values, pieces), minlength=len(breaks))
    count = np.bincount(piece, minlength=len(breaks))
    covered = np.flatnonzero(count[:-1])
    means = total[covered] / count[covered]
    return [(int(breaks[i]), int(breaks[i + 1]), float(mean)) for i, mean in zip(covered, means)]
