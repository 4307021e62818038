"""``cistron evaluate enhancers``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Seed
from cistron.evaluation.enhancers.settings import EnhancerSettings
from cistron.runtime import show


def enhancers(
    *scores: Path,
    pairs: Path,
    output: Output,
    score_column: str | None = None,
    settings: Annotated[EnhancerSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
) -> None:
    """Measure how well scores tell enhancers of a gene from elements that do nothing to it, beside their distance.

    Writes scores.parquet (average precision by distance and cell type with intervals, nulls and control), curves.parquet, run.json and
    report.html.

    Parameters
    ----------
    scores
        Tables of predictions: 'contributions.tsv' of 'cistron sequence enhancers', or anybody's table with name and score, or with
        coordinates, gene and score. None scores the distance alone.
    pairs
        Tested pairs with the columns of the CRISPR benchmark: chrom, chromStart, chromEnd, measuredGeneSymbol, Regulated, and where
        there are ValidConnection, CellType, distanceToTSS or startTSS.
    score_column
        Column of the score in tables that name it otherwise than score; higher means more likely.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.enhancers import run_enhancers

    found = run_enhancers(scores, pairs, output, settings, score_column=score_column, seed=seed)
    rows = found[(found["metric"] == "average_precision") & (found["stratum"] == "all")]
    for row in rows.itertuples():
        control = (
            ""
            if row.control_value is None or row.control_value != row.control_value
            else f", permuted at like distance {row.control_value:.3f}"
        )
        show(f"{row.embedding}: average precision {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]{control}")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")
