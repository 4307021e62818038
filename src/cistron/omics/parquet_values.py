"""Matrices in Parquet, which is stored by column, read in blocks of rows or of columns without holding the whole."""

import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.stored_matrix import StoredMatrix, open_matrix, told_damage
from cistron.genes.columns import find_columns
from cistron.runtime import say
from cistron.runtime.cloud import cloud_url

_CELLS_AT_ONCE = 4_000_000  # values of a piece: 32 MB as float64
_IN_MEMORY = (
    1 << 28
)  # bytes of a copy by rows that is held in memory; a larger one lies in an unnamed temporary file


class ParquetTable:
    """An open Parquet table: names of its rows, its columns of numbers and of text.

    Parameters
    ----------
    path
        File. Rows are named by its index of text, else by its column of genes, else by its first column.

    Attributes
    ----------
    names
        Names of the rows.
    numbers
        Columns of numbers.
    text
        Columns of anything else.

    Raises
    ------
    InputError
        If the file cannot be read or a row has no name.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        with told_damage(path.name, "Parquet file"):
            self._file = pq.ParquetFile(path)
            schema = self._file.schema_arrow
            columns = list(schema.names)
        if len(set(columns)) < len(columns):
            twice = next(column for column in columns if columns.count(column) > 1)
            raise InputError(f"{path.name} has two columns called {twice!r}; rename one")
        named = self._name_column(schema, columns)
        kinds = {name: schema.field(name).type for name in columns if name != named}
        self.numbers = [
            name
            for name, kind in kinds.items()
            if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        ]
        self.text = [name for name in kinds if name not in set(self.numbers)]
        values = self.column(named)
        if values.isna().any():
            raise InputError(
                f"{path.name}: {int(values.isna().sum()):,} rows have no gene id; give each row one"
            )
        self.names = values.astype(str).tolist()

    def _name_column(self, schema: Any, columns: list[str]) -> str:
        """Column with the names of the rows: the index as pandas stored it, else that of genes, else the first."""
        stored = (schema.pandas_metadata or {}).get("index_columns", [])
        index = [name for name in stored if isinstance(name, str) and name in columns]
        if len(index) > 1:
            raise InputError(
                f"{self.path.name} has an index of {len(index)} columns; expected one of gene ids"
            )
        if index and not (
            index[0].startswith("__index_level_") and "int" in str(schema.field(index[0]).type)
        ):
            return index[0]
        others = [name for name in columns if name not in index]
        if not others:
            raise InputError(f"{self.path.name} has no columns beside its index")
        found = find_columns(others)
        return str(next((found[key] for key in ("gene", "symbol", "entrez") if key in found), others[0]))

    def __reduce__(self) -> Any:
        """Another process that is given the table opens the file itself."""
        return ParquetTable, (self.path if cloud_url(self.path) else self.path.absolute(),)

    def column(self, name: str) -> pd.Series:
        """One column as it is stored."""
        with told_damage(self.path.name, "Parquet file"):
            return self._file.read([name], use_pandas_metadata=False).column(0).to_pandas()

    def values(self, columns: list[str]) -> np.ndarray:
        """Columns of numbers, float32 [row, column]."""
        import pyarrow as pa

        with told_damage(self.path.name, "Parquet file"):
            table = self._file.read(columns, use_pandas_metadata=False).select(columns)
            found = np.empty((len(columns), table.num_rows), np.float32)
            with np.errstate(over="ignore"):  # beyond float32 is infinite, which is refused with its gene
                for place, column in enumerate(table.columns):  # a missing value is NaN
                    decimal = pa.types.is_decimal(column.type)
                    found[place] = (column.cast(pa.float64()) if decimal else column).to_numpy()
        return found.T

    def matrix(self, columns: list[str]) -> StoredMatrix:
        """Columns of numbers as a matrix [row, column] of which blocks can be asked for."""
        return open_matrix(_Values(self, columns), self.path.name)


class _Values:
    """What :class:`StoredMatrix` asks for: rows ``[start:stop]`` or columns ``[:, start:stop]``."""

    dtype = np.dtype(np.float32)

    def __init__(self, table: ParquetTable, columns: list[str]) -> None:
        self._table, self._columns = table, columns
        self.shape = (len(table.names), len(columns))
        self._by_row: Any = None

    def __reduce__(self) -> Any:
        return _Values, (self._table, self._columns)

    def __getitem__(self, where: Any) -> np.ndarray:
        if isinstance(where, tuple):
            chosen: slice = where[1]
            return self._table.values(self._columns[chosen])
        if self._by_row is None:
            self._by_row = self._copied()
        if isinstance(self._by_row, np.ndarray):
            return self._by_row[where]
        start, stop, _ = where.indices(self.shape[0])
        width = 4 * self.shape[1]
        self._by_row.seek(start * width)
        return np.frombuffer(self._by_row.read((stop - start) * width), np.float32).reshape(-1, self.shape[1])

    def _copied(self) -> Any:
        """The values by row: an array, or a temporary file where they are large."""
        rows, columns = self.shape
        size, width = 4 * rows * columns, 4 * columns
        step = max(1, _CELLS_AT_ONCE // max(rows, 1))
        pieces = [slice(start, start + step) for start in range(0, columns, step)]
        if size <= _IN_MEMORY:
            return np.concatenate([self._table.values(self._columns[piece]) for piece in pieces], axis=1)
        say(f"{self._table.path.name} is stored by column; a copy by row is made in a temporary file")
        file = tempfile.TemporaryFile()  # it lives as long as the matrix
        weakref.finalize(self, file.close)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error here, and not a crash later
        for piece in pieces:
            block = np.ascontiguousarray(self._table.values(self._columns[piece]))
            for row in range(rows):
                os.pwrite(file.fileno(), block[row].tobytes(), row * width + 4 * piece.start)
        return file
