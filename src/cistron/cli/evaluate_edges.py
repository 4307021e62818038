"""``cistron evaluate edges``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Seed, Workers, renamed
from cistron.cli.perturbed_cells import Reading
from cistron.cli.running import InCloud
from cistron.evaluation.edges.settings import EdgeEvaluationSettings
from cistron.methods import OpenShare
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(EdgeEvaluationSettings):
    __doc__ = EdgeEvaluationSettings.__doc__
    level: Annotated[OpenShare, renamed("--test-level", "--level")] = EdgeEvaluationSettings.level


def edges(
    *networks: Path,
    output: Output,
    cells: Annotated[Path | None, InCloud()] = None,
    truth: Path | None = None,
    reference: tuple[Path, ...] = (),
    undirected_reference: tuple[Path, ...] = (),
    reading: Reading = None,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Score gene networks on held-out perturbed cells, a known network, and collections of interactions.

    Writes scores, calibration and effects (each as .parquet and .tsv), networks.parquet, run.json and report.html. A random
    network of the same size is scored beside the given ones.

    Parameters
    ----------
    networks
        Edge tables: source, target, weight[, sign, probability, direct].
    cells
        Perturbed cells (.h5ad, .zarr, .h5mu, 10x .h5, or CausalBench's .npz); 20% of them score the networks.
    truth
        Known network: a table with source, target[, sign].
    reference
        Collections of directed pairs, for example ChIP-Atlas (.csv, .tsv, also .gz and .xz).
    undirected_reference
        Collections of undirected pairs, for example CORUM or STRING.
    report
        Write figures and the HTML report.
    """
    from cistron.evaluation.edges import run_edges

    scores = run_edges(
        networks,
        output,
        settings or _Settings(),
        cells=cells,
        truth=truth,
        references=reference,
        undirected_references=undirected_reference,
        reading=reading,
        seed=seed,
    )
    for line in _summary(scores):
        show(line)
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"scores: {output / 'scores.parquet'}")


def _summary(scores) -> list[str]:  # type: ignore[no-untyped-def]  # a DataFrame; pandas loads late
    shown = ("auprc", "wasserstein_excess", "enrichment", "sign_accuracy", "calibration_error")
    lines = []
    for row in scores[scores["metric"].isin(shown)].itertuples():
        interval = f" [{row.low:.3f}, {row.high:.3f}]" if row.low == row.low else ""
        lines.append(f"{row.embedding}: {row.target}: {row.metric} {row.value:.3f}{interval}")
    return lines
