"""The store of training data: a tracks store with the fold of each sequence and the DNA around it.

Beside what every tracks store has (``docs/formats/tracks.md``) it holds an array ``dna``, uint8 [sequence, base pair]: codes (0 to 3 are
A, C, G, T; 4 is N) of the input of a model with :data:`MARGIN` base pairs more on either side, for shifts of the window.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import InputError
from cistron.formats.store import CHECKED, StoredArray, open_store, seal_store, stored_array
from cistron.formats.tracks import Tracks, create_tracks, open_tracks
from cistron.runtime.files import (
    check_writable,
    destination_of,
    record_path,
    replace_directory,
    require_own_folder,
)
from cistron.runtime.shards import fingerprint

METHOD = "training data"
MARGIN = 16  # base pairs of DNA beyond the input on either side
SHARD_BYTES = 64_000_000  # of targets; bounds the memory of a worker
TRACKS_PER_CHUNK = 64
_CREATED = "created"


@dataclass(frozen=True)
class TrainingStore:
    """An open store of training data.

    Attributes
    ----------
    path
        Folder.
    tracks
        Targets, sequences (with ``fold``) and the table of tracks.
    dna
        uint8 [sequence, input length + 2 x :data:`MARGIN`], on disk.
    """

    path: Path
    tracks: Tracks
    dna: StoredArray

    @property
    def input_length(self) -> int:
        """Base pairs of a model's input."""
        return int(self.dna.shape[1]) - 2 * MARGIN

    @property
    def folds(self) -> list[str]:
        """Names of the folds, in order of appearance."""
        return list(dict.fromkeys(map(str, self.tracks.sequences["fold"])))

    @property
    def organism(self) -> str:
        """Name of the organism."""
        return str(self.tracks.tracks["organism"].iloc[0])

    def rows(self, fold: str) -> np.ndarray:
        """Numbers of the sequences of a fold, int64.

        Raises
        ------
        InputError
            If there is no such fold.
        """
        found = np.flatnonzero((self.tracks.sequences["fold"].astype(str) == fold).to_numpy())
        if not len(found):
            raise InputError(f"{self.path.name} has no fold {fold!r}; it has {', '.join(self.folds)}")
        return found


def open_training_store(path: str | Path) -> TrainingStore:
    """Open a store of ``cistron sequence data``.

    Parameters
    ----------
    path
        Folder.

    Raises
    ------
    InputError
        If it is none, or is damaged.
    """
    path = Path(path)
    tracks = open_tracks(path)
    what = "a store of training data"
    if "fold" not in tracks.sequences or "organism" not in tracks.tracks:
        raise InputError(
            f"{path} is not {what}: its sequences have no fold; make one with 'cistron sequence data'"
        )
    dna = stored_array(open_store(path, what), path, "dna", "u", 2, what)
    if dna.shape[0] != len(tracks.sequences):
        raise InputError(
            f"{path} is not {what}: dna is of {dna.shape[0]:,} sequences, not {len(tracks.sequences):,}"
        )
    return TrainingStore(path, tracks, dna)


@dataclass(frozen=True)
class Unfinished:
    """A store that is being written, and where it goes.

    Attributes
    ----------
    partial
        Folder of the unfinished store, inside ``marks``.
    marks
        Folder with a file for each finished shard.
    output
        Final path.
    """

    partial: Path
    marks: Path
    output: Path

    def finish(self) -> TrainingStore:
        """Seal the store and give it its name."""
        for begun in self.partial.rglob("*.partial"):  # of writers that were killed
            begun.unlink()
        seal_store(self.partial)
        replace_directory(self.partial, self.output)
        shutil.rmtree(self.marks, ignore_errors=True)
        return open_training_store(self.output)


def begin_store(
    output: str | Path,
    *,
    sequences: pd.DataFrame,
    tracks: pd.DataFrame,
    bins: int,
    bin_size: int,
    input_length: int,
    genome_build: str,
    chromosomes: Mapping[str, int],
    parameters: Mapping[str, Any],
    sequences_per_shard: int | None,
    tracks_per_chunk: int | None,
) -> Unfinished | TrainingStore:
    """Begin a store, or take up what a run of the same inputs and settings left.

    Parameters
    ----------
    output
        Folder to write in the end.
    sequences
        ``name``, ``chromosome``, ``start``, ``end`` (of the binned part), ``strand``, ``fold``.
    tracks
        One row a track.
    bins, bin_size, input_length
        Sizes.
    genome_build, chromosomes, parameters
        Header. Inputs are told apart by ``parameters``, which hold their SHA-256.
    sequences_per_shard
        Sequences of a file; a file a sequence when absent.
    tracks_per_chunk
        Tracks of a piece.

    Returns
    -------
    Unfinished or TrainingStore
        The finished store where a run was killed behind its last step.
    """
    output = destination_of(check_writable(output))
    if output.is_file():
        raise InputError(f"cannot write {output}: it is a file; give the path of a folder")
    require_own_folder(output, output)
    tag = fingerprint(
        [parameters, sequences.to_json(), tracks.to_json(), bins, bin_size, input_length, sequences_per_shard]
    )
    marks = output.parent / f".{output.name}.shards-{tag}"
    partial = marks / "store.zarr"
    if output.is_dir() and not partial.exists() and not record_path(output).exists():
        finished = _same(output, tag)
        if finished is not None:
            shutil.rmtree(marks, ignore_errors=True)
            return finished
    if not (partial.is_dir() and (marks / _CREATED).exists()):
        shutil.rmtree(marks, ignore_errors=True)
        marks.mkdir()
        create_tracks(
            partial,
            name=output.stem,
            method=METHOD,
            sequences=sequences,
            tracks=tracks,
            bins=bins,
            bin_size=bin_size,
            genome_build=genome_build,
            chromosomes=chromosomes,
            parameters={**parameters, "input_length": input_length, "dna_margin": MARGIN, "tag": tag},
            tracks_per_chunk=tracks_per_chunk,
            sequences_per_shard=sequences_per_shard,
        )
        width = input_length + 2 * MARGIN
        root = zarr.open_group(str(partial), mode="r+")
        root.create_array(
            "dna",
            shape=(len(sequences), width),
            chunks=(1, width),
            shards=None if sequences_per_shard is None else (sequences_per_shard, width),
            dtype="uint8",
            fill_value=4,
            compressors=CHECKED,
        )
        (marks / _CREATED).touch()
    return Unfinished(partial, marks, output)


def _same(output: Path, tag: str) -> TrainingStore | None:
    """The store at ``output``, where a run of this tag wrote it and was killed before it could say so."""
    import json

    try:
        store = open_training_store(output)
        found = json.loads(str(store.tracks.header.get("parameters", "{}"))).get("tag")
    except InputError:
        return None
    return store if found == tag else None
