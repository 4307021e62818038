"""Long tables of the Human Protein Atlas, one row per gene and tissue (cell type, cell line, ...), as a matrix."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import plain_column
from cistron.genes.identity import normalise_identifiers
from cistron.omics.prepared import PreparationSettings, Prepared, in_universe, refuse_unmeasurable
from cistron.runtime.tables import read_text_table

_GENES = ("gene", "ensg_id", "ensembl", "ensembl_id", "ensembl_gene_id")
_NAMES = ("gene_name", "uniprot")
# Measures in order of preference: normalised between samples first.
MEASURES = ("nTPM", "nCPM", "NX", "pTPM", "TPM", "FPKM", "Scaled tag per million", "Tags per million")
_COUNTS = ("read_count", "reads", "cell_count", "count")


def prepare_hpa(path: Path, settings: PreparationSettings) -> Prepared:
    """HPA tables of tissues, cell types, cell lines and immune cells (.tsv, .tsv.zip): one measure side by side, log2(x + 1).

    ``--layer`` names the measure; nTPM when there is one, else the first of ``nCPM``, ``NX``, ``pTPM``, ``TPM``, ``FPKM``.
    """
    what = f"HPA file {path.name}"
    table = read_text_table(path, "HPA file")
    columns = [str(column) for column in table.columns]
    plain = {plain_column(column): column for column in columns}
    gene = next((plain[name] for name in _GENES if name in plain), None)
    measure = _measure(columns, settings.layer, what)
    measures = {name for name in columns if name in MEASURES}
    passed = {gene, *(plain.get(name) for name in (*_NAMES, *_COUNTS))}
    labels = [column for column in columns if column not in measures and column not in passed]
    if gene is None or not labels:
        raise InputError(
            f"{what}: expected one row per gene and tissue, with the columns Gene, Tissue (or Cell type, Cell line, ...) and nTPM. "
            f"Given: {', '.join(columns[:8])}"
        )
    genes = normalise_identifiers(table.text(gene), "ensembl")
    samples = _joined([table.text(column) for column in labels])
    values = table.numbers(measure)
    rows, gene_names = pd.factorize(np.asarray(genes, dtype=object))
    places, sample_names = pd.factorize(np.asarray(samples, dtype=object))
    flat = rows.astype(np.int64) * len(sample_names) + places
    again = pd.Series(flat).duplicated().to_numpy()
    if again.any():
        first = int(again.argmax())
        raise InputError(
            f"{what}: {int(again.sum()):,} rows repeat a gene and {' and '.join(labels)}, for example {genes[first]} in {samples[first]}; "
            "expected one row each"
        )
    matrix = np.full((len(gene_names), len(sample_names)), np.nan, dtype=np.float32)
    matrix[rows, places] = values
    refuse_unmeasurable(pd.DataFrame(matrix, index=gene_names, columns=sample_names), what)
    steps = [
        *table.remarks,
        f"HPA {measure} of {len(gene_names):,} genes in {len(sample_names):,} columns, named by {', '.join(labels)}",
    ]
    others = sorted(measures - {measure})
    if others:
        steps.append(f"other measures left out: {', '.join(others)} (--layer takes one of them)")
    missing = int(np.isnan(matrix).sum())
    if missing:
        steps.append(f"{missing:,} values are missing and stay so")
    steps.append("log2(x + 1)")
    kept = in_universe(list(map(str, gene_names)), settings, steps)
    logged = np.log2(matrix[kept] + np.float32(1))
    return Prepared(
        [str(name) for name in gene_names[kept]], list(map(str, sample_names)), iter([logged]), steps
    )


def _measure(columns: list[str], wanted: str | None, what: str) -> str:
    there = [name for name in MEASURES if name in columns]
    if wanted is not None:
        if wanted not in columns:
            raise InputError(f"{what} has no measure {wanted!r}; it has {', '.join(there) or 'none'}")
        return wanted
    if not there:
        raise InputError(
            f"{what} has no column of {', '.join(MEASURES[:6])}; name the measure with --layer. Given: {', '.join(columns[:8])}"
        )
    return there[0]


def _joined(parts: list[list[str]]) -> list[str]:
    return parts[0] if len(parts) == 1 else [", ".join(cells) for cells in zip(*parts)]
