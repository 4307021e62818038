"""The variant task on files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.variants.evaluate import MpraSettings, evaluate_mpra
from cistron.evaluation.variants.inputs import read_measured, read_scored
from cistron.runtime import RunRecord, say


def run_mpra(
    scores: Sequence[str | Path],
    mpra: str | Path,
    output: str | Path,
    settings: MpraSettings | None = None,
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare tables of scores with a table of measured effects and write a result folder.

    Parameters
    ----------
    scores
        Tables of :func:`cistron.evaluation.variants.read_scored`; none scores the baselines alone.
    mpra
        Table of :func:`cistron.evaluation.variants.read_measured`.
    output
        Folder: ``scores.parquet``, ``predictions.parquet``, ``run.json``.
    settings
        Settings of the task.
    seed
        Seed.

    Returns
    -------
    DataFrame
        The scores table.
    """
    settings = settings or MpraSettings()
    folder, files = require_folder(output, [mpra, *scores])
    record = RunRecord("evaluate variants", asdict(settings), files, seed)
    tables = [read_scored(path) for path in scores]
    names = [one.name for one in tables]
    if len(set(names)) < len(names):
        raise InputError(
            f"two tables of scores are called {max(names, key=names.count)!r}; rename one of the files"
        )
    builds = {one.build for one in tables if one.build}
    if len(builds) > 1:
        raise InputError(
            f"the scores are of several genome builds: {' and '.join(sorted(builds))}; give tables of one build"
        )
    measured = read_measured(mpra, next(iter(builds), ""))
    result = evaluate_mpra(measured, tables, settings, seed=seed, run_id=record.run_id)
    for warning in result.warnings:
        say(warning)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"predictions": result.predictions},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores
