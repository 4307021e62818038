"""Run the expression task on files and write its result folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.expression.alignment import align
from cistron.evaluation.expression.evaluate import ExpressionSettings, evaluate_expression
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.rivals import read_rivals
from cistron.genes.places import read_gene_places
from cistron.runtime.provenance import RunRecord
from cistron.runtime.threads import limit_threads


def run_expression(
    predictions: Sequence[str | Path],
    output: str | Path,
    settings: ExpressionSettings | None = None,
    *,
    annotation: str | Path | None = None,
    rivals: Sequence[str | Path] = (),
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
    annotation
        Where genes lie (:func:`cistron.genes.places.read_gene_places`), for trivial columns.
    rivals
        Further trivial columns: tables, or gene embeddings that carry level and breadth of expression.
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
    folder, files = require_folder(output, (*predictions, annotation, *rivals))
    aligned = align(files[: len(predictions)], shared=settings.shared)
    trivial = None
    if annotation is not None or rivals:
        places = None if annotation is None else read_gene_places(annotation)
        trivial = read_rivals(places, *rivals)
        trivial.require(aligned.genes.index, "the predictions")
    record = RunRecord("evaluate expression", settings, files, seed)
    with limit_threads(threads) as cores:
        result = evaluate_expression(
            aligned, settings, rivals=trivial, seed=seed, run_id=record.run_id, threads=cores
        )
    write_folder(
        folder,
        record,
        result.scores,
        tables={"per_gene": result.per_gene, "per_cell": result.per_cell, "per_type": result.per_type},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores
