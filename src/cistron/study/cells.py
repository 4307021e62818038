"""The cells of the table: each is addressed by the hash of its inputs and settings, and computed once."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import CistronError
from cistron.formats.scores import score_frame
from cistron.runtime import run_shards, sha256_of
from cistron.runtime.files import atomic_path
from cistron.study.kinds import KINDS
from cistron.study.plan import StudyPlan, TaskPlan
from cistron.study.requests import ALL, COMMON, Outcome, Request
from cistron.study.rows import Row

VERSION = 4  # a change to what a cell computes raises this, so that older cells are not taken for new ones


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Attributes
    ----------
    row, task, part
        Where it stands.
    address
        Hash of everything that decides its content.
    request
        What is computed.
    """

    row: Row
    task: TaskPlan
    part: str
    address: str
    request: Request


def cells_of(plan: StudyPlan, rows: Sequence[Row], folder: Path, common: Path) -> list[Cell]:
    """Every cell that a study consists of.

    Parameters
    ----------
    plan, rows
        The study and its rows.
    folder
        Folder of the study.
    common
        List of the common genes.
    """
    shared = frozenset(common.read_text().split("\n")) - {""}
    files = {path for task in plan.tasks for paths in task.inputs.values() for path in paths}
    files |= {path for path in (plan.annotation, plan.covariates, *plan.gene_map) if path is not None}
    digests = {path: sha256_of(path) for path in files}
    made = []
    for task in plan.tasks:
        settings = {**task.kind.defaults, **task.settings}
        for row in rows:
            if row.kind == "together" and task.name not in plan.complementarity:
                continue
            for part in (COMMON,) if row.kind == "together" else (COMMON, ALL):
                address = _address(plan, task, row, part, shared, settings, digests)
                request = Request(
                    task.name,
                    task.kind.name,
                    {
                        key: tuple(str(path.absolute()) for path in paths)
                        for key, paths in task.inputs.items()
                    },
                    settings,
                    str(row.file.absolute()),
                    part,
                    str(common.absolute()) if part == COMMON else None,
                    None if plan.annotation is None else str(plan.annotation.absolute()),
                    tuple(str(path.absolute()) for path in plan.gene_map),
                    None if plan.covariates is None else str(plan.covariates.absolute()),
                    plan.seed,
                    "",
                )
                made.append(Cell(row, task, part, address, request))
    return made


def _address(
    plan: StudyPlan,
    task: TaskPlan,
    row: Row,
    part: str,
    shared: frozenset[str],
    settings: Mapping[str, Any],
    digests: Mapping[Path, str],
) -> str:
    content = {
        "version": VERSION,
        "kind": task.kind.name,
        "settings": settings,
        "inputs": {key: [digests[path] for path in paths] for key, paths in task.inputs.items()},
        "row": [row.name, row.digest],
        "part": part,
        "common": sorted(shared) if part == COMMON else [],
        "annotation": None if plan.annotation is None else digests[plan.annotation],
        "covariates": None if plan.covariates is None else digests[plan.covariates],
        "gene_map": [digests[path] for path in plan.gene_map],
        "seed": plan.seed,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


def compute(
    cells: Sequence[Cell], folder: Path, *, workers: int = 1, scheduler: str | None = None
) -> dict[str, Path]:
    """Compute the cells that are not there yet, in processes or on a Dask cluster.

    Parameters
    ----------
    cells
        Cells.
    folder
        Folder of the cells, ``ADDRESS.json`` each, with its tables beside it.
    workers, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    dict of str to Path
        File of each address.
    """
    shards = {
        cell.address: {
            "text": json.dumps(asdict(cell.request)),
            "folder": str(folder.absolute()),
            "address": cell.address,
        }
        for cell in cells
    }
    return run_shards(
        compute_cell,
        shards,
        folder,
        suffix=".json",
        workers=workers,
        scheduler=scheduler,
        description="cells of the table",
    )


def compute_cell(path: Path, text: str, folder: str, address: str) -> None:
    """Compute one cell and write it; an input that this embedding cannot be scored on is written as the reason.

    Parameters
    ----------
    path
        File to write.
    text
        The request as JSON text, so that it travels to any worker by itself.
    folder
        Folder of the cells, for its tables.
    address
        Address of the cell.
    """
    given = json.loads(text)
    working = tempfile.mkdtemp(prefix="cistron-study-")
    try:
        given["inputs"] = {key: tuple(paths) for key, paths in given["inputs"].items()}
        request = Request(**{**given, "gene_map": tuple(given["gene_map"]), "working": working})
        try:
            outcome: Outcome = KINDS[request.kind].function()(request)
        except CistronError as error:
            Path(path).write_text(json.dumps({"problem": str(error)}))
            return
        for name, table in {"scores": outcome.scores, **outcome.tables}.items():
            with atomic_path(Path(folder) / f"{address}.{name}.parquet") as partial:
                table.to_parquet(partial, index=False)
        kept = {
            **{
                name: getattr(outcome, name)
                for name in ("value", "low", "high", "null", "control", "p_value", "metric", "unit", "n")
            },
            "beyond": [None if part != part else part for part in outcome.beyond],
            "draws": np.asarray(outcome.draws, dtype=np.float64).round(7).tolist(),
            "tables": sorted(outcome.tables),
            "facts": outcome.facts,
            "warnings": outcome.warnings,
        }
        Path(path).write_text(json.dumps(kept, default=_plain))
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def read_cell(path: Path) -> dict[str, Any]:
    """What a cell holds, without its tables."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def read_table(folder: Path, address: str, name: str) -> pd.DataFrame:
    """A table of a cell.

    Parameters
    ----------
    folder
        Folder of the cells.
    address, name
        Address of the cell and name of its table.
    """
    return pd.read_parquet(folder / f"{address}.{name}.parquet")


def cell_scores(folder: Path, address: str, run_id: str) -> pd.DataFrame:
    """Scores of a cell under the run that puts the study together.

    Parameters
    ----------
    folder
        Folder of the cells.
    address
        Address of the cell.
    run_id
        Identifier of the run.
    """
    frame = read_table(folder, address, "scores")
    frame["run_id"] = run_id
    return score_frame(frame.replace({np.nan: None}).to_dict("records"))
