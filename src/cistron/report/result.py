"""Read a result folder: ``scores.parquet``, ``run.json`` and, where the task writes them, further tables."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cistron.errors import InputError
from cistron.formats.scores import read_scores

_NEEDED = ("run_id", "command", "cistron_version", "started", "seed", "settings", "inputs", "results")


@dataclass(frozen=True)
class Result:
    """One result folder, read and checked.

    Attributes
    ----------
    folder
        Where it lies.
    task
        The one task that its scores are of.
    scores
        Scores table (``docs/formats/scores.md``).
    run
        Content of ``run.json``.
    """

    folder: Path
    task: str
    scores: pd.DataFrame
    run: dict[str, Any]

    @property
    def results(self) -> dict[str, Any]:
        """Facts that the run recorded (``RunRecord.record``)."""
        return dict(self.run["results"])

    def table(self, name: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame | None:
        """Read a further table of the folder, or ``None`` where the run wrote none.

        Parameters
        ----------
        name
            File name.
        text, numbers
            Columns that it must have; those of text are read as categories.

        Raises
        ------
        InputError
            If the file is broken or lacks a column.
        """
        path = self.folder / name
        if not path.exists():
            return None
        try:
            present = pq.read_schema(path).names
            absent = [column for column in (*text, *numbers) if column not in present]
            if absent:
                raise InputError(f"{path} has no column {absent[0]!r}; run 'cistron evaluate' again")
            return pq.read_table(path, read_dictionary=list(text)).to_pandas()
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path} is not a readable table; run 'cistron evaluate' again") from error


def read_result(folder: str | Path) -> Result:
    """Read the scores and the run record of a folder and check that they belong together.

    Parameters
    ----------
    folder
        Output folder of ``cistron evaluate TASK``.

    Raises
    ------
    InputError
        If the folder, its scores or its record are absent or broken, if it holds the scores of several runs or
        tasks, or if scores and record are of different runs.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the output folder of 'cistron evaluate'")
    if not (folder / "scores.parquet").is_file():
        raise InputError(f"{folder} has no scores.parquet; give the output folder of 'cistron evaluate'")
    scores = read_scores(folder / "scores.parquet")
    if scores.empty:
        raise InputError(f"{folder / 'scores.parquet'} has no rows; run 'cistron evaluate' again")
    run = _read_run(folder / "run.json")
    runs = sorted(set(scores["run_id"]))
    if len(runs) > 1:
        raise InputError(
            f"{folder / 'scores.parquet'} mixes the scores of {len(runs)} runs ({', '.join(runs[:3])}); "
            "keep one run a folder and give several folders"
        )
    if runs[0] != run["run_id"]:
        raise InputError(
            f"{folder}: scores.parquet is of run {runs[0]}, run.json of run {run['run_id']}; "
            "they do not belong together, run 'cistron evaluate' again"
        )
    tasks = sorted(set(scores["task"]))
    if len(tasks) > 1:
        raise InputError(f"{folder} mixes the tasks {', '.join(tasks)}; keep one task a folder")
    return Result(folder, str(tasks[0]), scores, run)


def _read_run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path.parent} has no run.json; give the output folder of 'cistron evaluate'")
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not readable JSON; run 'cistron evaluate' again") from error
    absent = [key for key in _NEEDED if not isinstance(run, dict) or key not in run]
    if absent:
        raise InputError(f"{path} is not a run record: it has no {absent[0]!r}; run 'cistron evaluate' again")
    return run
