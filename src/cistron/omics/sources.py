"""Public sources as matrices: DepMap, GTEx, HPA isoforms, Tabula Sapiens. A new one is a function and an entry."""

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.methods import Count, CountOrZero, NotNegative, check_settings
from cistron.omics.correction import subtract_olfactory_bias, whiten_samples
from cistron.omics.inputs import read_matrix
from cistron.omics.preprocessing import PreprocessingSettings, prepare_matrix
from cistron.omics.pseudobulk import pseudobulk
from cistron.runtime.progress import Progress

_ROWS = 500
_DEPMAP_COLUMN = re.compile(r"^(?P<symbol>.+?)\s*\((?P<entrez>\d+)\)$")


@dataclass(frozen=True)
class PreparationSettings:
    """Settings of ``cistron omics prepare``.

    Attributes
    ----------
    universe
        File with the genes to keep, one a line in the first column; all when absent.
    olfactory
        depmap: file with the olfactory receptor genes, one a line. Without it no bias is corrected.
    components
        depmap: components of the olfactory PCA.
    drop_last
        depmap: cell lines to leave out after it.
    whiten
        depmap: make the cell lines uncorrelated (generalised least squares).
    identifier
        depmap: which of SYMBOL (ENTREZ) names the genes.
    group
        tabula-sapiens: column of obs with the classes of cells.
    layer
        tabula-sapiens: layer to read instead of X.
    genes_in
        tabula-sapiens: column of var with the gene ids.
    per_cell
        tabula-sapiens: total that each cell is scaled to before the sum; 0 takes the values as they are.
    minimum_cells
        tabula-sapiens: smallest class of cells.
    matrix
        matrix: what is done to it.
    """

    universe: Path | None = None
    olfactory: Path | None = None
    components: Count = 4
    drop_last: CountOrZero = 4
    whiten: bool = False
    identifier: Literal["symbol", "entrez"] = "symbol"
    group: str = "cell_ontology_class"
    layer: str | None = None
    genes_in: str | None = None
    per_cell: NotNegative = 10_000.0
    minimum_cells: Count = 1
    matrix: PreprocessingSettings = field(default_factory=PreprocessingSettings)

    def __post_init__(self) -> None:
        check_settings(self)


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
    if not path.exists():
        raise InputError(f"list of genes {path} does not exist")
    genes = [re.split(r"[\t,]", line)[0].strip() for line in path.read_text().splitlines() if line.strip()]
    return normalise_identifiers(genes, guess_namespace(genes))


def _kept(genes: list[str], settings: PreparationSettings, steps: list[str]) -> np.ndarray:
    """Rows to keep: in the universe, and the first of genes that occur twice."""
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


def prepare_depmap(path: Path, settings: PreparationSettings) -> Prepared:
    """DepMap gene effects (cell lines x ``SYMBOL (ENTREZ)``): olfactory bias, division by the global deviation.

    Wainberg et al. 2021. With ``whiten`` the cell lines are made uncorrelated instead of being scaled.
    """
    try:
        frame = pd.read_csv(path, index_col=0)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"DepMap file {path.name} cannot be read as a table ({str(error)[:100]})") from error
    named = [_DEPMAP_COLUMN.match(str(column)) for column in frame.columns]
    if not any(named):
        raise InputError(
            f"DepMap file {path.name}: columns are named like {list(frame.columns[:2])}; expected 'SYMBOL (ENTREZ)' and cell "
            "lines in rows"
        )
    frame = frame.loc[:, [match is not None for match in named]]
    genes = [match[settings.identifier] for match in named if match]
    steps = [f"DepMap gene effects of {frame.shape[1]:,} genes in {frame.shape[0]:,} cell lines"]
    values = frame.to_numpy(np.float32).T
    missing = np.isnan(values)
    if missing.any():
        values = np.where(missing, np.nanmean(values, axis=1, keepdims=True), values)
        steps.append(f"{int(missing.sum()):,} missing entries filled with the gene's mean")
    measured = np.isfinite(values).all(axis=1)
    values, genes = values[measured], [gene for gene, keep in zip(genes, measured) if keep]
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
    values, genes = values[kept], [gene for gene, keep in zip(genes, kept) if keep]
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
    samples = _gct_samples(path)
    genes: list[str] = []
    squares, count = 0.0, 0
    with Progress("reading GTEx", unit="genes") as progress:
        for names, block in _gct_blocks(path, len(samples)):
            genes += names
            block = _log_centred(block)
            squares += float(np.square(block, dtype=np.float64).sum())
            count += block.size
            progress.advance(len(names))
    steps = [f"GTEx TPM of {len(genes):,} genes in {len(samples):,} samples", "log10(TPM + 1), genes centred"]
    kept = _kept(genes, settings, steps)
    deviation = np.sqrt(squares / max(count, 1)) or 1.0
    steps.append(f"divided by the global standard deviation {deviation:.4f}")

    def blocks() -> Iterator[np.ndarray]:
        start = 0
        for names, block in _gct_blocks(path, len(samples)):
            chosen = kept[start : start + len(names)]
            start += len(names)
            if chosen.any():
                yield _log_centred(block[chosen]) / np.float32(deviation)

    return Prepared([gene for gene, keep in zip(genes, kept) if keep], samples, blocks(), steps)


