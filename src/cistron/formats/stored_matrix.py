"""Matrices on disk, read in blocks of rows or of columns: dense, by row (CSR) or by column (CSC), never made dense whole."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.tables import first_line
from cistron.runtime.progress import say

VALUES_AT_ONCE = 16_000_000  # stored values of a block: 200 MB with their indices
_IN_MEMORY = (
    1 << 30
)  # bytes of a sorted copy that is held in memory; a larger one lies in an unnamed temporary file
_Block: TypeAlias = np.ndarray | sparse.csr_matrix
Origin: TypeAlias = Callable[[], "StoredMatrix"]  # opens the file again; can be sent to another process


@contextmanager
def told_damage(name: str, form: str = "AnnData") -> Iterator[None]:
    """Turn whatever a library raises of a damaged file into an :class:`InputError` of one line.

    Parameters
    ----------
    name
        Name of the file.
    form
        What it should be.

    Raises
    ------
    InputError
        In place of any error but those of ours and of the machine's memory.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except PermissionError as error:
        raise InputError(f"{name} may not be read (permission denied)") from error
    # A damaged file makes h5py, zarr and anndata raise nearly anything.
    except Exception as error:
        raise InputError(
            f"{name} is not a readable {form} ({first_line(error)}); it may be truncated: write or fetch it again"
        ) from error


