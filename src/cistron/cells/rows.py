"""Rows of a cells x genes matrix, from memory or from disk, never all at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import anndata
import h5py
import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.tables import first_line

BLOCK_CELLS = 2048


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
    """Rows of a CSR or dense matrix in an HDF5 or zarr group; only what is asked for is read.

    Parameters
    ----------
    store
        Group with ``data``, ``indices``, ``indptr``, or a dense array.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If the matrix is stored by gene (CSC): reading cells from it would read everything again and again.
    """

    def __init__(self, store: Any, name: str) -> None:
        encoding = str(store.attrs.get("encoding-type", ""))
        if encoding == "csc_matrix":
            raise InputError(
                f"{name}: the matrix is stored by gene (CSC), but cells are read in turn; write it with "
                "adata.X = adata.X.tocsr()"
            )
        self.sparse = encoding == "csr_matrix"
        if self.sparse:
            self.data, self.indices = store["data"], store["indices"]
            self.starts = np.asarray(store["indptr"][:], dtype=np.int64)
            rows, columns = (int(number) for number in store.attrs["shape"])
            self.shape = (rows, columns)
        else:
            self.data = store
            self.shape = (int(store.shape[0]), int(store.shape[1]))

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the rows ``start`` to ``stop``."""
        if not self.sparse:
            return sparse.csr_matrix(self.data[start:stop])
        stop = min(stop, self.shape[0])
        low, high = int(self.starts[start]), int(self.starts[stop])
        return sparse.csr_matrix(
            (self.data[low:high], self.indices[low:high], self.starts[start : stop + 1] - low),
            shape=(stop - start, self.shape[1]),
        )


class SelectedRows:
    """Some rows of a matrix, ascending."""

    def __init__(self, rows: Rows, kept: np.ndarray) -> None:
        self.rows, self.kept = rows, kept
        self.shape = (len(kept), rows.shape[1])

    def block(self, start: int, stop: int) -> sparse.csr_matrix:
        """Give the selected rows ``start`` to ``stop``."""
        wanted = self.kept[start:stop]
        return self.rows.block(int(wanted[0]), int(wanted[-1]) + 1)[wanted - wanted[0]]


def open_matrix(path: Path, layer: str | None) -> tuple[anndata.AnnData, Rows]:
    """Open an AnnData file without reading its matrix.

    Parameters
    ----------
    path
        ``.h5ad`` file or ``.zarr`` folder.
    layer
        Layer to use; ``layers["counts"]`` where there is one, else X, when absent.

    Returns
    -------
    AnnData
        ``obs`` and ``var`` only.
    Rows
        The matrix.

    Raises
    ------
    InputError
        If it cannot be read or the layer is absent.
    """
    if not path.exists():
        raise InputError(f"cells {path} do not exist")
    if path.suffix not in (".h5ad", ".zarr"):
        raise InputError(f"cells are read from .h5ad or .zarr. Given: {path.name}")
    from anndata.io import read_elem

    try:
        if path.suffix == ".zarr":
            import zarr

            store: Any = zarr.open_group(path, mode="r")
        else:
            store = h5py.File(path, "r")
        if any(hasattr(store.get(axis), "dtype") for axis in ("obs", "var")):
            raise InputError(
                f"{path.name} was written by an anndata before 0.7; open it with anndata.read_h5ad and write it again"
            )
        tables = anndata.AnnData(obs=read_elem(store["obs"]), var=read_elem(store["var"]))
        place = choose_layer(list(store["layers"]) if "layers" in store else [], layer, path.name)
        matrix = store["X"] if place is None else store["layers"][place]
    except InputError:
        raise
    except Exception as error:  # a damaged file makes h5py, zarr and anndata raise nearly anything
        raise InputError(
            f"{path.name} is not a readable AnnData ({first_line(error)}); it may be truncated: write or fetch it again"
        ) from error
    return tables, DiskRows(matrix, path.name)


def choose_layer(layers: Sequence[str], layer: str | None, name: str) -> str | None:
    """Name the layer to read, ``None`` for X.

    Raises
    ------
    InputError
        If the layer that was asked for is absent.
    """
    if layer is None:
        return "counts" if "counts" in layers else None
    if layer not in layers:
        raise InputError(f"{name}: there is no layer {layer!r}; it has {', '.join(layers) or 'none'}")
    return layer
