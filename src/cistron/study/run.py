"""Run a study: compute the cells that are missing, then put the table together."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cistron.errors import InputError
from cistron.formats.scores import write_scores
from cistron.runtime import RunRecord, say
from cistron.runtime.files import atomic_path, destination_of
from cistron.study.cells import Cell, cell_scores, cells_of, compute, read_cell, read_table
from cistron.study.gene_files import kind_of_file
from cistron.study.multiqc import write_multiqc
from cistron.study.plan import EmbeddingPlan, StudyPlan, read_plan
from cistron.study.plan_file import PLAN, plan_as_tables, stored_plan
from cistron.study.requests import ALL, COMMON
from cistron.study.rows import Row, make_rows
from cistron.study.summary import (
    complementarity_of,
    coverage_of,
    differences_of,
    mark_best,
    table_of,
)

COMMON_GENES, CELLS, ROWS, TASKS = "common_genes.txt", "cells", "rows", "tasks"


@dataclass(frozen=True)
class StudyResult:
    """What a study gives.

    Attributes
    ----------
    folder
        Where it lies.
    table
        One row a cell.
    differences
        Paired differences of embeddings.
    complementarity
        Gains of two embeddings over the better of both.
    coverage
        Genes and evidence of each row.
    computed, reused
        Cells that were computed now, and that were there.
    """

    folder: Path
    table: pd.DataFrame
    differences: pd.DataFrame
    complementarity: pd.DataFrame
    coverage: pd.DataFrame
    computed: int
    reused: int


def run_study(
    plan: StudyPlan | str | Path,
    folder: str | Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    new_common_genes: bool = False,
) -> StudyResult:
    """Compute what is missing of a study and write its tables.

    Parameters
    ----------
    plan
        The study, or its file.
    folder
        Folder of the study.
    workers, scheduler
        Local processes, or the address of a Dask scheduler; the result is the same.
    new_common_genes
        Take the genes that all embeddings cover anew. Otherwise those of the first run are kept, so that an embedding that is
        added later costs its own row only.

    Returns
    -------
    StudyResult
        Tables.

    Raises
    ------
    InputError
        If the study or one of its files is wrong, or no embedding could be scored on a task.
    """
    plan = plan if isinstance(plan, StudyPlan) else read_plan(plan)
    folder = destination_of(folder)  # a link to a folder that is not there yet is followed
    for name in (CELLS, ROWS, TASKS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    record = RunRecord("study run", _settings(plan), [], plan.seed)
    rows = make_rows(plan, folder / ROWS)
    common = _common_genes(rows, folder / COMMON_GENES, new_common_genes, record)
    cells = cells_of(plan, rows, folder, common)
    files = {cell.address: folder / CELLS / f"{cell.address}.json" for cell in cells}
    missing = sum(not path.exists() for path in files.values())
    compute(cells, folder / CELLS, workers=workers, scheduler=scheduler)
    found = {address: read_cell(path) for address, path in files.items()}
    _require_scored(cells, found)
    with atomic_path(folder / PLAN) as partial:
        partial.write_text(json.dumps(plan_as_tables(plan, folder), indent=1))
    differences = differences_of(cells, found)
    table = mark_best(table_of(cells, found), differences)
    together = complementarity_of(cells, found)
    coverage = coverage_of(cells, len(common.read_text().split()))
    said: set[str] = set()  # what holds of an embedding on every task is said once
    for cell in cells:
        for warning in found[cell.address].get("warnings", []):
            if cell.row.kind == "embedding" and warning not in said:
                said.add(warning)
                record.warn(f"{cell.task.name}: {warning}")
    _write(folder, table, differences, together, coverage)
    write_multiqc(folder, plan.name, table)
    _write_tasks(folder, plan, cells, found, record)
    record.record("cells", {"computed": missing, "reused": len(files) - missing})
    record.record("coverage", coverage.to_dict("records"))
    record.record("tasks", [{"task": task.name, "kind": task.kind.name} for task in plan.tasks])
    record.write(folder / "run.json")
    say(f"study: {missing:,} cells computed, {len(files) - missing:,} were there")
    return StudyResult(folder, table, differences, together, coverage, missing, len(files) - missing)


def add_to_study(
    folder: str | Path,
    embedding: str | Path,
    *,
    name: str | None = None,
    evidence: Sequence[str] = (),
    workers: int = 1,
    scheduler: str | None = None,
) -> StudyResult:
    """Add an embedding to a study that was run; only its row is computed. Or a file that the page of a gene shows.

    Parameters
    ----------
    folder
        Folder of the study.
    embedding
        File of the embedding, or of a kind of :data:`cistron.study.gene_files.GENE_FILES`, which its content tells.
    name
        Name of its row; that of the file when absent.
    evidence
        What it was made from, where its header does not say it.
    workers, scheduler
        As of :func:`run_study`.

    Raises
    ------
    InputError
        If the folder is no study, or the name is taken.
    """
    folder, embedding = Path(folder), Path(embedding)
    plan = stored_plan(folder)
    kind = kind_of_file(embedding) if embedding.exists() else None
    if kind is not None:
        if name is not None or evidence:
            raise InputError(
                f"{embedding.name} is of the kind {kind}, which the page of a gene shows; --name and --evidence are of embeddings"
            )
        return run_study(plan.with_gene_file(kind, embedding), folder, workers=workers, scheduler=scheduler)
    if embedding.is_dir():
        raise InputError(
            f"{embedding} is a folder, but none that a study takes: predicted tracks, an epigenesis map or a designed epigenome"
        )
    stem = embedding.name.split(".")[0]
    plan = plan.with_embedding(EmbeddingPlan(name or stem, embedding, (), tuple(evidence)))
    return run_study(plan, folder, workers=workers, scheduler=scheduler)


def _settings(plan: StudyPlan) -> dict[str, Any]:
    return {
        "embeddings": [one.name for one in plan.embeddings],
        "tasks": {task.name: {"kind": task.kind.name, **task.settings} for task in plan.tasks},
        "added": list(plan.added),
        "complementarity": list(plan.complementarity),
    }


def _common_genes(rows: Sequence[Row], path: Path, anew: bool, record: RunRecord) -> Path:
    own = [row for row in rows if row.kind == "embedding"]
    found = frozenset.intersection(*(row.genes for row in own))
    if path.exists() and not anew:
        kept = frozenset(path.read_text().split())
        for row in own:
            lacking = len(kept - row.genes)
            if lacking:
                record.warn(
                    f"{row.name} lacks {lacking:,} of the {len(kept):,} genes that the embeddings of the first run share; they are at the "
                    "baseline for it (--new-common-genes takes the shared genes anew, and computes every row again)"
                )
        return path
    if not found:
        raise InputError(
            "the embeddings of the study share no gene; convert them to one kind of ids with 'cistron genes map'"
        )
    with atomic_path(path) as partial:
        partial.write_text("\n".join(sorted(found)) + "\n")
    return path


def _require_scored(cells: Sequence[Cell], found: dict[str, dict[str, Any]]) -> None:
    """Raise where no embedding could be scored on a task: that is a wrong input, not a property of an embedding."""
    for task in dict.fromkeys(cell.task.name for cell in cells):
        own = [
            found[cell.address] for cell in cells if cell.task.name == task and cell.row.kind == "embedding"
        ]
        if all("problem" in one for one in own):
            raise InputError(f"task {task}: no embedding could be scored: {own[0]['problem']}")


def _write(folder: Path, *tables: pd.DataFrame) -> None:
    for name, table in zip(("table", "differences", "complementarity", "coverage"), tables):
        with atomic_path(folder / f"{name}.tsv") as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.6g")


def _write_tasks(
    folder: Path, plan: StudyPlan, cells: Sequence[Cell], found: dict[str, dict[str, Any]], record: RunRecord
) -> None:
    """A result folder a task, as ``cistron evaluate`` would leave it, on the genes of each embedding."""
    everything = []
    for task in plan.tasks:
        own = [
            cell
            for cell in cells
            if cell.task.name == task.name and cell.part == ALL and "problem" not in found[cell.address]
        ]
        own = [cell for cell in own if cell.row.kind != "together"]
        if not own:
            continue
        place = folder / TASKS / task.name
        place.mkdir(exist_ok=True)
        scores = pd.concat(
            [cell_scores(folder / CELLS, cell.address, record.run_id) for cell in own], ignore_index=True
        )
        scores["dataset"] = task.name
        keys = ["task", "dataset", "target", "embedding", "model", "metric", "stratum"]
        scores = scores.drop_duplicates(keys, ignore_index=True)
        everything.append(scores)
        write_scores(scores, place / "scores.parquet")
        for name in dict.fromkeys(name for cell in own for name in found[cell.address]["tables"]):
            parts = [
                read_table(folder / CELLS, cell.address, name)
                for cell in own
                if name in found[cell.address]["tables"] and cell.row.kind == "embedding"
            ]
            if parts:
                with atomic_path(place / f"{name}.parquet") as partial:
                    _joined(name, task.kind.name, parts).to_parquet(partial, index=False)
        facts = dict(found[own[0].address]["facts"])
        if "coverage" in facts:
            facts["coverage"] = [
                one for cell in own for one in found[cell.address]["facts"].get("coverage", [])
            ]
        if "bands" in facts:
            facts["bands"] = [one for cell in own for one in found[cell.address]["facts"].get("bands", [])]
        part = record.as_dictionary() | {"results": facts}
        part["warnings"] = list(
            dict.fromkeys(
                w for cell in own if cell.row.kind == "embedding" for w in found[cell.address]["warnings"]
            )
        )
        with atomic_path(place / "run.json") as partial:
            partial.write_text(json.dumps(part, indent=1, ensure_ascii=False) + "\n")
    whole = pd.concat(everything, ignore_index=True)
    write_scores(whole, folder / "scores.parquet")


def _joined(name: str, kind: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several embeddings as one: predictions of GWAS stand side by side, all others below each other."""
    if name != "predictions" or kind != "gwas":
        return pd.concat(parts, ignore_index=True)
    keys = ["gene", "symbol", "chromosome", "start", "trait", "z"]
    joined = parts[0]
    for part in parts[1:]:
        new = [column for column in part if column not in joined.columns]
        joined = joined.merge(part[["gene", "trait", *new]], on=["gene", "trait"], how="outer")
    return joined[[*keys, *(column for column in joined if column not in keys)]]


__all__ = ["ALL", "COMMON", "StudyResult", "add_to_study", "run_study", "stored_plan"]
