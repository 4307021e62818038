"""Public sources as matrices: DepMap, GTEx, HPA, Tabula Sapiens. A new one is a function and an entry."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_rows import is_stored_cells
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.omics.depmap import prepare_depmap
from cistron.omics.gtex import prepare_gtex
from cistron.omics.hpa import prepare_hpa
from cistron.omics.inputs import read_matrix
from cistron.omics.matrix import samples_of
from cistron.omics.prepared import (
    Prepared,
    in_universe,
    merged_genes,
    refuse_unmeasurable,
)
from cistron.omics.preprocessing import prepare_matrix
from cistron.omics.pseudobulk import pseudobulk
from cistron.omics.saving import write_matrix
from cistron.omics.settings_preparation import PreparationSettings, SourceName
from cistron.runtime import Progress, check_writable
from cistron.runtime.cloud import exists, is_folder, require_here
from cistron.runtime.number_tables import read_number_table

__all__ = ["SOURCES", "PreparationSettings", "Prepared"]


def prepare_isoforms(path: Path, settings: PreparationSettings) -> Prepared:
    """HPA RNA isoforms (gene, transcript, one column a sample): transcripts of a gene summed, log2(x + 1)."""
    table = read_number_table(path, "isoform file")
    if not table.text.shape[1] or not table.values.shape[1]:
        raise InputError(
            f"isoform file {path.name}: expected a column of genes, one of transcripts, and numbers. Given: "
            f"{', '.join(table.layout.columns[:5])}"
        )
    samples, remarks = samples_of(list(table.values.columns), [], "", f"isoform file {path.name}")
    frame = table.values[samples]
    refuse_unmeasurable(frame, f"isoform file {path.name}")
    genes = pd.Index(normalise_identifiers(frame.index, "ensembl"))
    summed = frame.groupby(genes, sort=False).sum(min_count=1)
    steps = [
        *table.remarks,
        *remarks,
        f"{len(frame):,} transcripts summed to {len(summed):,} genes",
        "log2(x + 1)",
    ]
    missing = int(frame.isna().to_numpy().sum())
    if missing:
        steps.insert(
            -1,
            f"{missing:,} missing values of transcripts counted as 0, where others of the gene have a value",
        )
    kept = in_universe(list(summed.index), settings, steps)
    values = np.log2(summed.to_numpy(np.float32)[kept] + np.float32(1))
    return Prepared(list(summed.index[kept]), [str(c) for c in summed.columns], iter([values]), steps)


def prepare_cells(path: Path, settings: PreparationSettings) -> Prepared:
    """Single cells (Tabula Sapiens): pseudobulk by class of cells, out of core, then log2(x + 1)."""
    found = pseudobulk(
        path,
        settings.group,
        layer=settings.layer,
        genes_in=settings.genes_in,
        modality=settings.modality,
        per_cell=settings.per_cell or None,
        minimum_cells=settings.minimum_cells,
    )
    genes = normalise_identifiers(found.genes, guess_namespace(found.genes))
    cells = int(found.classes.sum())
    steps = [*found.remarks, f"mean of {cells:,} cells by {settings.group}: {len(found.classes):,} classes"]
    steps.append(
        f"each cell scaled to {settings.per_cell:g} first" if settings.per_cell else "cells not scaled"
    )
    steps.append("log2(x + 1)")
    merged = merged_genes(genes, settings, path.name, steps)
    kept = in_universe(merged.genes, settings, steps)
    values = np.log2(merged.apply(found.values)[kept] + np.float32(1))
    return Prepared(
        [gene for gene, keep in zip(merged.genes, kept) if keep],
        [str(name) for name in found.classes.index],
        iter([values]),
        steps,
        {"cells": found.classes.to_numpy(np.int64)},
    )


def prepare_generic(path: Path, settings: PreparationSettings) -> Prepared:
    """Anybody's matrix: logarithm, filling, centring and scaling by PreprocessingSettings, streamed."""
    matrix = read_matrix(
        path,
        settings.layer,
        gene_column=settings.genes_in,
        modality=settings.modality,
        duplicates=settings.duplicates or "error",
    )
    prepared = prepare_matrix(matrix, settings.matrix)
    steps = list(prepared.remarks)
    kept = in_universe(prepared.genes, settings, steps)

    def blocks() -> Iterator[np.ndarray]:
        start = 0
        for block in prepared.blocks():
            chosen = kept[start : start + len(block)]
            start += len(block)
            if chosen.any():
                yield block[chosen]

    genes = [gene for gene, keep in zip(prepared.genes, kept) if keep]
    return Prepared(genes, prepared.matrix.samples, blocks(), steps)


SOURCES: dict[SourceName, Callable[[Path, PreparationSettings], Prepared]] = {
    "depmap": prepare_depmap,
    "gtex": prepare_gtex,
    "hpa": prepare_hpa,
    "hpa-isoforms": prepare_isoforms,
    "tabula-sapiens": prepare_cells,
    "matrix": prepare_generic,
}


def prepare_file(
    source: SourceName, file: str | Path, output: str | Path, settings: PreparationSettings | None = None
) -> Prepared:
    """Turn the file of a public source into a matrix of genes x samples, written block by block.

    Parameters
    ----------
    source
        Name in :data:`SOURCES`.
    file
        The file of the source.
    output
        Matrix to write, .h5ad.
    settings
        How.

    Returns
    -------
    Prepared
        What was written; its blocks are used up.

    Raises
    ------
    InputError
        If the file cannot be read, or fewer than 2 genes or samples are left.
    """
    file = Path(file)
    if not is_stored_cells(file):
        require_here(file)
    if not exists(file):
        raise InputError(f"{file} does not exist; 'cistron data list' names public sources")
    check_writable(output)
    prepared = SOURCES[source](file, settings or PreparationSettings())
    if len(prepared.genes) < 2 or len(prepared.samples) < 2:
        raise InputError(
            f"{file.name}: {len(prepared.genes):,} genes x {len(prepared.samples):,} samples are left; at least 2 of each are needed"
        )
    write_matrix(
        output,
        prepared.genes,
        prepared.samples,
        _followed(prepared),
        steps=prepared.steps,
        sources=[] if is_folder(file) else [file],
        sample_table=prepared.sample_table,
    )
    return prepared


def _followed(prepared: Prepared) -> Iterator[np.ndarray]:
    """Yield the blocks while showing progress over their genes."""
    with Progress("writing the matrix", len(prepared.genes), "genes") as progress:
        for block in prepared.blocks:
            yield block
            progress.advance(len(block))
