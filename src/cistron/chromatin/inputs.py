"""Read a user's files: the list of bigWigs, start sites, expression, and arrays that are binned already."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.gene_tracks import KINDS, require_distinct
from cistron.formats.npz import read_npz
from cistron.formats.tables import first_line, read_table
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.places import GenePlaces, read_gene_places
from cistron.runtime import say
from cistron.runtime.cloud import cloud_url, exists
from cistron.runtime.tables import read_text_table

BINNED_PARTS = ("values", "genes", "cell_types", "marks")


def read_columns(path: Path, columns: tuple[str, ...], what: str) -> pd.DataFrame:
    """Read a delimited table with a header, all as text.

    Parameters
    ----------
    path
        Table.
    columns
        Columns that it must have.
    what
        What it is, for messages.

    Raises
    ------
    InputError
        If the file is absent, empty or lacks a column.
    """
    return read_text_table(path, what, columns=columns).frame


def read_track_list(path: str | Path, *, replicates: bool = False) -> pd.DataFrame:
    """Read the table that gives cell type and mark of each bigWig.

    Parameters
    ----------
    path
        Table with ``cell_type``, ``mark``, ``path`` (relative to the table) and optional ``kind`` (measured or imputed).
    replicates
        Whether a cell type may have a mark several times.

    Returns
    -------
    DataFrame
        These columns; ``path`` as Path, ``kind`` measured where it was not said.

    Raises
    ------
    InputError
        If a cell type has a mark twice, names differ in case, blanks or hyphens only, a kind is unknown, or a file is absent.
    """
    path = Path(path)
    table = read_columns(path, ("cell_type", "mark", "path"), "track list")
    if "kind" not in table:
        table["kind"] = "measured"
    table["kind"] = table["kind"].str.strip().str.lower().replace("", "measured")
    unknown = table.loc[~table["kind"].isin(KINDS), "kind"]
    if len(unknown):
        raise InputError(f"track list {path.name}: kind is {' or '.join(KINDS)}. Given: {unknown.iloc[0]!r}")
    for column, plural in (("cell_type", "cell types"), ("mark", "marks")):
        require_distinct(table[column], f"track list {path.name}: {plural}")
    twice = table[table.duplicated(["cell_type", "mark"], keep=False)]
    if len(twice) and not replicates:
        row = twice.iloc[0]
        files = twice[(twice["cell_type"] == row["cell_type"]) & (twice["mark"] == row["mark"])]["path"]
        raise InputError(
            f"track list {path.name}: {row['mark']} of {row['cell_type']} is listed {len(files)} times ({', '.join(files)}); "
            "keep one, or merge them as replicates (--replicates mean)"
        )
    same = table[table.duplicated(["cell_type", "mark", "path"])]
    if len(same):
        raise InputError(
            f"track list {path.name}: {same.iloc[0]['path']} is listed twice as {same.iloc[0]['mark']} of {same.iloc[0]['cell_type']}; keep one"
        )
    mixed = table.groupby(["cell_type", "mark"])["kind"].nunique()
    if (mixed > 1).any():
        cell_type, mark = mixed.index[mixed > 1][0]
        raise InputError(
            f"track list {path.name}: replicates of {mark} of {cell_type} are measured and imputed; keep one kind"
        )
    table["path"] = [Path(name) if cloud_url(name) else path.parent / name for name in table["path"]]
    absent = [name for name in table["path"] if not exists(name)]
    if absent:
        raise InputError(f"track list {path.name}: {len(absent)} files do not exist, for example {absent[0]}")
    return table[["cell_type", "mark", "path", "kind"]]


def read_start_sites(path: str | Path, *, ends: bool = False) -> pd.DataFrame:
    """Read one start site per gene, by the one rule of :mod:`cistron.genes.start_sites`.

    Parameters
    ----------
    path
        What :func:`cistron.genes.places.read_gene_places` takes: GTF, GFF3, BED of six columns (the 5' end, or the middle
        where all rows are of one width, windows around start sites), or a table with ``gene``, ``chromosome``,
        ``position`` (0-based; or ``start`` and ``end``) and ``strand``.
    ends
        Give the end sites too; the file must have start and end of each gene.

    Returns
    -------
    DataFrame
        :data:`SITE_COLUMNS`, and ``symbol`` and ``split`` where they are known; one row per gene. With ``ends`` also ``end_site``,
        the last base pair of the gene body, 0-based.

    Raises
    ------
    InputError
        If the file cannot be read, a position is no number, a strand is neither ``+`` nor ``-``, or a table names a gene
        twice.
    """
    places = read_gene_places(path, "start sites")
    if places.form == "bed" and "strand" not in places.genes:
        raise InputError(
            f"start sites {places.name}: expected BED with six columns (chromosome, start, end, gene, score, strand)"
        )
    sites, remarks = places.start_sites()
    for remark in remarks:
        say(remark)
    if "split" in places.genes:
        sites = sites.merge(places.genes[["gene", "split"]], on="gene", how="left")
    return _with_end_sites(sites, places) if ends else sites


def _with_end_sites(sites: pd.DataFrame, places: GenePlaces) -> pd.DataFrame:
    """Add the end of each gene on its own chromosome; genes whose file says none are an error."""
    table = places.require("start", "end")
    widths = (table["end"] - table["start"]).dropna()
    if places.form == "bed" and len(widths) > 1 and widths.nunique() == 1:
        raise InputError(
            f"{places.name} has windows of {int(widths.iloc[0]):,} bp, not gene bodies; --gene-body-bins needs the start and end of each gene"
        )
    ends = table[["gene", "chromosome", "start", "end"]].dropna()
    found = sites.merge(ends, on=["gene", "chromosome"], how="left")
    unknown = found.loc[found["end"].isna(), "gene"]
    if len(unknown):
        raise InputError(
            f"{places.name} says no start and end of {len(unknown):,} genes, for example {unknown.iloc[0]}; --gene-body-bins needs both"
        )
    last = found["start"].where(found["strand"] == "-", found["end"] - 1)
    return found.drop(columns=["start", "end"]).assign(end_site=last.astype("int64"))


def read_expression(path: str | Path) -> pd.DataFrame:
    """Read genes x cell types; Ensembl versions are taken off, NaN is not measured, negative values are an error."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"expression {path} does not exist")
    table = read_table(path, word2vec=False).astype(np.float64)
    ids = table.index.astype(str)
    table.index = pd.Index(normalise_identifiers(ids, guess_namespace(ids)), name=table.index.name)
    table.columns = table.columns.astype(str)
    require_distinct(table.columns, f"expression {path.name}: cell types")
    if not table.index.is_unique:
        doubled = table.index[table.index.duplicated()][0]
        raise InputError(f"expression {path.name}: gene {doubled} occurs more than once; keep one row each")
    if np.isinf(table.to_numpy()).any() or (table.to_numpy() < 0).any():
        raise InputError(
            f"expression {path.name} has negative or infinite values; expected TPM, RPKM or counts"
        )
    return table


