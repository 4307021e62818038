"""Run the task ``edges`` on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.edges.evaluate import EdgeEvaluation, evaluate_edges
from cistron.evaluation.edges.rows import EdgeEvaluationSettings
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.formats.edges import Edges, read_edges
from cistron.formats.perturbed_cells import ReadingSettings, read_screen
from cistron.runtime.provenance import RunRecord

DRAWN_EDGES = 200


def write_edge_evaluation(
    result: EdgeEvaluation, networks: Sequence[Edges], run: RunRecord, directory: str | Path
) -> None:
    """Write scores, calibration and effects as .parquet and .tsv, networks.parquet and run.json.

    ``networks.parquet`` keeps the strongest edges of each network, which is what the report draws.

    Parameters
    ----------
    result
        Of :func:`cistron.evaluation.edges.evaluate_edges`.
    networks
        What was scored.
    run
        Record of the run; written last, so that a folder with run.json is complete.
    directory
        Folder to write to.
    """
    strongest = pd.concat(
        [network.table.head(DRAWN_EDGES).assign(network=network.name) for network in networks if len(network)]
        or [pd.DataFrame()],
        ignore_index=True,
    )
    described = [
        {
            "name": network.name,
            "method": network.method,
            "edges": len(network),
            "identifier_namespace": network.identifier_namespace,
            "parameters": dict(network.parameters),
        }
        for network in networks
    ]
    write_folder(
        Path(directory),
        run,
        result.scores,
        tables={"calibration": result.calibration, "effects": result.effects, "networks": strongest},
        facts={"networks": described},
        warnings=result.warnings,
        text=("scores", "calibration", "effects"),
    )


def run_edges(
    networks: Sequence[str | Path],
    output: str | Path,
    settings: EdgeEvaluationSettings | None = None,
    *,
    cells: str | Path | None = None,
    truth: str | Path | None = None,
    references: Sequence[str | Path] = (),
    undirected_references: Sequence[str | Path] = (),
    reading: ReadingSettings | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Score edge tables and write the folder of :func:`write_edge_evaluation`.

    Parameters
    ----------
    networks
        Edge tables.
    output
        Folder to write to.
    settings
        Settings of the task.
    cells
        Perturbed cells, of which a part is held out.
    truth
        Known network.
    references, undirected_references
        Collections of directed and of undirected pairs.
    reading
        How the cells are read.
    seed
        Of resampling and of the random network.

    Returns
    -------
    DataFrame
        The scores.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings, reading = settings or EdgeEvaluationSettings(), reading or ReadingSettings()
    if not networks:
        raise InputError("no network was given; name at least one edge table")
    given = (*networks, cells, *reading.files, truth, *references, *undirected_references)
    output, files = require_folder(output, given)
    record = RunRecord("evaluate edges", settings, files, seed)
    tables = [read_edges(path) for path in networks]
    collections = [(path, True) for path in references] + [(path, False) for path in undirected_references]
    result = evaluate_edges(
        tables,
        cells=None if cells is None else read_screen(cells, reading),
        truth=None if truth is None else read_edges(truth),
        references=[(read_edges(path), directed) for path, directed in collections],
        settings=settings,
        seed=seed,
        run_id=record.run_id,
    )
    write_edge_evaluation(result, tables, record, output)
    return result.scores
