"""The one way of opening cells x genes, and any matrix of AnnData, without reading its values.

Forms: ``.h5ad`` and ``.zarr`` of AnnData, one modality of ``.h5mu`` (MuData), Cell Ranger's ``.h5`` and its folders of
``matrix.mtx``. What a file is, is told by its content and not by its suffix.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.cell_ranger import (
    is_cell_ranger_file,
    is_cell_ranger_folder,
    open_cell_ranger_file,
    open_cell_ranger_folder,
)
from cistron.formats.stored_matrix import StoredMatrix, open_matrix, told_damage

SUFFIXES = (".h5ad", ".zarr", ".h5", ".h5mu")
RAW = "raw"  # as a layer: AnnData's .raw, with its own genes


@dataclass(frozen=True)
class StoredCells:
    """Tables of both axes and a matrix that is read in blocks.

    Attributes
    ----------
    name, path
        Of the file.
    observations, variables
        Tables of the rows (cells) and columns (genes); ``variables`` is indexed by the ids that were asked for.
    matrix
        Values [row, column].
    layers
        Names of the layers of the file.
    kind
        What cistron wrote (``gene_embedding``, ...); empty for a file of others.
    remarks
        What was set aside, one sentence each.
    """

    name: str
    path: Path
    observations: pd.DataFrame
    variables: pd.DataFrame
    matrix: StoredMatrix
    layers: tuple[str, ...] = ()
    kind: str = ""
    remarks: tuple[str, ...] = ()


def is_stored_cells(path: Path) -> bool:
    """Whether a path is one of the forms that :func:`open_anndata` opens, by its name."""
    return path.suffix in SUFFIXES or path.name.endswith((".mtx", ".mtx.gz")) or is_cell_ranger_folder(path)


def open_anndata(
    path: str | Path,
    *,
    what: str = "cells",
    layer: str | None = None,
    counts_first: bool = True,
    gene_column: str | None = None,
    modality: str | None = None,
) -> StoredCells:
    """Open a file of cells x genes (or of any AnnData) without reading its values.

    Parameters
    ----------
    path
        File or folder of one of the forms above.
    what
        What it is, for messages.
    layer
        Layer of the values; ``raw`` is AnnData's ``.raw`` with its genes, ``X`` is X.
    counts_first
        Without ``layer``, take ``layers["counts"]`` where there is one; else X.
    gene_column
        Column of var with the gene ids; the names of var when absent. Genes without an id are left out with a remark.
    modality
        Modality of a ``.h5mu``, feature type of Cell Ranger's files (``Gene Expression`` when absent), or genome of its
        version 2.

    Raises
    ------
    InputError
        If the file is absent, damaged or of another form, or a layer, column or modality is absent.
    """
    path = Path(path)
    layers: tuple[str, ...] = ()
    kind = ""
    remarks: list[str] = []
    if is_cell_ranger_folder(path) or (path.is_file() and path.name.endswith((".mtx", ".mtx.gz"))):
        cells, table, matrix, remarks = open_cell_ranger_folder(path, modality)
        _no_layers(layer, path.name)
    else:
        store = open_store(path, what)
        with told_damage(path.name):
            mixed, ranger = "mod" in store, "obs" not in store and is_cell_ranger_file(store)
        if ranger:
            cells, table, matrix, remarks = open_cell_ranger_file(store, modality, path.name)
            _no_layers(layer, path.name)
        else:
            shared = store if mixed else None
            if mixed:
                store = _modality(store, modality, path.name)
            elif modality is not None:
                raise InputError(
                    f"{path.name} is no .h5mu: it has no modalities; leave out --modality. Given: {modality}"
                )
            cells, table, layers, place = _tables(store, path, layer, counts_first)
            matrix = _matrix(store, place, path.name)
            with told_damage(path.name):
                kind = _text_at(store, "uns/cistron/kind")
                cells = _joined(cells, shared)
    if matrix.shape != (len(cells), len(table)):
        raise InputError(
            f"{path.name}: {matrix.shape[0]:,} x {matrix.shape[1]:,} values do not fit {len(cells):,} rows of obs and "
            f"{len(table):,} of var; it is damaged"
        )
    table, kept, left_out = named_genes(table, gene_column, path.name)
    matrix = matrix if kept is None else matrix.keep_columns(kept)
    return StoredCells(path.name, path, cells, table, matrix, layers, kind, (*remarks, *left_out))


def open_store(path: Path, what: str = "file", form: str = "AnnData") -> Any:
    """Open an HDF5 file or a zarr folder for reading.

    Parameters
    ----------
    path
        File or folder.
    what, form
        What it is and what form it should have, for messages.

    Raises
    ------
    InputError
        If it is absent, packed, of another form, or damaged.
    """
    if not path.exists():
        raise InputError(f"{what} {path} does not exist")
    if path.is_dir():
        if not any((path / name).exists() for name in ("zarr.json", ".zgroup")):
            raise InputError(
                f"{what} {path.name} is a folder, but neither a zarr store nor one of Cell Ranger with matrix.mtx"
            )
        import zarr

        with told_damage(path.name, form):
            return zarr.open_group(path, mode="r")
    with told_damage(path.name, form):
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            raise InputError(f"{what} {path.name} is packed with gzip; unpack it first (gunzip)")
        return h5py.File(path, "r")


def read_h5ad(path: Path) -> anndata.AnnData:
    """Read a whole AnnData file into memory; a damaged one is an :class:`InputError`."""
    with told_damage(path.name, ".h5ad file"), warnings.catch_warnings():
        # Doubled names are reported by whoever checks them, in one line.
        warnings.filterwarnings("ignore", message=".*names are not unique", category=UserWarning)
        return anndata.read_h5ad(path)


def choose_layer(
    layers: Sequence[str], layer: str | None, name: str, *, counts_first: bool = True
) -> str | None:
    """Name the layer to read, ``None`` for X.

    Parameters
    ----------
    layers
        Layers there are; ``raw`` among them where there is AnnData's ``.raw``.
    layer
        The layer that was asked for.
    name
        Name of the data, for messages.
    counts_first
        Without ``layer``, take ``counts`` where there is one.

    Raises
    ------
    InputError
        If the layer that was asked for is absent.
    """
    if layer is None:
        return "counts" if counts_first and "counts" in layers else None
    if layer in layers:
        return layer
    if layer == "X":
        return None
    raise InputError(f"{name}: there is no layer {layer!r}; it has {', '.join(layers) or 'none'}")


def named_genes(
    table: pd.DataFrame, column: str | None, name: str, axis: str = "var"
) -> tuple[pd.DataFrame, np.ndarray | None, tuple[str, ...]]:
    """Index a table of genes by the ids of a column; genes without an id are left out.

    Parameters
    ----------
    table
        Table of the genes.
    column
        Column of the ids; the table as it is when absent.
    name
        Name of the file, for messages.
    axis
        Name of the table in the file.

    Returns
    -------
    DataFrame
        The table.
    ndarray or None
        Rows of the given table that are kept; ``None`` for all.
    tuple of str
        A remark, where genes were left out.

    Raises
    ------
    InputError
        If the column is absent or holds no id.
    """
    if column is None:
        return table, None, ()
    if column not in table:
        named = ", ".join(map(str, table.columns[:12])) or "none"
        raise InputError(f"{name}: {axis} has no column {column!r}; it has {named}")
    ids = table[column].astype("string").str.strip()
    kept = np.flatnonzero((ids.notna() & (ids != "")).to_numpy(dtype=bool, na_value=False))
    if not len(kept):
        raise InputError(f"{name}: column {column!r} of {axis} holds no gene id")
    renamed = table.iloc[kept].set_axis(pd.Index(ids.iloc[kept].astype(str).tolist()), axis=0)
    if len(kept) == len(table):
        return renamed, None, ()
    first = table.index[np.setdiff1d(np.arange(len(table)), kept)[0]]
    remark = f"{len(table) - len(kept):,} of {len(table):,} genes have no id in column {column!r} and are left out, for example {first}"
    return renamed, kept, (remark,)


def _no_layers(layer: str | None, name: str) -> None:
    if layer not in (None, "X"):
        raise InputError(f"{name}: there is no layer {layer!r}; files of Cell Ranger have none")


def _modality(store: Any, wanted: str | None, name: str) -> Any:
    with told_damage(name, ".h5mu file"):
        names = list(store["mod"])
        if wanted is None and len(names) == 1:
            return store["mod"][names[0]]
    if wanted is None or wanted not in names:
        given = "" if wanted is None else f". Given: {wanted}"
        raise InputError(f"{name} holds the modalities {', '.join(names)}; name one with --modality{given}")
    return store["mod"][wanted]


def _tables(
    store: Any, path: Path, layer: str | None, counts_first: bool
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...], str]:
    """Tables of cells and genes, layers, and the path of the values in the file."""
    with told_damage(path.name):
        layers = list(store["layers"]) if "layers" in store else []
        raw = hasattr(store.get(RAW), "keys")  # an absent .raw is written as an empty array
        there = [*layers, *([RAW] if raw and RAW not in layers else [])]
        place = choose_layer(there, layer, path.name, counts_first=counts_first)
        from_raw = place == RAW and RAW not in layers
        if any(hasattr(store.get(axis), "dtype") for axis in ("obs", "var")):
            if from_raw:
                raise InputError(
                    f"{path.name}: .raw of an anndata before 0.7 is not read; write the file again"
                )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what anndata says of its own old files
                old = anndata.read_h5ad(path, backed="r")
            tables = [old.obs, old.var]
            old.file.close()
        else:
            tables = [anndata.io.read_elem(store[key]) for key in ("obs", "raw/var" if from_raw else "var")]
    cells, genes = (table.set_axis(table.index.astype(str), axis=0) for table in tables)
    key = "X" if place is None else "raw/X" if from_raw else f"layers/{place}"
    return cells, genes, tuple(there), key


def _matrix(store: Any, place: str, name: str) -> StoredMatrix:
    with told_damage(name):
        element = store.get(place)
        layers = ", ".join(store["layers"]) if "layers" in store else ""
        empty = element is None or element.attrs.get("encoding-type") == "null"
    if empty:
        raise InputError(f"{name} has no {place}; name a layer with --layer ({layers or 'it has none'})")
    return open_matrix(element, name)


def _joined(cells: pd.DataFrame, shared: Any) -> pd.DataFrame:
    """Cells of a modality with the columns that MuData keeps for all modalities (labels of cells stand there)."""
    if shared is None or "obs" not in shared:
        return cells
    common = anndata.io.read_elem(shared["obs"])
    more = [column for column in common.columns if ":" not in str(column) and column not in cells]
    return (
        cells.join(common.loc[common.index.isin(cells.index), more])
        if more and common.index.is_unique
        else cells
    )


def _text_at(store: Any, place: str) -> str:
    element = store.get(place)
    return "" if element is None else str(anndata.io.read_elem(element))