def _log_centred(block: np.ndarray) -> np.ndarray:
    values = np.log10(block + np.float32(1))
    return values - values.mean(axis=1, keepdims=True)


def _gct_samples(path: Path) -> list[str]:
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as handle:
            first, shape, header = (handle.readline().rstrip("\n") for _ in range(3))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"GTEx file {path.name} cannot be read ({str(error)[:100]})") from error
    columns = header.split("\t")
    if not first.startswith("#1.") or len(shape.split("\t")) < 2 or len(columns) < 4:
        raise InputError(
            f"GTEx file {path.name} is not a .gct: the first line is {first[:40]!r}, expected '#1.2'"
        )
    return columns[2:]


def _gct_blocks(path: Path, samples: int) -> Iterator[tuple[list[str], np.ndarray]]:
    types: dict[int, type] = {0: str, 1: str}
    types |= dict.fromkeys(range(2, samples + 2), np.float32)
    try:
        reader = pd.read_csv(path, sep="\t", skiprows=3, header=None, chunksize=_ROWS, dtype=types)
        for chunk in reader:
            genes = normalise_identifiers(list(chunk[0]), "ensembl")
            yield genes, chunk.iloc[:, 2:].to_numpy(np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"GTEx file {path.name} is damaged ({str(error)[:100]})") from error


def prepare_isoforms(path: Path, settings: PreparationSettings) -> Prepared:
    """HPA RNA isoforms (gene, transcript, one column a sample): transcripts of a gene summed, log2(x + 1)."""
    try:
        frame = pd.read_csv(path, sep="," if path.name.removesuffix(".gz").endswith(".csv") else "\t")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"isoform file {path.name} cannot be read as a table ({str(error)[:100]})"
        ) from error
    text = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    if len(text) < 2 or len(text) == frame.shape[1]:
        raise InputError(
            f"isoform file {path.name}: expected a column of genes, one of transcripts, and numbers. Given: "
            f"{', '.join(map(str, frame.columns[:5]))}"
        )
    genes = pd.Index(normalise_identifiers([str(gene) for gene in frame[text[0]]], "ensembl"))
    summed = frame.drop(columns=text).groupby(genes, sort=False).sum(min_count=1)
    steps = [
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
        per_cell=settings.per_cell or None,
        minimum_cells=settings.minimum_cells,
    )
    genes = normalise_identifiers(found.genes, guess_namespace(found.genes))
    cells = int(found.classes.sum())
    steps = [f"mean of {cells:,} cells by {settings.group}: {len(found.classes):,} classes"]
    steps.append(
        f"each cell scaled to {settings.per_cell:g} first" if settings.per_cell else "cells not scaled"
    )
    steps.append("log2(x + 1)")
    kept = _kept(genes, settings, steps)
    values = np.log2(found.values[kept] + np.float32(1))
    return Prepared(
        [gene for gene, keep in zip(genes, kept) if keep],
        [str(name) for name in found.classes.index],
        iter([values]),
        steps,
        {"cells": found.classes.to_numpy(np.int64)},
    )


def prepare_generic(path: Path, settings: PreparationSettings) -> Prepared:
    """Anybody's matrix: logarithm, filling, centring and scaling by PreprocessingSettings, streamed."""
    prepared = prepare_matrix(read_matrix(path, settings.layer), settings.matrix)
    steps = list(prepared.remarks)
    kept = _kept(prepared.genes, settings, steps)

    def blocks() -> Iterator[np.ndarray]:
        start = 0
        for block in prepared.blocks():
            chosen = kept[start : start + len(block)]
            start += len(block)
            if chosen.any():
                yield block[chosen]

    genes = [gene for gene, keep in zip(prepared.genes, kept) if keep]
    return Prepared(genes, prepared.matrix.samples, blocks(), steps)


SOURCES: dict[str, Callable[[Path, PreparationSettings], Prepared]] = {
    "depmap": prepare_depmap,
    "gtex": prepare_gtex,
    "hpa-isoforms": prepare_isoforms,
    "tabula-sapiens": prepare_cells,
    "matrix": prepare_generic,
}
