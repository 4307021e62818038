"""Public sources as matrices: DepMap, GTEx, HPA isoforms, Tabula Sapiens. A new one is a function and an entry."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.lists import read_gene_list
from cistron.omics.correction import subtract_olfactory_bias, whiten_samples
from cistron.omics.inputs import read_matrix
from cistron.omics.preprocessing import prepare_matrix
from cistron.omics.pseudobulk import pseudobulk
from cistron.omics.saving import write_matrix
from cistron.omics.settings_preparation import PreparationSettings, SourceName
from cistron.runtime import check_writable
from cistron.runtime.number_tables import number_blocks, read_number_table
from cistron.runtime.progress import Progress
from cistron.runtime.table_layout import Layout
from cistron.runtime.text_files import open_text

_ROWS = 500
_DEPMAP_COLUMN = re.compile(r"^(?P<symbol>.+?)\s*\((?P<entrez>\d+)\)$")


@dataclass(frozen=True)
class Prepared:
    """A matrix ready to be written: names, blocks of rows in order, and what was done."""

    genes: list[str]
    samples: list[str]
    blocks: Iterator[np.ndarray]
    steps: list[str]
    sample_table: dict[str, np.ndarray] = field(default_factory=dict)


def _universe(settings: PreparationSettings) -> set[str] | None:
    return None if settings.universe is None else set(_listed(settings.universe))


def _listed(path: Path) -> list[str]:
    genes = read_gene_list(path, "list of genes")
    return normalise_identifiers(genes, guess_namespace(genes))


def _kept(genes: list[str], settings: PreparationSettings, steps: list[str]) -> np.ndarray:
    """Rows to keep: genes of the given list, each at its first occurrence."""
    index = pd.Index(genes)
    kept = ~index.duplicated()
    if not kept.all():
        steps.append(f"{int((~kept).sum()):,} rows of genes that occur twice left out, the first kept")
    universe = _universe(settings)
    if universe is not None:
        inside = index.isin(list(universe))
        if not inside.any():
            raise InputError(
                f"none of {len(genes):,} genes is in {settings.universe}; check that both use the same ids "
                f"({genes[0]} against {min(universe)})"
            )
        steps.append(f"{int((~inside).sum()):,} of {len(genes):,} genes outside the universe left out")
        kept &= inside
    return kept


def _kept_rows(blocks: Iterable[np.ndarray], kept: np.ndarray) -> Iterator[np.ndarray]:
    """Pass on the rows to keep, block by block."""
    start = 0
    for block in blocks:
        chosen = kept[start : start + len(block)]
        start += len(block)
        if chosen.any():
            yield block[chosen]


def prepare_depmap(path: Path, settings: PreparationSettings) -> Prepared:
    """DepMap gene effects (cell lines x ``SYMBOL (ENTREZ)``): olfactory bias, division by the global deviation.

    Wainberg et al. 2021. With ``whiten`` the cell lines are made uncorrelated instead of being scaled.
    """
    table = read_number_table(path, "DepMap file")
    frame, steps = table.values, list(table.remarks)
    named = [_DEPMAP_COLUMN.match(str(column)) for column in frame.columns]
    if not any(named):
        raise InputError(
            f"DepMap file {path.name}: columns are named like {list(frame.columns[:2])}; expected 'SYMBOL (ENTREZ)' and cell "
            "lines in rows"
        )
    frame = frame.loc[:, [match is not None for match in named]]
    genes = [match[settings.identifier] for match in named if match]
    _refuse_unmeasurable(frame, f"DepMap file {path.name}", -np.inf)
    steps += [f"DepMap gene effects of {frame.shape[1]:,} genes in {frame.shape[0]:,} cell lines"]
    values = frame.to_numpy(np.float32).T
    missing = np.isnan(values)
    if missing.any():
        values = np.where(missing, np.nanmean(values, axis=1, keepdims=True), values)
        steps.append(f"{int(missing.sum()):,} missing entries filled with the gene's mean")
    measured = np.isfinite(values).all(axis=1)
    values, genes = values[measured], list(compress(genes, measured))
    samples = [str(name) for name in frame.index]
    intercept = np.ones(len(samples))
    if settings.olfactory is not None:
        values = subtract_olfactory_bias(
            values, genes, _listed(settings.olfactory), settings.components, settings.drop_last
        )
        samples, intercept = samples[: values.shape[1]], intercept[: values.shape[1]]
        steps.append(
            f"PCA({settings.components}) of olfactory receptors subtracted, last {settings.drop_last} cell lines left out"
        )
    else:
        steps.append("olfactory bias not corrected: no list of olfactory genes was given (--olfactory)")
    kept = _kept(genes, settings, steps)
    values, genes = values[kept], list(compress(genes, kept))
    if settings.whiten:
        whitened = whiten_samples(values)
        values, intercept = whitened.values, whitened.intercept
        steps.append("cell lines whitened over genes; var['intercept'] is the warped intercept")
    else:
        values = values / values.std()
        steps.append("divided by the global standard deviation")
    return Prepared(genes, samples, iter([values]), steps, {"intercept": intercept})


def prepare_gtex(path: Path, settings: PreparationSettings) -> Prepared:
    """GTEx TPM (.gct, .gct.gz), all samples, streamed: log10(TPM + 1), genes centred, one global deviation.

    The file is read twice, in blocks of rows: for names and the deviation, and for the values.
    """
    samples, declared = _gct_samples(path)
    genes: list[str] = []
    squares, count = 0.0, 0
    with Progress("reading GTEx", unit="genes") as progress:
        for names, block in _gct_blocks(path, len(samples)):
            genes += names
            block = _log_centred(block)
            squares += float(np.nansum(np.square(block, dtype=np.float64)))
            count += int(np.isfinite(block).sum())
            progress.advance(len(names))
    if len(genes) != declared:
        raise InputError(
            f"GTEx file {path.name} says {declared:,} genes and holds {len(genes):,}; it may be truncated"
        )
    steps = [f"GTEx TPM of {len(genes):,} genes in {len(samples):,} samples", "log10(TPM + 1), genes centred"]
    kept = _kept(genes, settings, steps)
    deviation = np.sqrt(squares / max(count, 1)) or 1.0
    steps.append(f"divided by the global standard deviation {deviation:.4f}")

    blocks = _kept_rows((block for _, block in _gct_blocks(path, len(samples))), kept)
    scaled = (_log_centred(block) / np.float32(deviation) for block in blocks)
    return Prepared(list(compress(genes, kept)), samples, scaled, steps)


def _log_centred(block: np.ndarray) -> np.ndarray:
    values = np.log10(block + np.float32(1))
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=1, keepdims=True)
    return values - total / np.maximum(known.sum(axis=1, keepdims=True), 1)


def _gct_samples(path: Path) -> tuple[list[str], int]:
    """Names of the samples, and the number of genes that the file says it has."""
    with open_text(path, "GTEx file") as handle:
        first, shape, header = (handle.readline().rstrip("\r\n") for _ in range(3))
    columns = header.split("\t")
    if not first.startswith("#1.") or len(shape.split("\t")) < 2 or len(columns) < 4:
        raise InputError(
            f"GTEx file {path.name} is not a .gct: the first line is {first[:40]!r}, expected '#1.2'"
        )
    if not shape.split("\t")[0].isdigit():
        raise InputError(
            f"GTEx file {path.name} line 2: expected the numbers of genes and samples. Given: {shape[:40]!r}"
        )
    return columns[2:], int(shape.split("\t")[0])


def _gct_blocks(path: Path, samples: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Blocks of genes as float32 [gene, sample]; an empty cell is NaN, anything else must be a number of 0 or more."""
    columns = ("Name", "Description", *(f"sample {number}" for number in range(1, samples + 1)))
    layout = Layout(path, "GTEx file", "\t", columns, 3, headerless=True, comment="", named=True)
    row = 0
    for names, block in number_blocks(layout, text={1}, rows=_ROWS):
        wrong = ~((block >= 0) & (block < np.finfo(np.float32).max)) & ~np.isnan(block)
        if wrong.any():
            place, column = map(int, np.argwhere(wrong)[0])
            raise InputError(
                f"GTEx file {path.name} line {layout.line_of(row + place)}: sample {column + 1} of {names[place]} is "
                f"{block[place, column]:g}; TPM are finite and not negative"
            )
        row += len(names)
        yield normalise_identifiers(names, "ensembl"), block.astype(np.float32)


