"""What stands beside the values in tables of counting tools: lengths and places of genes, rows of unassigned reads."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from cistron.errors import InputError
from cistron.genes.columns import ACCEPTED_COLUMNS, plain_column

# htseq-count (__no_feature; without underscores before 0.6), STAR (N_unmapped), featureCounts (.summary), sums of a spreadsheet
_SUMMARY = re.compile(
    r"__\w+|no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique"
    r"|N_(unmapped|multimapping|noFeature|ambiguous)|Assigned|Unassigned_\w+|(?i:(grand[ _])?total)"
)
_LENGTHS = frozenset(
    [
        "length",
        "gene_length",
        "transcript_length",
        "exonic_length",
        "effective_length",
        "effectivelength",
        "eff_length",
        "efflength",
        "txlen",
    ]
)
_IDS = frozenset(ACCEPTED_COLUMNS["entrez"].split()) | frozenset(
    ["entrez_gene_id", "gene_id", "geneid", "ncbi_geneid", "gene_version", "transcript_version"]
)
_PLACES = frozenset(
    name for key in ("chromosome", "start", "end", "strand") for name in ACCEPTED_COLUMNS[key].split()
) | {"width"}
# What one run of Salmon, kallisto, RSEM or Cufflinks says of one sample, and HPA of one tissue per row.
_MEASURES = frozenset(
    [
        "tpm",
        "numreads",
        "est_counts",
        "expected_count",
        "fpkm",
        "rpkm",
        "ptpm",
        "ntpm",
        "isopct",
        "fpkm_conf_lo",
        "fpkm_conf_hi",
        "posterior_mean_count",
    ]
)

# Sums of a spreadsheet over the samples, and what a test of differential expression says of a gene.
_STATISTICS = frozenset([
    "mean", "average", "avg", "median", "sd", "std", "stdev", "std_dev", "standard_deviation", "sem", "variance", "cv",
    "sum", "total", "grand_total", "row_mean", "rowmean", "row_sum", "rowsum",
])  # fmt: skip
_TESTED = frozenset([
    "basemean", "log2foldchange", "lfcse", "pvalue", "p_value", "padj", "logfc", "logcpm", "fdr", "aveexpr", "adj_p_val",
    "p_val", "p_val_adj", "avg_log2fc", "avg_logfc", "qvalue", "q_value", "log2fc",
])  # fmt: skip

# What stands beside the genes in tables of samples x genes; none is the symbol of a gene.
_SAMPLE_FACTS = frozenset([
    "age", "sex", "gender", "bmi", "height", "weight", "batch", "plate", "lane", "run", "replicate", "rep",
    "sample_id", "sample_number", "donor", "donor_id", "patient", "patient_id", "subject", "subject_id",
    "individual", "treatment", "dose", "time", "timepoint", "time_point", "day", "passage", "rin",
    "mapping_rate", "library_size", "lib_size", "depth", "total_counts", "total_reads", "n_counts",
    "n_genes", "n_genes_by_counts", "pct_counts_mt", "percent_mt", "ncount_rna", "nfeature_rna",
    "size_factor", "size_factors", "group", "condition", "cluster", "label", "y",
])  # fmt: skip


def is_summary(names: Iterable[str]) -> np.ndarray:
    """Which names are those of rows in which a counting tool sums up what it did not count; bool [name]."""
    return np.array([_SUMMARY.fullmatch(name) is not None for name in names], dtype=bool)


def is_sample_fact(names: Iterable[str]) -> np.ndarray:
    """Which names of columns tell of the samples in the rows, such as age and batch, and are no genes; bool [name]."""
    return np.array([plain_column(name) in _SAMPLE_FACTS for name in names], dtype=bool)


def annotation_columns(columns: Sequence[str]) -> list[str]:
    """Which columns tell of a gene and are no sample: its length, its Entrez id, its mean, and its place where two columns say that.

    Parameters
    ----------
    columns
        All columns of a table, those of text too.
    """
    plain = {column: plain_column(column) for column in columns}
    places = [column for column, name in plain.items() if name in _PLACES]
    others = [column for column, name in plain.items() if name in _LENGTHS | _IDS | _STATISTICS]
    known = set(others) | set(places if len(places) > 1 else ())
    return [column for column in columns if column in known]


def require_samples(columns: Sequence[str], what: str) -> None:
    """Raise where columns are measures of one sample, or results of a test, and not samples.

    Parameters
    ----------
    columns
        Columns of numbers that are left.
    what
        Name of the table, for messages.

    Raises
    ------
    InputError
        If all are measures, such as TPM and NumReads, or some are results, such as log2FoldChange and padj.
    """
    tested = [column for column in columns if plain_column(column) in _TESTED]
    if len(tested) > 1:
        raise InputError(
            f"{what}: the columns {listed(tested)} are the results of a test of differential expression and not samples; give the matrix "
            "of genes x samples that was tested"
        )
    if columns and all(plain_column(column) in _MEASURES for column in columns):
        raise InputError(
            f"{what}: the columns {', '.join(columns)} are measures of one sample, or of one tissue per row, and not samples; put one "
            "measure of all samples side by side, a column per sample; 'cistron omics prepare hpa' does so for the long tables of the "
            "Human Protein Atlas"
        )


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names for a remark."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
