"""``cistron evaluate pairs``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.evaluation.pairs.settings import PairSettings
from cistron.runtime import show


def pairs(
    *embeddings: Path,
    pairs: Path,
    output: Output,
    annotation: Path | None = None,
    rivals: tuple[Path, ...] = (),
    gene_map: tuple[Path, ...] = (),
    genes: Path | None = None,
    settings: Annotated[PairSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = 1,
) -> None:
    """Measure how well gene embeddings predict a property of two genes, no gene of a scored pair being fitted on.

    Writes scores.parquet (AUROC, and the gain beyond trivial columns), folds.parquet (pairs and genes that the figures rest on), run.json and report.html.

    Parameters
    ----------
    embeddings
        Gene embeddings (.h5ad, .parquet, .tsv, .csv, word2vec text).
    pairs
        Table with columns gene_a, gene_b and label (0 or 1; without it all are positives), and where folds are given outer0,
        outer1, ... with train, test or nothing.
    annotation
        Where genes lie (GTF, GFF3, BED or a table); density and length of genes are then among the trivial columns.
    rivals
        Tables of further trivial columns (gene ids first, one numeric column each), or an embedding that carries level and breadth of
        expression. They are scored as a row of their own, and every embedding beside them.
    gene_map
        Tables between gene ids (HGNC, GTF), where pairs and embeddings name genes differently.
    genes
        List of genes, in the ids of the pairs; pairs with others are left out.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.pairs import run_pairs

    result = run_pairs(
        embeddings,
        pairs,
        output,
        settings,
        annotation=annotation,
        rivals=rivals,
        gene_map=gene_map,
        genes=genes,
        seed=seed,
        threads=threads,
    )
    bands = {(band["embedding"], band["model"]): band for band in result.facts["bands"]}
    for row in result.scores.itertuples():
        if row.metric == "gain_auroc":
            show(
                f"{row.embedding}, {row.model}: gain beyond trivial columns {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
            )
            continue
        band = bands.get((row.embedding, row.model))
        chance = f", random embeddings {band['low']:.3f} to {band['high']:.3f}" if band else ""
        control = f", permuted {row.control_value:.3f}" if row.control_value == row.control_value else ""
        show(
            f"{row.embedding}, {row.model}: AUROC {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]{control}{chance}"
        )
    facts = result.facts
    show(f"{facts['positives']:,} positives of {facts['positive_genes']:,} genes in {facts['folds']} folds")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
