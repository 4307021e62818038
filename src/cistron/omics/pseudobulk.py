"""Pseudobulk: the mean profile of each class of cells, from files that are larger than memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.runtime.progress import Progress

_VALUES_AT_ONCE = 16_000_000  # stored values of a block of cells: 200 MB with their indices


@dataclass(frozen=True)
class Pseudobulk:
    """Profiles of classes of cells.

    Attributes
    ----------
    values
        Mean over the cells of a class, float32 [gene, class].
    genes
        Genes of the rows.
    classes
        Number of cells by class, in the order of the columns.
    """

    values: np.ndarray
    genes: list[str]
    classes: pd.Series


def pseudobulk(
    path: str | Path,
    group: str,
    *,
    layer: str | None = None,
    genes_in: str | None = None,
    per_cell: float | None = 10_000.0,
    minimum_cells: int = 1,
) -> Pseudobulk:
    """Sum counts over the cells of each class and divide by their number, reading blocks of cells.

    Memory is that of one block and of the result, whatever the number of cells.

    Parameters
    ----------
    path
        .h5ad or .zarr, obs = cells, var = genes; X (or ``layer``) sparse by rows or dense.
    group
        Column of obs with the class of each cell.
    layer
        Layer to read instead of X.
    genes_in
        Column of var with the gene ids; the names of var when absent.
    per_cell
        Total that each cell's counts are scaled to before they are summed, so that a class is not the profile
        of its largest cells; ``None`` takes the values as they are (already normalised, not logarithms).
    minimum_cells
        Classes with fewer cells are left out.

    Returns
    -------
    Pseudobulk
        The profiles, classes in alphabetical order.

    Raises
    ------
    InputError
        If the file cannot be read, the column is absent, values are negative, or no class is large enough.
    """
    path = Path(path)
    with _opened(path) as store:
        observations, variables, matrix = _parts(store, path, layer)
        genes = _gene_names(variables, genes_in, path)
        if group not in observations:
            raise InputError(
                f"{path.name} has no column {group!r} in obs; it has {', '.join(map(str, observations.columns[:12]))}"
            )
        named = observations[group].astype("string")
        counts = named.value_counts().sort_index()
        counts = counts[counts >= minimum_cells]
        if counts.empty:
            raise InputError(f"{path.name}: no class of {group!r} has {minimum_cells} cells or more")
        place = pd.Series(np.arange(len(counts)), index=counts.index)
        column = named.map(place).fillna(-1).astype(int).to_numpy()
        total = np.zeros((len(counts), len(genes)))
        with Progress("summing cells", total=len(column), unit="cells") as progress:
            for start, stop, block in _blocks(matrix):
                _add(total, block, column[start:stop], per_cell, path)
                progress.advance(stop - start)
    values = (total / counts.to_numpy()[:, None]).T
    return Pseudobulk(values.astype(np.float32), genes, counts)


def _opened(path: Path) -> Any:
    if not path.exists():
        raise InputError(f"single-cell file {path} does not exist")
    try:
        if path.suffix == ".zarr":
            import contextlib

            import zarr

            return contextlib.nullcontext(zarr.open(str(path), mode="r"))
        return h5py.File(path, "r")
    except Exception as error:  # h5py and zarr raise kinds of their own for a broken file
        raise InputError(
            f"{path.name} is not a readable .h5ad or .zarr ({type(error).__name__}); it may be truncated"
        ) from error


def _parts(store: Any, path: Path, layer: str | None) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    key = "X" if layer is None else f"layers/{layer}"
    if key not in store or "obs" not in store or "var" not in store:
        raise InputError(f"{path.name} has no {key}, obs or var; expected an AnnData with cells in rows")
    observations, variables = anndata.io.read_elem(store["obs"]), anndata.io.read_elem(store["var"])
    element = store[key]
    kind = element.attrs.get("encoding-type", "array")
    if kind == "csc_matrix":
        raise InputError(
            f"{path.name}: {key} is stored by genes (CSC), so that cells cannot be read in blocks; write it as CSR first"
        )
    return observations, variables, anndata.io.sparse_dataset(element) if kind == "csr_matrix" else element


def _gene_names(variables: pd.DataFrame, genes_in: str | None, path: Path) -> list[str]:
    if genes_in is None:
        return [str(name) for name in variables.index]
    if genes_in not in variables:
        raise InputError(
            f"{path.name} has no column {genes_in!r} in var; it has {', '.join(map(str, variables.columns[:12]))}"
        )
    return [str(name) for name in variables[genes_in]]


def _blocks(matrix: Any) -> Iterator[tuple[int, int, Any]]:
    """Blocks of cells with about as many stored values each."""
    cells, genes = matrix.shape
    if hasattr(matrix, "group"):  # sparse on disk: the row pointers say how full the rows are
        pointers = np.asarray(matrix.group["indptr"][:])
        start = 0
        while start < cells:
            stop = int(np.searchsorted(pointers, pointers[start] + _VALUES_AT_ONCE, side="right")) - 1
            stop = min(max(stop, start + 1), cells)
            yield start, stop, matrix[start:stop]
            start = stop
        return
    rows = max(1, _VALUES_AT_ONCE // max(genes, 1))
    for start in range(0, cells, rows):
        stop = min(start + rows, cells)
        yield start, stop, np.asarray(matrix[start:stop])


def _add(total: np.ndarray, block: Any, column: np.ndarray, per_cell: float | None, path: Path) -> None:
    block = sparse.csr_matrix(block)
    if len(block.data) and block.data.min() < 0:
        raise InputError(
            f"{path.name} has negative values: pseudobulk sums counts; name a layer of counts with --layer"
        )
    weight = np.ones(len(column))
    if per_cell is not None:
        size = np.asarray(block.sum(axis=1), dtype=np.float64).ravel()
        weight = np.where(size > 0, per_cell / np.maximum(size, 1e-300), 0.0)
    kept = np.flatnonzero(column >= 0)
    chooser = sparse.csr_matrix((weight[kept], (column[kept], kept)), shape=(len(total), len(column)))
    total += (chooser @ block).toarray()
