"""What 10x Genomics' Cell Ranger writes: the .h5 of a run (versions 2 and 3) and folders of matrix.mtx(.gz)."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io

from cistron.errors import InputError
from cistron.formats.stored_matrix import StoredMatrix, compressed_matrix, open_matrix, told_damage
from cistron.runtime.text_files import CheckedText, open_text

GENES = "Gene Expression"  # the feature type of genes, as Cell Ranger writes it
_PACKINGS = ("", ".gz")
_FOLDER = "Cell Ranger folder (matrix.mtx, features.tsv or genes.tsv, barcodes.tsv, each plain or .gz)"

# Table of cells, table of features, matrix [cell, feature], remarks.
Parts = tuple[pd.DataFrame, pd.DataFrame, StoredMatrix, list[str]]


def is_cell_ranger_folder(path: Path) -> bool:
    """Whether a folder holds a Matrix Market file."""
    return path.is_dir() and any(True for _ in path.glob("*matrix.mtx*"))


def open_cell_ranger_folder(path: Path, modality: str | None) -> Parts:
    """Open a folder of Cell Ranger or STARsolo; the matrix is held in memory, sparse.

    Parameters
    ----------
    path
        The folder, or its matrix file.
    modality
        Feature type to use; genes when absent.

    Raises
    ------
    InputError
        If a file is absent or damaged, or they do not fit each other.
    """
    matrix = path if path.is_file() else _only_matrix(path)
    stem = matrix.name[: matrix.name.index("matrix.mtx")]
    features_file = _beside(matrix, stem, ("features.tsv", "genes.tsv"))
    features = _columns(features_file, "feature list")
    barcodes = _columns(_beside(matrix, stem, ("barcodes.tsv",)), "barcode list")[0]
    with CheckedText(matrix, "matrix") as text:
        try:
            values = scipy.io.mmread(io.BufferedReader(text, 1 << 20))
        except Exception as error:
            if text.failure is not None:  # what is wrong with the file, before scipy put it in its own words
                raise text.failure from error
            with told_damage(matrix.name, "Matrix Market file"):
                raise
    remarks = []
    expected = (len(features[0]), len(barcodes))
    if values.shape == expected:
        values = values.T
    elif values.shape == expected[::-1]:
        remarks.append(f"{matrix.name} holds cells x genes, not genes x cells as Cell Ranger writes it")
    else:
        raise InputError(
            f"{matrix.name} has {values.shape[0]:,} x {values.shape[1]:,} values, but there are {expected[0]:,} features in "
            f"{features_file.name} and {expected[1]:,} barcodes; the files do not belong together, or one is truncated"
        )
    ids = features[0]
    table = _feature_table(
        ids, features[1] if len(features) > 1 else ids, features[2] if len(features) > 2 else None
    )
    opened = open_matrix(values.tocsr(), matrix.name)
    chosen, opened = choose_features(table, opened, modality, path.name, remarks)
    return pd.DataFrame(index=pd.Index(barcodes)), chosen, opened, remarks


def _only_matrix(folder: Path) -> Path:
    found = sorted(folder.glob("*matrix.mtx")) + sorted(folder.glob("*matrix.mtx.gz"))
    if not found:
        inner = sorted(one.name for one in folder.iterdir() if one.is_dir())
        hint = f"; give one of its folders ({', '.join(inner[:4])})" if inner else ""
        raise InputError(f"{folder.name} is no {_FOLDER}{hint}")
    if len(found) > 1:
        raise InputError(
            f"{folder.name} holds {len(found)} matrices ({', '.join(one.name for one in found[:3])}); give one of the files"
        )
    return found[0]


def _beside(matrix: Path, stem: str, names: Sequence[str]) -> Path:
    for name in names:
        for packing in _PACKINGS:
            found = matrix.with_name(f"{stem}{name}{packing}")
            if found.exists():
                return found
    raise InputError(
        f"{matrix.parent.name}: {stem}{names[0]} is absent beside {matrix.name}; expected a {_FOLDER}"
    )


def _columns(path: Path, what: str) -> list[list[str]]:
    """Columns of a list without header; rows of unequal length are refused."""
    with open_text(path, what) as text:
        rows = [line.rstrip("\n").split("\t") for line in text]
    while rows and rows[-1] == [""]:
        rows.pop()
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        raise InputError(f"{what} {path.name} is empty or has rows of different length; it may be truncated")
    return [list(column) for column in zip(*rows)]


def _feature_table(ids: Sequence[str], symbols: Sequence[str], types: Sequence[str] | None) -> pd.DataFrame:
    table = pd.DataFrame({"gene_ids": list(ids), "gene_symbols": list(symbols)}, index=pd.Index(list(ids)))
    if types is not None:
        table["feature_types"] = list(types)
    return table


def choose_features(
    table: pd.DataFrame, matrix: StoredMatrix, modality: str | None, name: str, remarks: list[str]
) -> tuple[pd.DataFrame, StoredMatrix]:
    """Keep the features of one type and add a remark that names the others.

    Parameters
    ----------
    table
        Features with a column ``feature_types``, where there is more than one type.
    matrix
        Of cells x features.
    modality
        The type, in any letter case; genes when absent.
    name
        Name of the file, for messages.
    remarks
        Remarks to add to.

    Raises
    ------
    InputError
        If there is no such type.
    """
    if "feature_types" not in table:
        if modality is not None:
            raise InputError(f"{name} tells no feature types; leave out --modality. Given: {modality}")
        return table, matrix
    counts = table["feature_types"].value_counts()
    wanted = modality or (GENES if GENES in counts or len(counts) > 1 else str(counts.index[0]))
    found = [kind for kind in counts.index if str(kind).casefold() == wanted.casefold()]
    if not found:
        raise InputError(
            f"{name} has no features of type {wanted}; it has {', '.join(map(str, counts.index))}: name one with --modality"
        )
    others = [f"{count:,} of type {kind}" for kind, count in counts.items() if kind != found[0]]
    if not others:
        return table, matrix
    remarks.append(f"features left out: {', '.join(others)} (--modality chooses)")
    kept = np.flatnonzero((table["feature_types"] == found[0]).to_numpy())
    return table.iloc[kept], matrix.keep_columns(kept)


def is_cell_ranger_file(store: Any) -> bool:
    """Whether an open HDF5 file is one of Cell Ranger's."""
    return "matrix" in store or any("barcodes" in group for group in store.values() if hasattr(group, "keys"))


