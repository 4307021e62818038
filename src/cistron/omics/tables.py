"""Matrices from tables: text, GCT and Parquet; columns that are no samples are set aside."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import find_columns
from cistron.omics.duplicates import Duplicates
from cistron.omics.gct import read_gct_head
from cistron.omics.matrix import OmicsMatrix, matrix_of_frame, orient_matrix, refuse_a_stray_word, samples_of
from cistron.omics.parquet_values import ParquetTable
from cistron.runtime.tables import read_number_table
from cistron.runtime.text_files import plain_name, refuse_workbook

_DEPMAP_COLUMN = re.compile(r".+ \(\d+\)")
_ROWS_AT_ONCE = 1024


def read_table_matrix(path: Path, genes_in: str, duplicates: Duplicates) -> OmicsMatrix:
    """Read a table with gene ids in the first column or row; Parquet is streamed.

    Parameters
    ----------
    path
        .tsv, .csv, .txt, .gct, plain or packed, or .parquet.
    genes_in, duplicates
        As of :func:`cistron.omics.inputs.read_matrix`.

    Raises
    ------
    InputError
        If the file cannot be read or holds no numbers.
    """
    kind, name = Path(plain_name(path)).suffix.lower(), plain_name(path).rsplit(".", 1)[0]
    if kind == ".parquet":
        return _read_parquet(path, name, genes_in, duplicates)
    if kind == ".gct":
        return matrix_of_frame(
            _gct_frame(path), name, path, "rows" if genes_in == "auto" else genes_in, duplicates
        )
    refuse_workbook(path, "matrix")
    if kind not in (".tsv", ".csv", ".txt", ".tab"):
        raise InputError(
            f"matrix {path.name}: expected .h5ad, .zarr, .parquet, .csv, .tsv or .gct (also .gz), or .h5mu, .h5 or a folder of Cell "
            "Ranger"
        )
    table = read_number_table(path, "matrix")
    if table.layout.headerless:
        raise InputError(
            f"matrix {path.name} has no header: its first line is gene {table.values.index[0]}; add a line with sample names"
        )
    _refuse_depmap(list(table.values.columns), path)
    # side by side by position: names may occur more than once
    frame = pd.concat([part.reset_index(drop=True) for part in (table.values, table.text)], axis=1)
    frame, remarks = _by_gene(frame.set_axis(table.values.index, axis=0))
    matrix = matrix_of_frame(frame, name, path, genes_in, duplicates)
    matrix.remarks[:0] = [*table.remarks, *remarks]
    return matrix


def _by_gene(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take genes from the column named for them where rows are named by numbers, as pandas writes tables."""
    found = find_columns(list(frame.columns))
    named = next((found[key] for key in ("gene", "symbol") if key in found), None)
    if named is None or list(map(str, frame.index)) != [str(row) for row in range(len(frame))]:
        return frame, []
    return frame.set_index(named), [f"rows are named by numbers: genes were taken from column {named}"]


def _refuse_depmap(columns: list[str], path: Path) -> None:
    named = [_DEPMAP_COLUMN.fullmatch(column) is not None for column in columns]
    if named and np.mean(named) > 0.9:
        raise InputError(
            f"matrix {path.name} has cell lines in rows and genes named 'SYMBOL (ENTREZ)' in columns, as DepMap's files; prepare "
            f"it with 'cistron omics prepare depmap {path.name}'"
        )


def _gct_frame(path: Path) -> pd.DataFrame:
    head = read_gct_head(path)
    names: list[str] = []
    blocks = []
    for part, values in head.blocks(_ROWS_AT_ONCE):
        names += part
        with np.errstate(over="ignore"):
            blocks.append(values.astype(np.float32))
    if not names:
        raise InputError(f"matrix {path.name} holds no rows")
    return pd.DataFrame(np.concatenate(blocks), index=names, columns=head.samples)


def _read_parquet(path: Path, name: str, genes_in: str, duplicates: Duplicates) -> OmicsMatrix:
    table = ParquetTable(path)
    if not table.names or not table.numbers + table.text:
        raise InputError(
            f"matrix {path.name} is empty: {len(table.names)} rows x {len(table.numbers + table.text)} columns"
        )
    _refuse_depmap(table.numbers, path)
    if table.numbers:
        for column in table.text:
            refuse_a_stray_word(table.column(column).set_axis(table.names).rename(column), name)
    example = table.column(table.text[0]).iloc[0] if table.text else ""
    samples, remarks = samples_of(table.numbers, table.text, example, f"matrix {name}")
    matrix = orient_matrix(table.names, samples, table.matrix(samples), name, path, genes_in, duplicates)
    matrix.remarks[:0] = remarks
    return matrix
