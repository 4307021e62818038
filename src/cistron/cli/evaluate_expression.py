"""``cistron evaluate expression``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers
from cistron.evaluation.expression.settings import ExpressionSettings
from cistron.runtime import show


def expression(
    *predictions: Path,
    output: Output,
    annotation: Path | None = None,
    rivals: tuple[Path, ...] = (),
    settings: Annotated[ExpressionSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Compare predictions of expression for seen and unseen genes in seen and unseen cells.

    Correlations across genes within a cell, across cells within a gene, and with both means removed, each with an
    interval, a null, a permuted control, and paired differences between the files; with --annotation or --rivals the gain
    beyond trivial columns of genes. Writes scores.parquet,
    per_gene.parquet, per_cell.parquet, run.json, figures and report.html.

    Parameters
    ----------
    predictions
        Prediction files (.h5ad) of the same cells, genes and split; baselines and controls are files too.
    annotation
        Where genes lie (docs/formats/gene_places.md): gene density and length become trivial columns, from which unseen
        genes are predicted alone and beside each file.
    rivals
        Further trivial columns: a table with gene ids in the first column, or a gene embedding that carries level and
        breadth of expression.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.expression import run_expression

    scores = run_expression(
        predictions, output, settings, annotation=annotation, rivals=rivals, seed=seed, threads=threads
    )
    for line in _summary(scores):
        show(line)
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")


def _summary(scores) -> list[str]:  # type: ignore[no-untyped-def]  # a DataFrame; pandas loads late
    from cistron.evaluation.expression import headline, scored_strata

    shown = ("pearson_across_genes", "pearson_across_cells", "pooled_doubly_centred")
    first, stratum = headline(scores["stratum"].unique()), headline(scored_strata(scores))
    gains = tuple(f"gain_{metric}" for metric in shown)
    rows = scores[
        (scores["stratum"] == stratum) & scores["metric"].isin((*shown, *gains)) & scores["low"].notna()
    ]
    lines = [f"{stratum}:"]
    if stratum != first:
        lines.insert(
            0, f"{first}: no file predicts anything there (one-hot, gene-mean and nearest-type cannot)"
        )
    for row in rows.itertuples():
        control = (
            f", permuted genes {row.control_value:.3f}" if row.control_value == row.control_value else ""
        )
        name = row.metric.removeprefix("gain_").replace("_", " ")
        if row.metric in gains:
            name = f"gain beyond trivial columns in {name}"
        lines.append(
            f"  {row.embedding}, {row.target}: {name} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]{control}"
        )
    return lines
