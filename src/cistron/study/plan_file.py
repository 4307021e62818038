"""The plan that a study keeps in its own folder, with paths relative to it."""

import json
import os
from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.study.plan import StudyPlan, plan_of

PLAN = "plan.json"


def stored_plan(folder: str | Path) -> StudyPlan:
    """The plan of a study that was run.

    Raises
    ------
    InputError
        If the folder is no study.
    """
    path = Path(folder) / PLAN
    if not path.is_file():
        raise InputError(f"{folder} is not a study (it has no {PLAN}); make one with 'cistron study run'")
    try:
        tables = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path} is not readable; run 'cistron study run' again") from error
    return plan_of(tables, Path(folder), f"the study in {Path(folder).name}")


def plan_as_tables(plan: StudyPlan, folder: Path) -> dict[str, Any]:
    """The plan as the tables of a study file whose paths are relative to the folder of the study."""

    def relative(path: Path) -> str:
        return os.path.relpath(path.absolute(), folder.absolute())

    own: dict[str, Any] = {"name": plan.name, "seed": plan.seed, "added": list(plan.added)}
    own["complementarity"] = list(plan.complementarity)
    own["gene_map"] = [relative(path) for path in plan.gene_map]
    for key in ("annotation", "covariates", "annotation_sets"):
        if getattr(plan, key) is not None:
            own[key] = relative(getattr(plan, key))
    embeddings: dict[str, Any] = {}
    for one in plan.embeddings:
        entry: dict[str, Any] = {"file": relative(one.file)} if one.file else {"combine": list(one.combine)}
        embeddings[one.name] = entry | ({"evidence": list(one.evidence)} if one.evidence else {})
    tasks: dict[str, Any] = {}
    for task in plan.tasks:
        entry = {"kind": task.kind.name}
        for key, paths in task.inputs.items():
            names = [relative(path) for path in paths]
            entry[key] = names if key in task.kind.lists else names[0]
        entry |= {
            key: list(value) if isinstance(value, tuple) else value for key, value in task.settings.items()
        }
        tasks[task.name] = entry | ({"evidence": list(task.evidence)} if task.evidence else {})
    tables = {"study": own, "embeddings": embeddings, "tasks": tasks}
    if plan.gene_files:
        tables["genes"] = {key: [relative(path) for path in paths] for key, paths in plan.gene_files.items()}
    return tables
