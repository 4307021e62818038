"""The folder that every task leaves: tables, scores.parquet and, last, run.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cistron.errors import InputError
from cistron.formats.scores import write_scores
from cistron.runtime.files import atomic_path, check_writable
from cistron.runtime.provenance import RunRecord


def require_folder(output: str | Path, inputs: Sequence[str | Path | None]) -> tuple[Path, list[Path]]:
    """Prove before the work that the folder can be written and that the inputs exist.

    Parameters
    ----------
    output
        Folder to write to.
    inputs
        Files or folders that will be read; ``None`` where an option was not given.

    Returns
    -------
    Path
        The folder.
    list of Path
        The inputs that were given.

    Raises
    ------
    InputError
        If the folder cannot be written or an input is absent.
    """
    output = Path(output)
    if output.is_file():
        raise InputError(f"cannot write to {output}: it is a file; give a folder")
    check_writable(output / "scores.parquet")
    files = [Path(path) for path in inputs if path is not None]
    for path in files:
        if not path.exists():
            raise InputError(f"{path} does not exist")
    return output, files


def write_folder(
    output: Path,
    record: RunRecord,
    scores: pd.DataFrame,
    *,
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
    warnings: Sequence[str],
    text: Sequence[str] = (),
) -> None:
    """Write ``NAME.parquet`` for each table that has rows, the scores, and the record last.

    A folder whose run.json is of the same run as its scores is therefore complete.

    Parameters
    ----------
    output
        Folder, which exists.
    record
        Record of the run, written as run.json.
    scores
        The scores table.
    tables
        Further tables by name; empty ones are not written.
    facts
        Results for run.json, by name.
    warnings
        Warnings for run.json.
    text
        Tables that are written as ``NAME.tsv`` too, for spreadsheets and R; ``scores`` is one.
    """
    for name, value in facts.items():
        record.record(name, value)
    for warning in warnings:
        record.warn(warning)
    for name, table in tables.items():
        path = output / f"{name}.parquet"
        if not len(table):
            path.unlink(missing_ok=True)  # of an earlier run
            continue
        with atomic_path(path) as partial:
            table.to_parquet(partial, index=False)
    write_scores(scores, output / "scores.parquet")
    for name in text:
        table, path = {**tables, "scores": scores}[name], output / f"{name}.tsv"
        if not len(table):
            path.unlink(missing_ok=True)
            continue
        with atomic_path(path) as partial:
            table.to_csv(partial, sep="\t", index=False)
    record.write(output / "run.json")
