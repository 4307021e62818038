"""Held-out predictions of every model, in shards that are never redone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.regressors import REGRESSORS, predict
from cistron.evaluation.gwas.tasks import Task
from cistron.evaluation.gwas.variants import Variant, can_be_fitted, variant_problem, variant_rows
from cistron.runtime.shards import run_shards

Predicted = dict[Variant, np.ndarray]


def _fit_shard(
    path: Path,
    task: Task,
    variant: Variant,
    traits: tuple[int, ...],
    embeddings: list[Scored],
    model: str,
    settings: Any,
    seed: int,
    threads: int,
) -> None:
    problem = variant_problem(task, variant, embeddings, traits, seed)
    with path.open("wb") as handle:
        np.save(
            handle, predict(problem, model, settings, seed, threads).astype(np.float32), allow_pickle=False
        )


def _chunks(traits: int, size: int | None) -> Iterator[tuple[int, ...]]:
    size = size or traits
    for start in range(0, traits, size):
        yield tuple(range(start, min(start + size, traits)))


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def predict_all(
    tasks: list[Task],
    embeddings: list[Scored],
    listed: list[Variant],
    *,
    model: str,
    settings: Any,
    seed: int,
    directory: Path,
    workers: int,
    threads: int,
    scheduler: str | None,
) -> list[Predicted]:
    """Fit every variant on every design.

    Parameters
    ----------
    tasks, embeddings
        What is fitted.
    listed
        The models.
    model, settings
        Name of the regressor and its settings.
    seed
        Seed of controls and trees.
    directory
        Folder of finished shards.
    workers, threads, scheduler
        Local processes, threads of each, or the address of a Dask scheduler.

    Returns
    -------
    list of dict
        For each design, predictions of each variant over its rows (:func:`variant_rows`), float32 [row, trait].
        A variant with too few genes is absent. Null models on the same genes are fitted once.
    """
    size = REGRESSORS.find(model).traits_per_shard
    shards: dict[str, dict[str, Any]] = {}
    pieces: dict[tuple[int, Variant], list[str]] = {}
    for number, task in enumerate(tasks):
        fitted_nulls: dict[tuple[str, bytes], list[str]] = {}
        for variant in listed:
            rows, _ = variant_rows(task, variant, embeddings)
            if not can_be_fitted(variant, rows):
                continue
            key = (variant.null, rows.tobytes())
            if variant.kind == "null" and key in fitted_nulls:
                pieces[number, variant] = fitted_nulls[key]
                continue
            names = []
            for chunk in _chunks(len(task.design.traits), size):
                name = _file_name(f"design{number}-{variant.label}-traits{chunk[0]}-{chunk[-1]}")
                names.append(name)
                shards[name] = {
                    "task": task,
                    "variant": variant,
                    "traits": chunk,
                    "embeddings": embeddings,
                    "model": model,
                    "settings": settings,
                    "seed": seed,
                    "threads": threads,
                }
            pieces[number, variant] = names
            if variant.kind == "null":
                fitted_nulls[key] = names
    paths = run_shards(
        _fit_shard,
        shards,
        directory,
        suffix=".npy",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description=f"fitting {model}",
    )
    loaded = {name: np.load(path, allow_pickle=False) for name, path in paths.items()}
    results: list[Predicted] = [{} for _ in tasks]
    for (number, variant), names in pieces.items():
        parts = [loaded[name] for name in names]
        results[number][variant] = parts[0] if len(parts) == 1 else np.hstack(parts)
    return results


def fill_missing(
    task: Task, variant: Variant, embeddings: list[Scored], predicted: Predicted, null: Variant, rule: str
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions over all genes of a null model, some of which the embedding does not cover.

    Genes without an embedding get the mean z-score of the training chromosomes (``mean``, the published rule)
    or the prediction of the null model (``null``).

    Parameters
    ----------
    task
        The traits.
    variant
        Full model of an embedding.
    embeddings
        All embeddings of the run.
    predicted
        Predictions of this design.
    null
        Null model on all genes.
    rule
        ``mean`` or ``null``.

    Returns
    -------
    ndarray
        Predictions, float64 [row, trait], on the rows of ``null``.
    ndarray
        Which of these rows the embedding covers, bool [row].
    """
    every, _ = variant_rows(task, null, embeddings)
    rows, _ = variant_rows(task, variant, embeddings)
    covered = np.isin(every, rows)
    if rule == "null":
        filled = predicted[null].copy()
    else:
        z, folds = task.design.z[every], task.folds[every]
        filled = np.empty_like(predicted[null])
        for fold in np.unique(folds):
            filled[folds == fold] = z[folds != fold].mean(axis=0)
    if variant in predicted:
        filled[covered] = predicted[variant]
    else:
        covered[:] = False
    return filled, covered