def _refuse_unmeasurable(frame: pd.DataFrame, what: str, least: float = 0.0) -> None:
    """Raise where a value is infinite or below ``least``."""
    values = frame.to_numpy()
    wrong = ~np.isnan(values) & ~((values >= least) & (np.abs(values) < np.finfo(np.float32).max))
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        limit = "" if least == -np.inf else " and not negative"
        raise InputError(
            f"{what}: {frame.columns[column]} of {frame.index[row]} is {values[row, column]:g}; expected finite numbers{limit}"
        )


def prepare_isoforms(path: Path, settings: PreparationSettings) -> Prepared:
    """HPA RNA isoforms (gene, transcript, one column a sample): transcripts of a gene summed, log2(x + 1)."""
    table = read_number_table(path, "isoform file")
    if not table.text.shape[1] or not table.values.shape[1]:
        raise InputError(
            f"isoform file {path.name}: expected a column of genes, one of transcripts, and numbers. Given: "
            f"{', '.join(table.layout.columns[:5])}"
        )
    frame = table.values
    _refuse_unmeasurable(frame, f"isoform file {path.name}")
    genes = pd.Index(normalise_identifiers(frame.index, "ensembl"))
    summed = frame.groupby(genes, sort=False).sum(min_count=1)
    steps = [
        *table.remarks,
        f"{len(frame):,} transcripts summed to {len(summed):,} genes",
        "log2(x + 1)",
    ]
    kept = _kept(list(summed.index), settings, steps)
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
    kept = _kept(genes, settings, steps)
    values = np.log2(found.values[kept] + np.float32(1))
    return Prepared(
        list(compress(genes, kept)),
        [str(name) for name in found.classes.index],
        iter([values]),
        steps,
        {"cells": found.classes.to_numpy(np.int64)},
    )


def prepare_generic(path: Path, settings: PreparationSettings) -> Prepared:
    """Anybody's matrix: logarithm, filling, centring and scaling by PreprocessingSettings, streamed."""
    prepared = prepare_matrix(
        read_matrix(path, settings.layer, gene_column=settings.genes_in, modality=settings.modality),
        settings.matrix,
    )
    steps = list(prepared.remarks)
    kept = _kept(prepared.genes, settings, steps)
    blocks = _kept_rows(prepared.blocks(), kept)
    return Prepared(list(compress(prepared.genes, kept)), prepared.matrix.samples, blocks, steps)


SOURCES: dict[SourceName, Callable[[Path, PreparationSettings], Prepared]] = {
    "depmap": prepare_depmap,
    "gtex": prepare_gtex,
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
    if not file.exists():
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
        prepared.blocks,
        steps=prepared.steps,
        sources=[file] if file.is_file() else [],
        sample_table=prepared.sample_table,
    )
    return prepared
