"""Single cells from AnnData in memory, .h5ad, .zarr or CELLxGENE's Census: genes known, scale known, rows streamed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.cells.inputs_identifiers import identify_genes, refuse_doubled
from cistron.cells.rows import BLOCK_CELLS, SHARD_CELLS, DiskRows, MemoryRows, Rows, SelectedRows
from cistron.errors import InputError
from cistron.formats.anndata_parts import RAW, choose_layer
from cistron.formats.anndata_rows import named_genes, open_anndata
from cistron.formats.expression_scale import Scale, detect_scale
from cistron.genes.identity import guess_namespace
from cistron.genes.name_resolution import NameMap
from cistron.runtime.shards import run_each


@dataclass(frozen=True)
class Cells:
    """Cells x genes whose values are read in blocks.

    Attributes
    ----------
    rows
        The matrix [cell, column of the file].
    observations
        Table of the cells, indexed by unique names.
    genes
        Unique identifiers of the genes in use.
    columns
        Column of the file of each gene, int [gene].
    variables
        Table of the genes in use.
    scale
        ``counts`` or ``log-normalised``.
    identifier_namespace, name, path, remarks
        Of the genes; of the data; where it came from; what the user should know.
    name_map
        Map by which the genes got their identifiers; ``None`` where they have their own.
    """

    rows: Rows
    observations: pd.DataFrame
    genes: tuple[str, ...]
    columns: np.ndarray
    variables: pd.DataFrame
    scale: Scale
    identifier_namespace: str
    name: str
    path: Path | None = None
    remarks: tuple[str, ...] = ()
    name_map: NameMap | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells and genes."""
        return self.rows.shape[0], len(self.genes)

    def only(self, genes: Sequence[str]) -> "Cells":
        """Use these genes only, in this order; unknown ones raise ``KeyError``."""
        place = dict(zip(self.genes, range(len(self.genes))))
        chosen = np.array([place[gene] for gene in genes], dtype=np.int64)
        return replace(
            self, genes=tuple(genes), columns=self.columns[chosen], variables=self.variables.iloc[chosen]
        )

    def keep_cells(self, kept: np.ndarray) -> "Cells":
        """Use the cells of these ascending row numbers only."""
        return replace(self, rows=SelectedRows(self.rows, kept), observations=self.observations.iloc[kept])

    def blocks(
        self,
        wanted: np.ndarray | None = None,
        size: int = BLOCK_CELLS,
        *,
        first: int = 0,
        last: int | None = None,
    ) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
        """Give row numbers [cell] and values, sparse float32 [cell, gene], block by block in the order of the file.

        Parameters
        ----------
        wanted
            Ascending row numbers of the cells to give; all when absent.
        size
            Rows of the file looked at in one go.
        first, last
            Part of the file (half-open) that is looked at; all of it when absent.
        """
        end = self.rows.shape[0] if last is None else min(last, self.rows.shape[0])
        for start in range(first, end, size):
            stop = min(start + size, end)
            if wanted is None:
                numbers = np.arange(start, stop)
                yield numbers, self.take(self.rows.block(start, stop))
                continue
            numbers = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, stop)]
            if len(numbers):
                yield numbers, self.take(self.rows.block(start, stop)[numbers - start])

    def shards(self, wanted: np.ndarray | None = None) -> list[dict[str, int]]:
        """Parts of the file (``first`` and ``last`` of :meth:`blocks`) that hold wanted cells, for :func:`cistron.runtime.run_each`."""
        starts: Iterable[int] = range(0, self.rows.shape[0], SHARD_CELLS)
        if wanted is not None:
            starts = (np.unique(wanted // SHARD_CELLS) * SHARD_CELLS).tolist()
        return [{"first": start, "last": start + SHARD_CELLS} for start in starts]

    def take(self, block: sparse.csr_matrix) -> sparse.csr_matrix:
        """Columns of the genes in use, float32."""
        block = sparse.csr_matrix(block)
        if len(self.columns) == block.shape[1] and (self.columns == np.arange(block.shape[1])).all():
            return block.astype(np.float32, copy=False)
        target = np.full(block.shape[1], -1, dtype=np.int64)
        target[self.columns] = np.arange(len(self.columns))
        column = target[block.indices]
        keep = column >= 0
        starts = np.r_[0, np.cumsum(keep)][block.indptr]
        chosen = sparse.csr_matrix(
            (block.data[keep].astype(np.float32, copy=False), column[keep], starts),
            shape=(block.shape[0], len(self.columns)),
        )
        chosen.has_sorted_indices = False
        return chosen


def read_cells(
    source: str | Path | anndata.AnnData,
    *,
    layer: str | None = None,
    scale: Scale | Literal["auto"] = "auto",
    gene_map: str | Path | Sequence[str | Path] | NameMap | None = None,
    namespace: str | None = None,
    allow_loss: bool = False,
    name: str | None = None,
    gene_column: str | None = None,
    modality: str | None = None,
) -> Cells:
    """Open cells; values stay where they are until blocks are asked for.

    Parameters
    ----------
    source
        A file or folder of any form that :func:`cistron.formats.anndata_rows.open_anndata` opens, or an AnnData in memory (or
        backed).
    layer
        Layer of the values (``raw``: AnnData's ``.raw``); ``layers["counts"]`` where there is one, else X, when absent.
    scale
        What the values are; ``auto`` accepts counts only.
    gene_map
        Table between gene namespaces with which the genes are mapped to ``namespace``, several of which the next is asked for
        what the last does not know, or the map of a model.
    namespace
        Namespace that the genes must have; other ones are mapped by ``gene_map``.
    allow_loss
        Accept that mapping loses more than 5% of the genes.
    name
        Name of the data; that of the file when absent.
    gene_column
        Column of var with the gene ids; the names of var when absent. Genes without an id are left out with a remark.
    modality
        Modality of a ``.h5mu``, or feature type of Cell Ranger's files.

    Raises
    ------
    InputError
        If a file cannot be read, cells or genes are doubled, or values are not what was declared.
    IdentifierError
        If mapping loses more than 5% of the genes, or the genes are of another namespace and there is no ``gene_map``.
    """
    rows: Rows
    if isinstance(source, anndata.AnnData) and (not source.isbacked or source.is_view):
        path, name = None, name or "cells"
        observations, variables, rows, left_out = _in_memory(source, layer, gene_column, name)
    else:
        # rows of a backed AnnData are read from its file, never all at once
        path = Path(str(source.filename)) if isinstance(source, anndata.AnnData) else Path(source)
        opened = open_anndata(path, layer=layer, gene_column=gene_column, modality=modality)
        name = name or path.name
        rows, left_out = DiskRows(opened.matrix), opened.remarks
        observations, variables = opened.observations, opened.variables
        if isinstance(source, anndata.AnnData):
            observations = source.obs  # labels and names may have been changed since it was opened
            if gene_column is None and layer != RAW:
                variables = source.var
    refuse_doubled(pd.Index(observations.index), "cells", name)
    identified = identify_genes(variables, gene_map, namespace, allow_loss, name)
    found = _scale_of(rows, None if scale == "auto" else scale, name)
    return Cells(
        rows,
        observations,
        identified.genes,
        identified.columns,
        variables.iloc[identified.columns].set_axis(pd.Index(identified.genes, name="gene")),
        found,
        guess_namespace(identified.genes),
        name,
        path,
        (*left_out, *identified.remarks),
        identified.name_map,
    )


def _in_memory(
    data: anndata.AnnData, layer: str | None, gene_column: str | None, name: str
) -> tuple[pd.DataFrame, pd.DataFrame, Rows, tuple[str, ...]]:
    """Tables of cells and genes, the values, and remarks, of an AnnData in memory."""
    place = choose_layer([*data.layers, *([RAW] if data.raw is not None else [])], layer, name)
    source = data.raw if place == RAW and RAW not in data.layers else data
    values = source.X if place is None or source is data.raw else data.layers[place]
    if values is None:
        raise InputError(f"{name}: the AnnData has no X; give one with counts")
    values = values.to_memory() if hasattr(values, "to_memory") else values
    table, kept, remarks = named_genes(source.var, gene_column, name)
    return data.obs, table, MemoryRows(values if kept is None else values[:, kept]), remarks


def _scale_of(rows: Rows, declared: Scale | None, name: str) -> Scale:
    """Tell the scale from three parts of the file; values that are not expression, or not counts and not declared so, are an error."""
    total = rows.shape[0]
    if not total or not rows.shape[1]:
        raise InputError(f"{name} is empty: {total:,} cells x {rows.shape[1]:,} genes")
    starts = sorted({0, total // 2, max(0, total - 512)})
    sample = sparse.vstack([rows.block(start, min(start + 512, total)) for start in starts], format="csr")
    if not np.isfinite(sample.data).all():
        raise InputError(f"{name}: values hold NaN or infinity; expected counts or log-normalised numbers")
    if len(sample.data) and sample.data.min() < 0:
        raise InputError(f"{name}: values are negative (scaled?); give raw counts, or log-normalised values")
    found, _ = detect_scale(sample, declared, name)
    if declared is None and found != "counts":
        raise InputError(
            f"{name}: expected raw counts, but values look {found} (not whole numbers); name the layer of the counts "
            "with --layer, or say --scale log-normalised to use them as they are"
        )
    if found == "continuous":
        raise InputError(
            f"{name}: --scale must be counts or log-normalised for the cells wing. Given: continuous"
        )
    return found


def keep_rich_cells(cells: Cells, training: Sequence[str], minimum_counts: float) -> tuple[Cells, str]:
    """Leave out cells with few counts in the training genes.

    Parameters
    ----------
    cells
        Cells.
    training
        Training genes; those that the cells do not measure are ignored.
    minimum_counts
        Counts that a cell must have in them; 0 keeps all cells.

    Returns
    -------
    Cells
        Those that are kept.
    str
        How many were left out; empty where none was.

    Raises
    ------
    InputError
        If no cell is left.
    """
    if minimum_counts <= 0:
        return cells, ""
    present = set(cells.genes)
    view = cells.only([gene for gene in training if gene in present])
    total = np.concatenate([np.asarray(block.sum(axis=1)).ravel() for _, block in view.blocks()])
    kept = np.flatnonzero(total >= minimum_counts)
    if not len(kept):
        raise InputError(
            f"{cells.name}: no cell has {minimum_counts:g} counts in the training genes (most are {total.max():g}); lower "
            "--minimum-counts"
        )
    if len(kept) == len(total):
        return cells, ""
    remark = f"{len(total) - len(kept):,} of {len(total):,} cells have fewer than {minimum_counts:g} counts and are left out"
    return cells.keep_cells(kept), remark


def pseudobulk(cells: Cells, column: str) -> Cells:
    """Sum the counts of all cells that share a label; the labels become the cells.

    Raises
    ------
    InputError
        If there is no such column, or the values are not counts.
    """
    labels = labels_of(cells, column)
    if cells.scale != "counts":
        raise InputError(f"{cells.name}: pseudobulks are sums of counts. Given: {cells.scale} values")
    names, code = np.unique(labels, return_inverse=True)
    total = np.zeros((len(names), len(cells.genes)))
    for part in run_each(_summed, cells.shards(), {"cells": cells, "code": code, "groups": len(names)}):
        total += part
    counts = np.bincount(code)
    observations = pd.DataFrame(
        {"cell_type": names, "cells": counts}, index=pd.Index(names, name="cell_type")
    )
    observations.index.name = None
    return replace(
        cells,
        rows=MemoryRows(sparse.csr_matrix(total, dtype=np.float32)),
        observations=observations,
        columns=np.arange(len(cells.genes)),
    )


def _summed(cells: Cells, code: np.ndarray, groups: int, first: int, last: int) -> sparse.csr_matrix:
    """Sums over the cells of each group in a part of the file, sparse float64 [group, gene]."""
    total = sparse.csr_matrix((groups, len(cells.genes)))
    for numbers, block in cells.blocks(first=first, last=last):
        total += membership(code[numbers], groups) @ block
    return total


def membership(code: np.ndarray, groups: int) -> sparse.csr_matrix:
    """Which group each cell is of, sparse float64 [group, cell]; its product with values sums over the cells of a group."""
    return sparse.csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))), shape=(groups, len(code)))


def labels_of(cells: Cells, column: str) -> np.ndarray:
    """Labels of the cells, text [cell].

    Raises
    ------
    InputError
        If there is no such column, or a cell has no label.
    """
    if column not in cells.observations:
        raise InputError(
            f"{cells.name}: obs has no column {column!r}; it has {', '.join(map(str, cells.observations.columns[:10])) or 'none'}"
        )
    labels = cells.observations[column]
    if labels.isna().any():
        raise InputError(
            f"{cells.name}: {int(labels.isna().sum()):,} cells have no {column}; label or remove them"
        )
    return labels.astype(str).to_numpy(dtype=object)
