"""The epigenesis map: what a peak of each mark in each place does to predicted expression (page ``docs/formats/epigenesis.md``)."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

import cistron
from cistron.errors import InputError
from cistron.formats.store import CHECKED, attribute, open_store, seal_store, stored_array
from cistron.runtime import atomic_directory

KIND = "epigenesis"
SCHEMA_VERSION = 1
_WHAT = "an epigenesis map"
TABLE_COLUMNS = ("mark", "start", "end", "peak_in", "read_in", "effect", "low", "high", "interval", "n")


@dataclass(frozen=True)
class EpigenesisMap:
    """Effects of a sliding peak.

    Attributes
    ----------
    effect
        Change of predicted expression, float32 [gene, mark, place, cell type in which it is read].
    reference
        Predicted expression without the peak, float32 [gene, mark, cell type].
    table
        Means over genes with intervals, :data:`TABLE_COLUMNS`; ``start`` and ``end`` in base pairs from the start site.
    genes, marks, cell_types
        Names along the axes.
    starts
        Left end of the peak in each place, base pairs from the start site in the direction of transcription.
    width
        Base pairs of the peak.
    facts
        Background, cell type of the peak, height, scale, data set, method, number of networks, seed.
    """

    effect: np.ndarray
    reference: np.ndarray
    table: pd.DataFrame
    genes: list[str]
    marks: list[str]
    cell_types: list[str]
    starts: list[int]
    width: int
    facts: Mapping[str, Any]


def check_epigenesis(found: EpigenesisMap) -> list[str]:
    """List what breaks the format; an empty list means that the map is valid."""
    shape = (len(found.genes), len(found.marks), len(found.starts), len(found.cell_types))
    problems = []
    if found.effect.shape != shape:
        problems.append(f"effect is {found.effect.shape}, expected [gene, mark, place, cell type] = {shape}")
    if found.reference.shape != (shape[0], shape[1], shape[3]):
        problems.append(f"reference is {found.reference.shape}, expected {(shape[0], shape[1], shape[3])}")
    problems += [f"the table has no column {name!r}" for name in TABLE_COLUMNS if name not in found.table]
    if not problems and not np.isfinite(pd.to_numeric(found.table["effect"], errors="coerce")).all():
        problems.append("the table has effects that are not finite")
    return problems


def write_epigenesis(path: str | Path, found: EpigenesisMap) -> None:
    """Check a map and write it as a zarr store, whole or not at all.

    Raises
    ------
    InputError
        If the map breaks the format or the folder cannot be written.
    """
    problems = check_epigenesis(found)
    if problems:
        raise InputError(f"epigenesis map {Path(path).name} breaks its format: {problems[0]}")
    with atomic_directory(path) as partial:
        root = zarr.open_group(str(partial), mode="w")
        root.create_array("effect", data=np.asarray(found.effect, np.float32), compressors=CHECKED)
        root.create_array("reference", data=np.asarray(found.reference, np.float32), compressors=CHECKED)
        table = found.table[list(TABLE_COLUMNS)]
        root.attrs.put(
            {
                "cistron": {
                    "kind": KIND,
                    "schema_version": SCHEMA_VERSION,
                    "software_version": cistron.__version__,
                    **dict(found.facts),
                },
                "genes": found.genes,
                "marks": found.marks,
                "cell_types": found.cell_types,
                "starts": found.starts,
                "width": found.width,
                "table": table.to_json(orient="split"),
            }
        )
        seal_store(partial)


def read_epigenesis(path: str | Path) -> EpigenesisMap:
    """Read a map.

    Raises
    ------
    InputError
        If there is none, or it breaks the format.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"epigenesis map {path} does not exist")
    root = open_store(path, _WHAT)
    header: dict[str, Any] = dict(attribute(root, path, "cistron", dict, _WHAT))
    if header.pop("kind", None) != KIND or str(header.pop("schema_version", "")) != str(SCHEMA_VERSION):
        raise InputError(f"{path} is no epigenesis map, but another kind of store or of a newer version")
    header.pop("software_version", None)
    effect, reference = (
        stored_array(root, path, name, "f", axes, _WHAT)[:]
        for name, axes in (("effect", 4), ("reference", 3))
    )
    names = {
        name: attribute(root, path, name, list, _WHAT) for name in ("genes", "marks", "cell_types", "starts")
    }
    text, width = attribute(root, path, "table", str, _WHAT), attribute(root, path, "width", int, _WHAT)
    try:
        table = pd.read_json(io.StringIO(text), orient="split")
        starts = [int(start) for start in names["starts"]]
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise InputError(
            f"{path} is no epigenesis map ({type(error).__name__}: {str(error)[:80]}); it is damaged"
        ) from error
    found = EpigenesisMap(
        effect, reference, table, names["genes"], names["marks"], names["cell_types"], starts, width, header
    )
    problems = check_epigenesis(found)
    if problems:
        raise InputError(f"epigenesis map {path.name} breaks its format: {problems[0]}")
    return found
