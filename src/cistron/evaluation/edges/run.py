"""What ``cistron evaluate edges`` leaves in its folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.evaluation.edges.evaluate import EdgeEvaluation
from cistron.evaluation.result_folder import write_folder
from cistron.formats.edges import Edges
from cistron.runtime.provenance import RunRecord

DRAWN_EDGES = 200


def write_edge_evaluation(
    result: EdgeEvaluation, networks: Sequence[Edges], run: RunRecord, directory: str | Path
) -> None:
    """Write scores.parquet, calibration.parquet, effects.parquet, networks.parquet and run.json.

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
    )
