"""The one way of opening cells x genes, and any matrix of AnnData, without reading its values.

Forms: ``.h5ad`` and ``.zarr`` of AnnData, one modality of ``.h5mu`` (MuData), Cell Ranger's ``.h5`` and its folders of
``matrix.mtx``. What a file is, is told by its content and not by its suffix.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import open_store
from cistron.formats.anndata_parts import (
    RAW,
    choose_modality,
    holds_counts,
    joined_labels,
    matrix_at,
    read_tables,
    text_at,
)
from cistron.formats.cell_ranger import (
    is_cell_ranger_file,
    is_cell_ranger_folder,
    open_cell_ranger_file,
    open_cell_ranger_folder,
)
from cistron.formats.stored_matrix import StoredMatrix, told_damage
from cistron.runtime.cloud import cloud_url

SUFFIXES = (".h5ad", ".zarr", ".h5", ".h5mu")


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
    files
        What is open; :meth:`close` closes it.
    """

    name: str
    path: Path
    observations: pd.DataFrame
    variables: pd.DataFrame
    matrix: StoredMatrix
    layers: tuple[str, ...] = ()
    kind: str = ""
    remarks: tuple[str, ...] = ()
    files: ExitStack = field(default_factory=ExitStack, repr=False)

    def close(self) -> None:
        """Close the file; no more values can be read."""
        self.files.close()


def is_stored_cells(path: Path) -> bool:
    """Whether a path is one of the forms that :func:`open_anndata` opens, by its name."""
    return path.suffix in SUFFIXES or path.name.endswith((".mtx", ".mtx.gz")) or is_cell_ranger_folder(path)


def open_anndata(
    path: str | Path,
    *,
    what: str = "cells",
    form: str = "AnnData",
    layer: str | None = None,
    counts_first: bool = True,
    raw_counts: bool = False,
    gene_column: str | None = None,
    modality: str | None = None,
) -> StoredCells:
    """Open a file of cells x genes (or of any AnnData) without reading its values.

    Parameters
    ----------
    path
        File or folder of one of the forms above.
    what, form
        What it is and what form it should have, for messages.
    layer
        Layer of the values; ``raw`` is AnnData's ``.raw`` with its genes, ``X`` is X.
    counts_first
        Without ``layer``, take ``layers["counts"]`` where there is one; else X.
    raw_counts
        Without ``layer``, take ``.raw`` with a remark where X holds no counts and ``.raw`` does.
    gene_column
        Column of var with the gene ids; the names of var when absent. Genes without an id are left out with a remark.
    modality
        Modality of a ``.h5mu`` (``rna`` or ``gex`` when absent, with a remark), feature type of Cell Ranger's files (``Gene Expression`` when absent), or genome of its
        version 2.

    Raises
    ------
    InputError
        If the file is absent, damaged or of another form, or a layer, column or modality is absent.
    """
    path = Path(path)
    with ExitStack() as files:
        if is_cell_ranger_folder(path) or (path.is_file() and path.name.endswith((".mtx", ".mtx.gz"))):
            cells, table, matrix, remarks = open_cell_ranger_folder(path, modality)
            opened = StoredCells(path.name, path, cells, table, matrix, remarks=tuple(remarks))
            _no_layers(layer, path.name)
        else:
            store = open_store(path, what, form)
            if hasattr(store, "close"):
                files.callback(store.close)
            opened = _open_inside(store, path, layer, counts_first, raw_counts, modality, form)
        cells, table, matrix = opened.observations, opened.variables, opened.matrix
        if matrix.shape != (len(cells), len(table)):
            raise InputError(
                f"{path.name}: {matrix.shape[0]:,} x {matrix.shape[1]:,} values do not fit {len(cells):,} rows of obs and "
                f"{len(table):,} of var; it is damaged"
            )
        matrix.origin = partial(
            _matrix_of,
            path if cloud_url(path) else path.absolute(),
            layer=layer,
            counts_first=counts_first,
            raw_counts=raw_counts,
            modality=modality,
        )
        table, kept, left_out = named_genes(table, gene_column, path.name)
        return replace(
            opened,
            variables=table,
            matrix=matrix if kept is None else matrix.keep_columns(kept),
            remarks=(*opened.remarks, *left_out),
            files=files.pop_all(),
        )


def _matrix_of(path: Path, **opening: Any) -> StoredMatrix:
    return open_anndata(path, **opening).matrix


def _open_inside(
    store: Any,
    path: Path,
    layer: str | None,
    counts_first: bool,
    raw_counts: bool,
    modality: str | None,
    form: str,
) -> StoredCells:
    """Open what an HDF5 file or a zarr store holds."""
    name, remarks = path.name, list[str]()
    with told_damage(name, form):
        mixed, ranger = "mod" in store, "obs" not in store and is_cell_ranger_file(store)
    if ranger:
        cells, table, matrix, remarks = open_cell_ranger_file(store, modality, name)
        _no_layers(layer, name)
        return StoredCells(name, path, cells, table, matrix, remarks=tuple(remarks))
    shared = store if mixed else None
    if mixed:
        store = choose_modality(store, modality, name, remarks)
    elif modality is not None:
        raise InputError(f"{name} is no .h5mu: it has no modalities; leave out --modality. Given: {modality}")
    cells, table, layers, place = read_tables(store, path, layer, counts_first, form)
    matrix = matrix_at(store, place, name)
    if raw_counts and layer is None and place == "X" and RAW in layers and not holds_counts(matrix):
        raw_cells, raw_table, _, raw_place = read_tables(store, path, RAW, counts_first, form)
        raw = matrix_at(store, raw_place, name)
        if holds_counts(raw):
            cells, table, matrix = raw_cells, raw_table, raw
            remarks.append("X holds no counts, so those of .raw are used")
    with told_damage(name, form):
        kind = text_at(store, "uns/cistron/kind")
        cells = joined_labels(cells, shared)
    return StoredCells(name, path, cells, table, matrix, layers, kind, tuple(remarks))


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
