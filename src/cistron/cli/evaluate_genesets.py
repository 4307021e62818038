"""``cistron evaluate genesets``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import Output, Seed, Threads, renamed
from cistron.evaluation.genesets import GeneSetSettings, run_gene_sets
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(GeneSetSettings):
    __doc__ = GeneSetSettings.__doc__
    background: Annotated[Literal["auto", "annotated", "all"], renamed("--negatives", "--background")] = (
        GeneSetSettings.background
    )


def genesets(
    *embeddings: Path,
    sets: Path,
    annotation: Annotated[Path, renamed("--annotation", "--genes")],
    output: Output,
    gene_map: Annotated[Path | None, renamed("--gene-map", "--identifiers")] = None,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """Measure how well gene embeddings predict membership in gene sets, chromosomes left out.

    Writes scores.parquet (AUROC and AUPRC of each set with intervals, nulls and permuted control), run.json
    and report.html.

    Parameters
    ----------
    embeddings
        Gene embeddings (.h5ad, .parquet, .tsv, .csv, word2vec text).
    sets
        A .gmt file, a list with one gene a line, or a folder of these.
    annotation
        Where genes lie: GTF, GFF3, BED or a table with a gene and a chromosome column (docs/formats/gene_places.md).
    gene_map
        Table between gene ids (HGNC, GTF), where sets and embeddings name genes differently.
    report
        Write figures and the HTML report.
    """
    scores = run_gene_sets(
        embeddings, sets, annotation, output, settings, identifiers=gene_map, seed=seed, threads=threads
    )
    medians = scores[scores["target"].str.startswith("median of")]
    for row in (medians if len(medians) else scores).itertuples():
        show(
            f"{row.embedding}: {row.target}, {row.stratum}: {row.metric.upper()} {row.value:.3f} "
            f"[{row.low:.3f}, {row.high:.3f}], permuted control {row.control_value:.3f}"
        )
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
