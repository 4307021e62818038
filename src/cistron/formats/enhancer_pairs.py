"""Tested pairs of an element and a gene: the columns of the CRISPR benchmark, or the same under other common names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cistron.errors import InputError
from cistron.runtime.tables import TextTable, read_text_table

DistanceBy = Literal["auto", "column", "midpoint"]
# what is needed: names that it goes by, the benchmark's first
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "chromosome": ("chrom", "chr", "chromosome", "#chr", "seqnames"),
        "start": ("chromStart", "start"),
        "end": ("chromEnd", "end"),
        "gene": ("measuredGeneSymbol", "TargetGene", "gene", "symbol", "gene_symbol"),
        "regulated": ("Regulated", "regulated", "label"),
        "valid": ("ValidConnection",),
        "cell_type": ("CellType", "cell_type"),
        "dataset": ("Dataset", "dataset"),
        "distance": ("distanceToTSS", "DistanceToTSS", "distance"),
        "site_start": ("startTSS", "TargetGeneTSS"),
        "site_end": ("endTSS",),
        "name": ("name",),
    }
)
_TRUE, _FALSE = (
    frozenset({"TRUE", "True", "true", "1", "T"}),
    frozenset({"FALSE", "False", "false", "0", "F"}),
)
_MISSING = frozenset({"", "NA", "nan", "NaN", "."})


@dataclass(frozen=True)
class Pairs:
    """Tested pairs.

    Attributes
    ----------
    name
        Name of the collection.
    frame
        One row a pair: ``name``, ``chromosome``, ``start``, ``end`` (0-based, half-open), ``gene``, ``regulated`` (bool),
        ``distance`` (base pairs, infinite where it is not known), ``cell_type``, ``dataset``, ``component`` (pairs that share an element or a gene).
    distance_by
        ``column``, or ``midpoint``: from the middle of the element to the start site.
    remarks
        What was set aside.
    """

    name: str
    frame: pd.DataFrame
    distance_by: str
    remarks: tuple[str, ...]


def found_column(table: TextTable, what: str, needed: bool = True) -> str | None:
    """Give the name that a column goes by in a table.

    Parameters
    ----------
    table
        The table.
    what
        Key of :data:`NAMES`.
    needed
        Whether its absence is an error.

    Raises
    ------
    InputError
        If it is needed and absent.
    """
    found = next((name for name in NAMES[what] if name in table), None)
    if found is None and needed:
        raise InputError(
            f"{table.layout.label} has no column for the {what.replace('_', ' ')} of a pair; expected one of {', '.join(NAMES[what])}. "
            f"Given: {', '.join(table.columns[:8])}"
        )
    return found


def _truth(cells: Sequence[str], column: str, table: TextTable) -> np.ndarray:
    """1 for true, 0 for false, -1 where it is missing."""
    values = np.array(
        [1 if cell in _TRUE else 0 if cell in _FALSE else -1 if cell in _MISSING else -2 for cell in cells]
    )
    if (values == -2).any():
        place = int(np.flatnonzero(values == -2)[0])
        raise InputError(
            f"{table.layout.label} column {column!r}: expected TRUE or FALSE in each row. Given: {cells[place]!r} in row {place + 1:,}"
        )
    return values


def _outcomes(table: TextTable, column: str | None) -> np.ndarray:
    assert column is not None
    return _truth(table.text(column), column, table)


def numbers_of(table: TextTable, column: str) -> np.ndarray:
    """Numbers of a column, NaN where they are missing."""
    cells = table.text(column)
    try:
        return np.array([np.nan if cell in _MISSING else float(cell) for cell in cells])
    except ValueError as error:
        raise InputError(
            f"{table.layout.label} column {column!r} holds something that is no number ({error})"
        ) from error


def read_pairs(path: str | Path, distance: DistanceBy = "auto", outcomes: bool = True) -> Pairs:
    """Read tested pairs.

    Rows with ``ValidConnection`` other than TRUE, and those without an outcome, are set aside.

    Parameters
    ----------
    path
        Table with a header, plain or gzip; the columns go by any of :data:`NAMES`.
    distance
        Distance of element and start site: as the table has it (``column``), from the middle of the element (``midpoint``), or the
        first of both that is there.
    outcomes
        Whether the outcome of each pair is needed. Without it all pairs are kept, whatever they say, and none needs a distance.

    Raises
    ------
    InputError
        If columns are absent or damaged, or no pair of either outcome is left.
    """
    path = Path(path)
    table = read_text_table(path, "pairs")
    columns = {
        what: found_column(table, what, needed=outcomes or what != "regulated")
        for what in ("chromosome", "start", "end", "gene", "regulated")
    }
    optional = {
        what: found_column(table, what, needed=False)
        for what in ("valid", "cell_type", "dataset", "distance", "site_start", "site_end", "name")
    }
    start, end = (numbers_of(table, str(columns[what])) for what in ("start", "end"))
    if not (np.isfinite(start) & np.isfinite(end) & (start < end) & (start >= 0)).all():
        place = int(
            np.flatnonzero(~(np.isfinite(start) & np.isfinite(end) & (start < end) & (start >= 0)))[0]
        )
        raise InputError(
            f"{table.layout.label} row {place + 1:,}: an element needs a start below its end. Given: {start[place]} to {end[place]}"
        )
    frame = pd.DataFrame(
        {
            "chromosome": table.text(str(columns["chromosome"])),
            "start": start.astype(np.int64),
            "end": end.astype(np.int64),
            "gene": table.text(str(columns["gene"])),
            "outcome": _outcomes(table, columns["regulated"]) if outcomes else 0,
        }
    )
    for what in ("cell_type", "dataset"):
        frame[what] = table.text(str(optional[what])) if optional[what] else ""
    by, far = _distances(table, frame, optional, distance) if outcomes else ("", np.zeros(len(frame)))
    frame["distance"] = far
    names = table.text("name") if optional["name"] else [""] * len(frame)
    made = (
        frame["chromosome"]
        + ":"
        + frame["start"].astype(str)
        + "-"
        + frame["end"].astype(str)
        + "|"
        + frame["gene"]
    )
    frame["name"] = [name or other for name, other in zip(names, made)]
    remarks = []
    kept = np.ones(len(frame), bool)
    if optional["valid"] and outcomes:
        kept = np.array([cell in _TRUE for cell in table.text("ValidConnection")])
        if not kept.all():
            remarks.append(
                f"{int((~kept).sum()):,} of {len(frame):,} pairs are set aside: ValidConnection is not TRUE"
            )
    unknown = kept & (frame["outcome"].to_numpy() < 0)
    if unknown.any():
        remarks.append(f"{int(unknown.sum()):,} pairs without an outcome are set aside")
    lost = kept & ~unknown & ~np.isfinite(frame["distance"].to_numpy())
    if lost.any():
        remarks.append(f"{int(lost.sum()):,} pairs have no distance; they count as the farthest")
    frame["distance"] = frame["distance"].fillna(np.inf)
    frame = frame[kept & ~unknown].reset_index(drop=True)
    frame["regulated"] = frame.pop("outcome") == 1
    if outcomes and not 0 < frame["regulated"].sum() < len(frame):
        raise InputError(
            f"{path.name}: {int(frame['regulated'].sum()):,} of {len(frame):,} pairs are regulated; both outcomes are needed"
        )
    frame["component"] = components(frame)
    return Pairs(path.name.split(".tsv")[0].split(".csv")[0], frame, by, (*table.remarks, *remarks))


def _distances(
    table: TextTable, frame: pd.DataFrame, optional: Mapping[str, str | None], wanted: DistanceBy
) -> tuple[str, np.ndarray]:
    if optional["distance"] and wanted != "midpoint":
        return "column", np.abs(numbers_of(table, str(optional["distance"])))
    if wanted == "column" or not optional["site_start"]:
        raise InputError(
            f"{table.layout.label} has no column {'distanceToTSS' if wanted == 'column' else 'startTSS'}; give the distance of each pair as distanceToTSS, or "
            "the start site of the gene as startTSS"
        )
    site = numbers_of(table, str(optional["site_start"]))
    if optional["site_end"]:
        site = (site + numbers_of(table, str(optional["site_end"]))) // 2
    return "midpoint", np.abs((frame["start"] + frame["end"]).to_numpy() // 2 - site)


def components(frame: pd.DataFrame) -> np.ndarray:
    """Number pairs so that those that share an element or a gene, directly or through others, have one number.

    Parameters
    ----------
    frame
        Pairs with ``chromosome``, ``start``, ``end`` and ``gene``.
    """
    element = frame.groupby(["chromosome", "start", "end"], sort=False).ngroup().to_numpy()
    gene = frame.groupby("gene", sort=False).ngroup().to_numpy() + element.max() + 1
    size = int(gene.max()) + 1
    graph = coo_array((np.ones(len(frame)), (element, gene)), shape=(size, size))
    return connected_components(graph, directed=False)[1][element]