@dataclass(frozen=True)
class BinnedArrays:
    """Signal that the user has binned already.

    Attributes
    ----------
    values
        float [gene, cell type, mark, bin].
    genes, cell_types, marks
        Names along the axes.
    measured
        bool [cell type, mark].
    """

    values: np.ndarray
    genes: list[str]
    cell_types: list[str]
    marks: list[str]
    measured: np.ndarray


def read_binned(path: str | Path) -> BinnedArrays:
    """Read ``.npz`` or a zarr group with ``values`` [gene, cell type, mark, bin], ``genes``, ``cell_types``, ``marks``.

    An optional ``measured`` [cell type, mark] says which tracks exist; without it a track of NaN only does not exist.

    Raises
    ------
    InputError
        If a part is absent, sizes contradict each other, or a track has NaN or negative signal.
    """
    path = Path(path)
    parts = _parts(path)
    absent = [name for name in BINNED_PARTS if name not in parts]
    if absent:
        raise InputError(f"{path.name} has no array {absent[0]!r}; expected {', '.join(BINNED_PARTS)}")
    values = np.asarray(parts["values"])
    names = [[str(name) for name in np.asarray(parts[part]).ravel()] for part in BINNED_PARTS[1:]]
    expected = tuple(map(len, names))
    if values.ndim != 4 or values.shape[:3] != expected:
        raise InputError(
            f"{path.name}: values must be [gene, cell type, mark, bin] = {(*expected, 'bins')}. Given: {values.shape}"
        )
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path.name}: values are {values.dtype}, not numbers")
    for part, plural in ((1, "cell types"), (2, "marks")):
        require_distinct(names[part], f"{path.name}: {plural}")
    values = values.astype(np.float32, copy=False)
    if "measured" in parts:
        measured = np.asarray(parts["measured"], bool)
        if measured.shape != expected[1:]:
            raise InputError(
                f"{path.name}: measured must be [cell type, mark] = {expected[1:]}. Given: {measured.shape}"
            )
    else:
        measured = ~np.isnan(values).all(axis=(0, 3))
    for c, m in np.argwhere(measured):
        track = values[:, c, m]
        if not np.isfinite(track).all() or (track < 0).any():
            kind = "NaN or infinite" if not np.isfinite(track).all() else "negative"
            raise InputError(
                f"{path.name}: {names[2][m]} of {names[1][c]} has {kind} signal, first in gene "
                f"{names[0][int(np.argwhere(~(track >= 0) | np.isinf(track))[0, 0])]}; mark whole tracks as not measured, or mend it"
            )
    names[0] = normalise_identifiers(names[0], guess_namespace(names[0]))
    doubled = [name for name, count in Counter(names[0]).items() if count > 1]
    if doubled:
        raise InputError(f"{path.name}: gene {doubled[0]} occurs more than once; keep one row each")
    return BinnedArrays(values, names[0], names[1], names[2], measured)


def _parts(path: Path) -> dict[str, object]:
    """Open .npz (without unpickling) or zarr as a mapping of arrays."""
    import zarr

    if not path.exists():
        raise InputError(f"binned signal {path} does not exist")
    try:
        if path.is_dir():
            root = zarr.open_group(str(path), mode="r")
            arrays = {name: root[name] for name in root.array_keys()}
            for name, array in arrays.items():
                _require_chunks(path, name, array)
            return {name: np.asarray(array[:]) for name, array in arrays.items()}  # type: ignore[index]
        return dict(read_npz(path))
    except (InputError, MemoryError):
        raise
    # a damaged file makes numpy and zarr raise nearly anything
    except Exception as error:
        raise InputError(
            f"{path.name} is neither a readable .npz nor a zarr group ({first_line(error)})"
        ) from error


def _require_chunks(path: Path, name: str, array: Any) -> None:
    """Refuse a zarr array without any chunk, and remark on one that lacks some: they are read as its fill value."""
    lacking = array.nchunks - array.nchunks_initialized
    if lacking and lacking == array.nchunks:
        raise InputError(f"{path.name}: all {lacking:,} chunks of {name} are absent; copy it again")
    if lacking:
        say(
            f"{path.name}: {lacking:,} of {array.nchunks:,} chunks of {name} are absent and read as {array.fill_value}"
        )
