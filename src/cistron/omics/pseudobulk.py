"""Pseudobulk: the mean profile of each class of cells, from files that are larger than memory."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.anndata_parts import holds_counts
from cistron.formats.anndata_rows import StoredCells, open_anndata
from cistron.formats.stored_matrix import StoredMatrix
from cistron.runtime.progress import Progress
from cistron.runtime.shards import run_each

_NO_CLASS = ("nan", "")
_COUNT_LAYERS = (
    "raw_counts",
    "raw_count",
    "rawcounts",
    "umi_counts",
    "counts_raw",
)  # names under which atlases keep them
_LARGEST_LOGARITHM = 20.0  # of expression; log2 of a million


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
    remarks
        What was set aside, one sentence each.
    """

    values: np.ndarray
    genes: list[str]
    classes: pd.Series
    remarks: tuple[str, ...] = ()


def pseudobulk(
    path: str | Path,
    group: str,
    *,
    layer: str | None = None,
    genes_in: str | None = None,
    modality: str | None = None,
    per_cell: float | None = 10_000.0,
    minimum_cells: int = 1,
) -> Pseudobulk:
    """Sum counts over the cells of each class and divide by their number, reading blocks of cells.

    Memory is that of one block and of the result, whatever the number of cells.

    Parameters
    ----------
    path
        Cells x genes in any form that :func:`cistron.formats.anndata_rows.open_anndata` opens.
    group
        Column of obs with the class of each cell.
    layer
        Layer of the counts. When absent: ``layers["counts"]`` where there is one, else X, or where X holds no counts those of
        ``.raw`` or of ``layers["raw_counts"]``.
    genes_in
        Column of var with the gene ids; the names of var when absent.
    modality
        Modality of a .h5mu, or feature type of Cell Ranger's files.
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
    stored, remarks = _open(path, layer, genes_in, modality)
    with closing(stored):
        observations, genes = stored.observations, list(stored.variables.index)
        if group not in observations:
            raise InputError(
                f"{stored.name} has no column {group!r} in obs; it has {', '.join(map(str, observations.columns[:12]))}"
            )
        named = observations[group].astype("string")
        named = named.mask(named.str.lower().isin(_NO_CLASS))  # as AnnData writes an absent label
        counts = named.value_counts().sort_index()
        counts = counts[counts >= minimum_cells]
        if counts.empty:
            raise InputError(f"{stored.name}: no class of {group!r} has {minimum_cells} cells or more")
        place = pd.Series(np.arange(len(counts)), index=counts.index)
        column = named.map(place).fillna(-1).astype(int).to_numpy()
        total = np.zeros((len(counts), len(genes)))
        shared = {
            "matrix": stored.matrix,
            "column": column,
            "classes": len(counts),
            "per_cell": per_cell,
            "name": stored.name,
        }
        spans = [{"start": start, "stop": stop} for start, stop in stored.matrix.spans()]
        with Progress("summing cells", total=len(column), unit="cells") as progress:
            for span, part in zip(spans, run_each(_sums, spans, shared)):
                total += part.toarray()
                progress.advance(span["stop"] - span["start"])
    values = (total / counts.to_numpy()[:, None]).T
    return Pseudobulk(values.astype(np.float32), genes, counts, (*stored.remarks, *remarks))


def _open(
    path: str | Path, layer: str | None, genes_in: str | None, modality: str | None
) -> tuple[StoredCells, list[str]]:
    """Open cells at their counts: layers["counts"], X, or where X holds none those of .raw or of a layer named for them."""
    asked: dict[str, Any] = {"what": "single-cell file", "gene_column": genes_in, "modality": modality}
    stored = open_anndata(path, layer=layer, raw_counts=True, **asked)
    if layer is not None or holds_counts(stored.matrix):
        return stored, []
    for name in _COUNT_LAYERS:
        if name not in stored.layers:
            continue
        other = open_anndata(path, layer=name, **asked)
        if holds_counts(other.matrix):
            stored.close()
            return other, [f"X holds no counts, so those of layers[{name!r}] are used"]
        other.close()
    return stored, []


def _sums(
    matrix: StoredMatrix,
    column: np.ndarray,
    classes: int,
    per_cell: float | None,
    name: str,
    start: int,
    stop: int,
) -> sparse.csr_matrix:
    """Sums over the cells of each class in a block of rows, sparse float64 [class, gene]."""
    block, column = sparse.csr_matrix(matrix.rows(start, stop)), column[start:stop]
    if not np.isfinite(block.data).all():
        raise InputError(
            f"{name} has NaN or infinite values: pseudobulk sums counts; mend them, or name a layer with --layer"
        )
    if len(block.data) and block.data.min() < 0:
        raise InputError(
            f"{name} has negative values: pseudobulk sums counts; name a layer of counts with --layer"
        )
    if (
        per_cell is not None
        and len(block.data)
        and block.data.max() <= _LARGEST_LOGARITHM
        and (block.data % 1 != 0).any()
    ):
        raise InputError(
            f"{name} has fractions up to {block.data.max():g}, which look like logarithms: pseudobulk sums counts; name a layer of "
            "counts with --layer, or say --per-cell 0 to average the values as they are"
        )
    weight = np.ones(len(column))
    if per_cell is not None:
        size = np.asarray(block.sum(axis=1), dtype=np.float64).ravel()
        weight = np.where(size > 0, per_cell / np.maximum(size, 1e-300), 0.0)
    kept = np.flatnonzero(column >= 0)
    chooser = sparse.csr_matrix((weight[kept], (column[kept], kept)), shape=(classes, len(column)))
    return chooser @ block
