"""Run the expression task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.expression.alignment import align
from cistron.evaluation.expression.evaluate import ExpressionSettings, evaluate_expression
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.runtime.provenance import RunRecord
from cistron.runtime.threads import limit_threads


def run_expression(
    predictions: Sequence[str | Path],
    output: str | Path,
    settings: ExpressionSettings | None = None,
    *,
    seed: int = 0,
    threads: int | None = None,
) -> pd.DataFrame:
    """Score prediction files and write scores, correlations of genes and cells, and ``run.json``.

    Parameters
    ----------
    predictions
        Files of the prediction format.
    output
        Folder to write to.
    settings
        Settings of the task.
    seed, threads
        How the work runs.

    Returns
    -------
    DataFrame
        The scores.

    Raises
    ------
    InputError
        If an input cannot be used.
    """
    settings = settings or ExpressionSettings()
    if not predictions:
        raise InputError("no prediction was given; name at least one file")
    if len({Path(path).resolve() for path in predictions}) < len(predictions):
        raise InputError("a prediction file was given twice; name each once")
    folder, files = require_folder(output, predictions)
    aligned = align(files, shared=settings.shared)
    record = RunRecord("evaluate expression", settings, files, seed)
    with limit_threads(threads) as cores:
        result = evaluate_expression(aligned, settings, seed=seed, run_id=record.run_id, threads=cores)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"per_gene": result.per_gene, "per_cell": result.per_cell},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores
