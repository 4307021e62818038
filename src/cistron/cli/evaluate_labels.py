"""``cistron evaluate labels``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.evaluation.labels.settings import LabelSettings
from cistron.runtime import show


def labels(
    *embeddings: Path,
    labels: Path,
    output: Output,
    annotation: Path | None = None,
    gene_map: tuple[Path, ...] = (),
    genes: Path | None = None,
    rivals: Path | None = None,
    settings: Annotated[LabelSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = 1,
) -> None:
    """Measure how well gene embeddings predict labels of genes: members of terms, classes, or numbers.

    Writes scores.parquet (one row a term and embedding, and its gain beyond trivial columns), summary.parquet, differences.parquet (paired over terms),
    predictions.parquet, run.json and report.html.

    Parameters
    ----------
    embeddings
        Gene embeddings (.h5ad, .parquet, .tsv, .csv, word2vec text).
    labels
        Table with columns gene, member (0 or 1; or label for classes, value for numbers), term and, where folds are given, part.
    annotation
        Where genes lie: whole chromosomes are left out where the table gives no parts, and for the gain beyond trivial columns.
    gene_map
        Tables between gene ids (HGNC, GTF), where labels and embeddings name genes differently.
    genes
        List of genes, in the ids of the labels; others are left out.
    rivals
        Table of further trivial columns (gene ids first, one numeric column each); with --annotation, gene density and length are
        among them. They are scored as a row of their own, and every embedding beside them.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.labels import run_labels

    result = run_labels(
        embeddings,
        labels,
        output,
        settings,
        annotation=annotation,
        gene_map=gene_map,
        genes=genes,
        rivals=rivals,
        seed=seed,
        threads=threads,
    )
    for row in result.summary.itertuples():
        control = (
            f", permuted control {row.control_value:.3f}" if row.control_value == row.control_value else ""
        )
        show(
            f"{row.embedding}: mean {row.metric.upper()} of {row.terms} terms {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]{control}"
        )
        if row.gain == row.gain:
            show(f"  gain beyond trivial columns {row.gain:+.3f} [{row.gain_low:+.3f}, {row.gain_high:+.3f}]")
    for row in result.differences.itertuples():
        show(f"  {row.first} - {row.second}: {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
