"""``cistron evaluate genesets``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers, renamed
from cistron.evaluation.genesets.settings import GeneSetSettings
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
    rivals: tuple[Path, ...] = (),
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = 1,
) -> None:
    """Measure how well gene embeddings predict membership in gene sets, chromosomes left out.

    Writes scores.parquet (AUROC and AUPRC of each set with intervals, nulls and permuted control, the same of
    trivial columns, and the gain beyond these), run.json and report.html.

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
    rivals
        Further trivial columns that an embedding must beat: a table with gene ids in the first column and a column of
        numbers each (publications, GC content), or a gene embedding that carries level and breadth. Density, length, exons, transcripts, and level and breadth of expression are taken
        from the places and from the embedding, as far as these have them.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.genesets import run_gene_sets

    scores = run_gene_sets(
        embeddings,
        sets,
        annotation,
        output,
        settings,
        identifiers=gene_map,
        rivals=rivals,
        seed=seed,
        threads=threads,
    )
    medians = scores[scores["target"].str.startswith("median of")]
    for row in (medians if len(medians) else scores).itertuples():
        gain = row.metric.startswith("gain_")
        metric = row.metric.removeprefix("gain_").upper()
        what = (
            f"gain in {metric} beyond trivial columns {row.value:+.3f}"
            if gain
            else f"{metric} {row.value:.3f}"
        )
        control = "" if gain else f", permuted control {row.control_value:.3f}"
        show(f"{row.embedding}: {row.target}, {row.stratum}: {what} [{row.low:.3f}, {row.high:.3f}]{control}")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
