"""Rows of a cells x genes matrix, from memory or from disk, never all at once."""

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from cistron.formats.stored_matrix import StoredMatrix

BLOCK_CELLS = 2048
SHARD_CELLS = (
    8 * BLOCK_CELLS
)  # cells whose sums are formed by one process before they are added to those of others


class Rows(Protocol):
    """Anything that gives rows of a matrix as sparse blocks."""

    shape: tuple[int, int]

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the rows ``start`` to ``stop`` (half-open), sparse [row, column]."""
        ...


class MemoryRows:
    """Rows of a matrix in memory."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = (
            matrix if sparse.issparse(matrix) and matrix.format == "csr" else sparse.csr_matrix(matrix)
        )
        self.shape = self.matrix.shape

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the rows ``start`` to ``stop``."""
        return sparse.csr_matrix(self.matrix[start:stop])


class DiskRows:
    """Rows of a matrix on disk; only what is asked for is read.

    Parameters
    ----------
    matrix
        Of :func:`cistron.formats.anndata_rows.open_anndata`.
    """

    def __init__(self, matrix: StoredMatrix) -> None:
        self.matrix, self.shape = matrix, matrix.shape

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the rows ``start`` to ``stop``."""
        return sparse.csr_matrix(self.matrix.rows(start, stop))


class SelectedRows:
    """Some rows of a matrix, ascending."""

    def __init__(self, rows: Rows, kept: np.ndarray) -> None:
        self.rows, self.kept = rows, kept
        self.shape = (len(kept), rows.shape[1])

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the selected rows ``start`` to ``stop``."""
        wanted = self.kept[start:stop]
        return self.rows.block(int(wanted[0]), int(wanted[-1]) + 1)[wanted - wanted[0]]