class _Sparse:
    """One compressed axis: ``data`` and ``indices`` of line ``n`` lie from ``starts[n]`` to ``starts[n + 1]``."""

    def __init__(self, data: Any, indices: Any, starts: np.ndarray, across: int, name: str) -> None:
        self.data, self.indices, self.across, self.name = data, indices, across, name
        self.starts = np.asarray(starts, dtype=np.int64)
        steps = np.diff(self.starts)
        stored = int(data.shape[0])
        if not len(self.starts) or self.starts[0] or (steps < 0).any() or self.starts[-1] != stored:
            raise InputError(
                f"{name}: the row pointers of the sparse matrix do not fit its values; it is damaged"
            )
        if int(indices.shape[0]) != stored:
            raise InputError(
                f"{name}: the sparse matrix has {stored:,} values and {int(indices.shape[0]):,} places of them; it is damaged"
            )
        if across > 1:
            for part in (data, indices):
                if lost := _lost_chunks(part):
                    raise InputError(
                        f"{name}: {lost:,} of {part.nchunks:,} chunks of {part.name} are absent; copy it again"
                    )

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Lines ``start`` to ``stop``, sparse [line, across]."""
        low, high = int(self.starts[start]), int(self.starts[stop])
        with told_damage(self.name):
            data, indices = np.asarray(self.data[low:high]), np.asarray(self.indices[low:high])
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < self.across:
            raise InputError(
                f"{self.name}: the sparse matrix has values outside its {self.across:,} columns; it is damaged"
            )
        return sparse.csr_matrix(
            (data, indices, self.starts[start : stop + 1] - low), shape=(stop - start, self.across)
        )

    def spans(self, values: int) -> Iterator[tuple[int, int]]:
        """First and last line (half-open) of blocks of about so many stored values, one line at least."""
        start, lines = 0, len(self.starts) - 1
        while start < lines:
            stop = int(np.searchsorted(self.starts, self.starts[start] + values, side="right")) - 1
            stop = min(max(stop, start + 1), lines)
            yield start, stop
            start = stop

    def sorted_across(self) -> "_Sparse":
        """The same matrix compressed along its other axis, in two passes over the file (a counting sort)."""
        counts = np.zeros(self.across, dtype=np.int64)
        for start, stop in self.spans(VALUES_AT_ONCE):
            counts += np.bincount(self.block(start, stop).indices, minlength=self.across)
        starts = np.r_[0, np.cumsum(counts)]
        data = _room(int(starts[-1]), np.dtype(self.data.dtype))
        indices = _room(int(starts[-1]), np.dtype(np.int64 if len(self.starts) > 2**31 else np.int32))
        if isinstance(data, np.memmap):
            say(f"{self.name} is stored along the other axis; a sorted copy is made in a temporary file")
        place = starts[:-1].copy()
        for start, stop in self.spans(VALUES_AT_ONCE):
            block = self.block(start, stop).tocsc()
            lengths = np.diff(block.indptr)
            where = np.repeat(place - block.indptr[:-1], lengths) + np.arange(block.nnz)
            data[where], indices[where] = block.data, block.indices + start
            place += lengths
        return _Sparse(data, indices, starts, len(self.starts) - 1, self.name)


def _room(length: int, dtype: np.dtype) -> np.ndarray:
    size = length * dtype.itemsize
    if size <= _IN_MEMORY:
        return np.empty(length, dtype)
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error here, and not a crash later
        return np.memmap(file, dtype, "w+", shape=(length,))


def _lost_chunks(array: Any) -> int:
    """Chunks of a zarr array that have no file; they are read as zeros. Stored values of a sparse matrix have none."""
    if getattr(array, "nchunks_initialized", None) is None or getattr(array, "shards", None) is not None:
        return 0
    return int(array.nchunks) - int(array.nchunks_initialized)


class StoredMatrix:
    """A matrix of which blocks of rows and of columns can be asked for; made by :func:`open_matrix` and others.

    Where the file is compressed along the other axis than is asked for, it is sorted once: in memory where it is small, else in a
    temporary file. Another process that is given the matrix opens the file itself.

    Parameters
    ----------
    name
        Name for messages.
    dense
        Array of rows x columns, in memory or in a file.
    by_row, by_column
        Sparse values compressed along rows or along columns; one of these three is given.
    kept
        Numbers of the columns that the matrix has, int; all when absent.

    Attributes
    ----------
    shape
        Numbers of rows and columns.
    origin
        Opens the file again with all of its columns; ``None`` for a matrix in memory.
    """

    def __init__(
        self,
        name: str,
        *,
        dense: Any = None,
        by_row: _Sparse | None = None,
        by_column: _Sparse | None = None,
        kept: np.ndarray | None = None,
    ) -> None:
        self.name, self._dense, self._by_row, self._by_column, self._kept = (
            name,
            dense,
            by_row,
            by_column,
            kept,
        )
        if dense is not None:
            rows, columns = int(dense.shape[0]), int(dense.shape[1])
        else:
            lines = by_row or by_column
            assert lines is not None
            rows, columns = len(lines.starts) - 1, lines.across
            if by_row is None:
                rows, columns = columns, rows
        self._width = columns
        self.origin: Origin | None = None
        self.shape = (rows, columns if kept is None else len(kept))

    def keep_columns(self, kept: np.ndarray) -> "StoredMatrix":
        """The matrix with these columns alone, ascending numbers of those it has now."""
        kept = kept if self._kept is None else self._kept[kept]
        matrix = StoredMatrix(
            self.name, dense=self._dense, by_row=self._by_row, by_column=self._by_column, kept=kept
        )
        matrix.origin = self.origin
        return matrix

    def __reduce__(self) -> Any:
        if self.origin is None:  # in memory
            return super().__reduce__()
        return _opened_again, (self.origin, self._kept)

    def rows(self, start: int, stop: int) -> _Block:
        """Rows ``start`` to ``stop`` (half-open), dense or sparse [row, column] as they are stored."""
        stop = min(stop, self.shape[0])
        block: _Block
        if self._dense is not None:
            with told_damage(self.name):
                block = np.asarray(self._dense[start:stop])
        else:
            block = self._rows_in_turn().block(start, stop)
        return block if self._kept is None else block[:, self._kept]

    def columns(self, start: int, stop: int) -> _Block:
        """Columns ``start`` to ``stop`` (half-open) as rows: dense or sparse [column, row]."""
        stop = min(stop, self.shape[1])
        chosen = np.arange(start, stop) if self._kept is None else self._kept[start:stop]
        if not len(chosen):
            return np.empty((0, self.shape[0]))
        low, high = int(chosen[0]), int(chosen[-1]) + 1
        block: _Block
        if self._dense is not None:
            with told_damage(self.name):
                block = np.asarray(self._dense[:, low:high]).T
        else:
            if self._by_column is None:
                assert self._by_row is not None
                self._by_column = self._by_row.sorted_across()
            block = self._by_column.block(low, high)
        return block if high - low == len(chosen) else block[chosen - low]

    def blocks(self, values: int | None = None) -> Iterator[tuple[int, int, _Block]]:
        """First row, last row (half-open) and rows of blocks with about so many stored values each."""
        for start, stop in self.spans(values):
            yield start, stop, self.rows(start, stop)

    def spans(self, values: int | None = None) -> Iterator[tuple[int, int]]:
        """First and last row (half-open) of blocks with about so many stored values each."""
        values = values or VALUES_AT_ONCE
        if self._dense is None:
            yield from self._rows_in_turn().spans(values)
            return
        step = max(1, values // max(self._width, 1))
        for start in range(0, self.shape[0], step):
            yield start, min(start + step, self.shape[0])

    def in_memory(self) -> sparse.csr_matrix:
        """The whole matrix, sparse [row, column]."""
        if self._dense is None:
            return self.rows(0, self.shape[0])
        blocks = [sparse.csr_matrix(block) for _, _, block in self.blocks()]
        return sparse.csr_matrix(sparse.vstack(blocks, format="csr") if blocks else self.shape)

    def _rows_in_turn(self) -> _Sparse:
        if self._by_row is None:
            assert self._by_column is not None
            self._by_row = self._by_column.sorted_across()
        return self._by_row


def _opened_again(origin: Origin, kept: np.ndarray | None) -> StoredMatrix:
    """The matrix of a file, in another process than that which opened it first."""
    matrix = origin()
    matrix._kept = kept
    matrix.shape = (matrix.shape[0], matrix._width if kept is None else len(kept))
    return matrix


def compressed_matrix(
    data: Any, indices: Any, starts: Any, shape: Sequence[int], name: str, *, by_row: bool = True
) -> StoredMatrix:
    """Take the three arrays of a sparse matrix, on disk or in memory.

    Parameters
    ----------
    data, indices, starts
        Stored values, their places along the other axis, and where each row (column) begins.
    shape
        Numbers of rows and columns.
    name
        Name of the file, for messages.
    by_row
        Whether the arrays go by row (CSR) or by column (CSC).

    Raises
    ------
    InputError
        If the arrays do not fit each other, or a zarr array has lost chunks.
    """
    with told_damage(name):
        rows, columns = (int(number) for number in shape)
        _require_numbers(data, name)
        first = np.asarray(starts[:])
    lines = _Sparse(data, indices, first, columns if by_row else rows, name)
    if len(lines.starts) - 1 != (rows if by_row else columns):
        raise InputError(
            f"{name}: the sparse matrix does not have the {rows:,} x {columns:,} values it says; it is damaged"
        )
    return StoredMatrix(name, by_row=lines) if by_row else StoredMatrix(name, by_column=lines)


def open_matrix(element: Any, name: str) -> StoredMatrix:
    """Take a matrix as AnnData stores it, in HDF5, zarr or memory.

    Parameters
    ----------
    element
        Array, scipy matrix, or group with ``data``, ``indices`` and ``indptr``.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If it is no matrix of numbers, or damaged.
    """
    if sparse.issparse(element):
        element = element if element.format in ("csr", "csc") else element.tocsr()
        return compressed_matrix(
            element.data, element.indices, element.indptr, element.shape, name, by_row=element.format == "csr"
        )
    with told_damage(name):
        attributes = getattr(element, "attrs", {})
        # before anndata 0.7 the attributes of sparse matrices had other names
        kind = attributes.get("encoding-type", attributes.get("h5sparse_format", ""))
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        group = not hasattr(element, "dtype")
        if not group:
            _require_numbers(element, name)
        elif kind.removesuffix("_matrix") not in ("csr", "csc"):
            raise InputError(
                f"{name}: the values are stored as {kind or 'a folder'}; expected a matrix of numbers"
            )
        if not group and len(element.shape) != 2:
            raise InputError(f"{name}: the values have shape {tuple(element.shape)}; expected rows x columns")
    if not group:
        # A dense array may leave out chunks of zeros, so that only the loss of all of them is certain.
        lost = _lost_chunks(element)
        if lost and lost == element.nchunks:
            raise InputError(f"{name}: all {lost:,} chunks of {element.name} are absent; copy it again")
        if lost:
            say(
                f"{name}: {lost:,} of {element.nchunks:,} chunks of {element.name} are absent and read as zeros"
            )
        return StoredMatrix(name, dense=element)
    with told_damage(name):
        shape = attributes["shape"] if "shape" in attributes else attributes["h5sparse_shape"]
        data, indices, starts = (element[part] for part in ("data", "indices", "indptr"))
    return compressed_matrix(data, indices, starts, shape, name, by_row=kind.startswith("csr"))


def _require_numbers(values: Any, name: str) -> None:
    if np.dtype(values.dtype).kind not in "biuf":
        raise InputError(f"{name}: the values are of type {values.dtype}; expected a matrix of numbers")
