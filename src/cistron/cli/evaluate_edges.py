"""``cistron evaluate edges``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import (
    ControlLabel,
    GeneColumn,
    Layer,
    Modality,
    Output,
    Perturbation,
    Scale,
    Seed,
    renamed,
)
from cistron.evaluation.edge_rows import EdgeEvaluationSettings
from cistron.methods import OpenShare
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(EdgeEvaluationSettings):
    __doc__ = EdgeEvaluationSettings.__doc__
    level: Annotated[OpenShare, renamed("--test-level", "--level")] = EdgeEvaluationSettings.level


def edges(
    *networks: Path,
    output: Output,
    cells: Path | None = None,
    truth: Path | None = None,
    reference: tuple[Path, ...] = (),
    undirected_reference: tuple[Path, ...] = (),
    perturbation: Perturbation = "perturbation",
    control: ControlLabel = "non-targeting",
    layer: Layer = None,
    gene_column: GeneColumn = None,
    modality: Modality = None,
    scale: Scale = "auto",
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
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
        Perturbed cells (.h5ad, .zarr, .h5mu and others, or CausalBench's .npz); 20% of them are held out.
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
    from cistron.formats.perturbed_cells import read_perturbed_cells
    from cistron.runtime import RunRecord, check_writable

    if not networks:
        raise InputError("no network was given; name at least one edge table")
    check_writable(output / "run.json")
    settings = settings or _Settings()
    collections = [(path, True) for path in reference] + [(path, False) for path in undirected_reference]
    inputs = [*networks, *(path for path in (cells, truth) if path), *(path for path, _ in collections)]
    absent = [path for path in inputs if not path.exists()]
    if absent:
        raise InputError(f"{absent[0]} does not exist")
    run = RunRecord("evaluate edges", settings, inputs, seed)
    tables = [read_edges(path) for path in networks]
    data = (
        None
        if cells is None
        else read_perturbed_cells(
            cells,
            perturbation=perturbation,
            control=control,
            layer=layer,
            scale=scale,
            gene_column=gene_column,
            modality=modality,
        )
    )
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