def open_cell_ranger_file(store: Any, modality: str | None, name: str) -> Parts:
    """Open the .h5 of Cell Ranger: version 3 (``matrix``), or version 2 (one group for each genome).

    Parameters
    ----------
    store
        Open HDF5 file.
    modality
        Feature type (version 3) or genome (version 2) to use.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If it is damaged, or there is no such type or genome.
    """
    remarks: list[str] = []
    with told_damage(name, "file of Cell Ranger"):
        group = store.get("matrix")
        if group is not None:
            features = group["features"]
            table = _feature_table(
                _texts(features["id"]), _texts(features["name"]), _texts(features["feature_type"])
            )
            if "genome" in features:
                table["genome"] = _texts(features["genome"])
        else:
            group, modality = _genome(store, modality, name), None
            table = _feature_table(_texts(group["genes"]), _texts(group["gene_names"]), None)
        cells = pd.DataFrame(index=pd.Index(_texts(group["barcodes"])))
        shape = [int(number) for number in group["shape"][:]][::-1]
        data, indices, starts = (group[part] for part in ("data", "indices", "indptr"))
    if shape != [len(cells), len(table)]:
        raise InputError(
            f"{name}: {shape[0]:,} x {shape[1]:,} values do not fit {len(cells):,} barcodes and {len(table):,} features"
        )
    matrix = compressed_matrix(data, indices, starts, shape, name)
    table, matrix = choose_features(table, matrix, modality, name, remarks)
    return cells, table, matrix, remarks


def _genome(store: Any, wanted: str | None, name: str) -> Any:
    genomes = [key for key, group in store.items() if hasattr(group, "keys") and "barcodes" in group]
    if wanted is None and len(genomes) == 1:
        return store[genomes[0]]
    if wanted not in genomes:
        raise InputError(f"{name} holds the genomes {', '.join(genomes)}; name one with --modality")
    return store[wanted]


def _texts(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values[:]]
