"""A designed epigenome: marks before and after, what was wanted and reached (page ``docs/formats/designed_epigenome.md``).

A store of :mod:`cistron.formats.tracks` whose values are the designed marks, with ``original`` beside and two tables.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import InputError
from cistron.formats.store import CHECKED, open_store, seal_store, stored_array
from cistron.formats.tracks import Tracks, create_tracks, open_tracks
from cistron.runtime import atomic_directory

_WHAT = "a designed epigenome"
OUTCOME_COLUMNS = (
    "gene",
    "cell_type",
    "role",
    "start",
    "wanted",
    "achieved",
    "judged",
    "share",
    "judged_share",
    "edit_size",
    "edited_blocks",
)
EDIT_COLUMNS = ("gene", "cell_type", "mark", "start", "end", "change", "before", "after")
# of designs made by 0.2 and later
PLACE_COLUMNS = ("chromosome", "genome_start", "genome_end", "quantile")
MEMBER_COLUMNS = ("gene", "cell_type", "member", "role", "before", "after")


@dataclass(frozen=True)
class DesignedEpigenome:
    """An open store of designed marks.

    Attributes
    ----------
    tracks
        ``values``: designed marks, [gene, cell type, mark, bin].
    original
        Marks before, float32 of the same shape.
    outcome
        One row a gene and cell type, :data:`OUTCOME_COLUMNS`.
    edits
        One row a gene, cell type, mark and kilobase that was edited, :data:`EDIT_COLUMNS`; mean log signal. Also
        :data:`PLACE_COLUMNS`, where the design has them.
    members
        One row a gene, cell type and network, :data:`MEMBER_COLUMNS`; ``None`` of older designs.
    """

    tracks: Tracks
    original: np.ndarray
    outcome: pd.DataFrame
    edits: pd.DataFrame
    members: pd.DataFrame | None = None


def write_designed_epigenome(
    path: str | Path,
    designed: np.ndarray,
    original: np.ndarray,
    measured: np.ndarray,
    *,
    sequences: pd.DataFrame,
    cell_types: list[str],
    marks: list[str],
    bin_size: int,
    outcome: pd.DataFrame,
    edits: pd.DataFrame,
    name: str,
    genome_build: str,
    parameters: Mapping[str, Any],
    members: pd.DataFrame | None = None,
    chromosomes: Mapping[str, int] | None = None,
) -> None:
    """Write a design as a zarr store with ``outcome.tsv`` and ``edits.tsv`` inside, whole or not at all.

    Parameters
    ----------
    path
        Folder of the store.
    designed, original
        log1p signal after and before, float32 [gene, cell type, mark, bin].
    measured
        Whether a track was measured, bool [gene, cell type, mark].
    sequences
        Window of each gene, one row a gene.
    cell_types, marks
        Names of the second and third axis.
    bin_size
        Base pairs of a bin.
    outcome
        One row a gene and cell type; needs ``OUTCOME_COLUMNS``.
    edits
        One row an edit; needs ``EDIT_COLUMNS``, and keeps ``PLACE_COLUMNS`` where it has them.
    name
        Name of the design.
    genome_build
        Genome build of the windows.
    parameters
        Settings that made it.
    members
        One row a gene, cell type and network; needs ``MEMBER_COLUMNS``.
    chromosomes
        Length of each chromosome, for export to bigWig.

    Raises
    ------
    InputError
        If sizes contradict each other or a table lacks a column.
    """
    for table, columns, what in ((outcome, OUTCOME_COLUMNS, "outcome"), (edits, EDIT_COLUMNS, "edits")):
        absent = [column for column in columns if column not in table]
        if absent:
            raise InputError(f"design {name}: the table of {what} has no column {absent[0]!r}")
    if designed.shape != original.shape:
        raise InputError(
            f"design {name}: marks before {original.shape} and after {designed.shape} differ in size"
        )
    with atomic_directory(path) as partial:
        store = create_tracks(
            partial,
            name=name,
            method="chromatin design",
            sequences=sequences,
            tracks=pd.DataFrame({"name": marks}),
            bins=designed.shape[-1],
            bin_size=bin_size,
            cell_types=cell_types,
            measured=measured,
            genome_build=genome_build,
            parameters=parameters,
            chromosomes=chromosomes,
        )
        kept = measured[None, :, :, None]
        for row in range(len(designed)):
            store.values[row] = np.where(kept[0], designed[row], np.nan)
        root = zarr.open_group(str(partial), mode="r+")
        before = np.where(kept, original, np.nan).astype(np.float32)
        root.create_array("original", data=before, fill_value=np.nan, compressors=CHECKED)
        root.attrs["outcome"] = json.loads(outcome[list(OUTCOME_COLUMNS)].to_json(orient="split"))
        kept_columns = [column for column in (*EDIT_COLUMNS, *PLACE_COLUMNS) if column in edits]
        root.attrs["edits"] = json.loads(edits[kept_columns].to_json(orient="split"))
        if members is not None:
            root.attrs["members"] = json.loads(members[list(MEMBER_COLUMNS)].to_json(orient="split"))
        seal_store(partial)


def read_designed_epigenome(path: str | Path) -> DesignedEpigenome:
    """Read a design.

    Raises
    ------
    InputError
        If the store is absent or is no design.
    """
    tracks = open_tracks(path)
    path = Path(path)
    root = open_store(path, _WHAT)
    if "outcome" not in root.attrs:
        raise InputError(f"{path} holds tracks, but no design; make one with 'cistron chromatin design'")
    original = stored_array(root, path, "original", "f", 4, _WHAT)
    if original.shape != tracks.values.shape:
        raise InputError(f"{path} is not {_WHAT}: marks before and after differ in size; it is damaged")
    text = {"gene": str, "cell_type": str, "chromosome": str}
    try:
        outcome, edits = (
            pd.read_json(io.StringIO(json.dumps(root.attrs[part])), orient="split", dtype=text)
            for part in ("outcome", "edits")
        )
        outcome[list(OUTCOME_COLUMNS)], edits[list(EDIT_COLUMNS)]
        members = None
        if "members" in root.attrs:
            members = pd.read_json(
                io.StringIO(json.dumps(root.attrs["members"])), orient="split", dtype=text
            )[list(MEMBER_COLUMNS)]
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise InputError(f"{path} is not {_WHAT}: its tables are damaged ({str(error)[:80]})") from error
    return DesignedEpigenome(tracks, original[:], outcome, edits, members)
