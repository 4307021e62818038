"""The enhancer task on files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from cistron.evaluation.enhancers.evaluate import EnhancerSettings, evaluate_enhancers
from cistron.evaluation.enhancers.predictors import read_predictors
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.formats.enhancer_pairs import read_pairs
from cistron.runtime import RunRecord, say


def run_enhancers(
    scores: Sequence[str | Path],
    pairs: str | Path,
    output: str | Path,
    settings: EnhancerSettings | None = None,
    *,
    score_column: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Score tables of predictions on tested pairs and write a result folder.

    Parameters
    ----------
    scores
        Tables of :func:`cistron.evaluation.enhancers.read_predictors`; none scores the baselines alone.
    pairs
        Table of :func:`cistron.evaluation.enhancers.read_pairs`.
    output
        Folder: ``scores.parquet``, ``curves.parquet``, ``run.json``.
    settings
        Settings of the task.
    score_column
        Column of the score in tables that name it otherwise.
    seed
        Seed.

    Returns
    -------
    DataFrame
        The scores table.
    """
    settings = settings or EnhancerSettings()
    folder, files = require_folder(output, [pairs, *scores])
    record = RunRecord("evaluate enhancers", asdict(settings) | {"score_column": score_column}, files, seed)
    tested = read_pairs(pairs, settings.distance_by)
    predictors = read_predictors(scores, tested, settings.aggregate, score_column)
    result = evaluate_enhancers(tested, predictors, settings, seed=seed, run_id=record.run_id)
    for warning in result.warnings:
        say(warning)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"curves": result.curves},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores
