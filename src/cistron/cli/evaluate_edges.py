"""``cistron evaluate edges``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cistron.cli.options import Output, Seed
from cistron.evaluation.edge_rows import EdgeEvaluationSettings
from cistron.formats.perturbed_cells import ReadingSettings
from cistron.runtime import show


def edges(
    *networks: Path,
    output: Output,
    cells: Path | None = None,
    truth: Path | None = None,
    reference: tuple[Path, ...] = (),
    undirected_reference: tuple[Path, ...] = (),
    reading: Annotated[ReadingSettings | None, Parameter(name="*", group=Group("Cells", sort_key=10))] = None,
    settings: Annotated[EdgeEvaluationSettings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
) -> None:
    """Score gene networks on held-out perturbed cells, a known network, and collections of interactions.

    Writes scores.parquet, calibration.parquet, effects.parquet, networks.parquet, run.json and report.html. A random network
    of the same size is scored beside the given ones.

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
    from cistron.errors import InputError
    from cistron.evaluation.edges import evaluate_edges
    from cistron.evaluation.edges_output import write_edge_evaluation
    from cistron.formats.edges import read_edges
    from cistron.runtime import RunRecord, check_writable

    if not networks:
        raise InputError("no network was given; name at least one edge table")
    check_writable(output / "run.json")
    settings = settings or EdgeEvaluationSettings()
    collections = [(path, True) for path in reference] + [(path, False) for path in undirected_reference]
    inputs = [*networks, *(path for path in (cells, truth) if path), *(path for path, _ in collections)]
    absent = [path for path in inputs if not path.exists()]
    if absent:
        raise InputError(f"{absent[0]} does not exist")
    run = RunRecord("evaluate edges", settings, inputs, seed)
    tables = [read_edges(path) for path in networks]
    data = None if cells is None else (reading or ReadingSettings()).read(cells)
    result = evaluate_edges(
        tables,
        cells=data,
        truth=None if truth is None else read_edges(truth),
        references=[(read_edges(path), directed) for path, directed in collections],
        settings=settings,
        seed=seed,
        run_id=run.run_id,
    )
    write_edge_evaluation(result, tables, run, output)
    for line in _summary(result.scores):
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
