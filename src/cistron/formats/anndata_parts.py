"""Parts of an open AnnData, in HDF5 or zarr: its tables, its layers and the matrix that was asked for."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.stored_matrix import StoredMatrix, open_matrix, told_damage

RAW = "raw"  # as a layer: AnnData's .raw, with its own genes


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


def choose_modality(store: Any, wanted: str | None, name: str, remarks: list[str]) -> Any:
    """Give the group of one modality of a MuData.

    Parameters
    ----------
    store
        Open file.
    wanted
        Name of the modality; the only one, else ``rna`` or ``gex``, when absent.
    name
        Name of the file, for messages.
    remarks
        Remarks to add to, where the choice was not the user's.

    Raises
    ------
    InputError
        If there is no such modality, or none was named and none is usual.
    """
    with told_damage(name, ".h5mu file"):
        names = list(store["mod"])
    usual = [one for one in names if one.casefold() in ("rna", "gex")]
    if wanted is None and (len(names) == 1 or len(usual) == 1):
        wanted = (usual or names)[0]
        remarks.append(f"modality {wanted!r} of {', '.join(names)} is read")
    if wanted is None or wanted not in names:
        given = "" if wanted is None else f". Given: {wanted}"
        raise InputError(f"{name} holds the modalities {', '.join(names)}; name one with --modality{given}")
    return store["mod"][wanted]


def holds_counts(matrix: StoredMatrix) -> bool:
    """Whether the first rows are whole numbers that are nowhere negative, and not all zero."""
    block = matrix.rows(0, 200)
    values = block if isinstance(block, np.ndarray) else block.data
    whole = bool(np.isfinite(values).all() and (values >= 0).all() and (values == np.round(values)).all())
    return whole and bool((values > 0).any())


def read_tables(
    store: Any, path: Path, layer: str | None, counts_first: bool, form: str
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...], str]:
    """Read the tables of cells and genes; give them with the layers and the path of the values in the file.

    Parameters
    ----------
    store, path
        Open AnnData, and where it is.
    layer, counts_first
        As of :func:`choose_layer`.
    form
        What the file should be, for messages.
    """
    with told_damage(path.name, form):
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


def matrix_at(store: Any, place: str, name: str) -> StoredMatrix:
    """Open the matrix at a path of an open AnnData.

    Parameters
    ----------
    store
        Open AnnData.
    place
        Path of the values, of :func:`read_tables`.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If it is absent or no matrix of numbers.
    """
    with told_damage(name):
        element = store.get(place)
        layers = ", ".join(store["layers"]) if "layers" in store else ""
        empty = element is None or element.attrs.get("encoding-type") == "null"
    if empty:
        raise InputError(f"{name} has no {place}; name a layer with --layer ({layers or 'it has none'})")
    return open_matrix(element, name)


def joined_labels(cells: pd.DataFrame, shared: Any) -> pd.DataFrame:
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


def text_at(store: Any, place: str) -> str:
    """The text at a path of an open AnnData, empty where there is none."""
    element = store.get(place)
    return "" if element is None else str(anndata.io.read_elem(element))
