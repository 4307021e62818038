"""Held-out predictions of every model variant: the null, each embedding, and its negative controls."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cistron.evaluation.gwas.coverage import MINIMUM_GENES, Scored
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.regressors import REGRESSORS, predict
from cistron.evaluation.gwas.traits import TraitDesign
from cistron.runtime.shards import run_shards
from cistron.statistics import permute_within, shift_within

NULL = "null"
CONTROLS = ("permuted", "shifted")


@dataclass(frozen=True)
class Task:
    """A design with its null problem.

    Attributes
    ----------
    design
        Traits and genes.
    problem
        Problem without features over all genes of the design.
    covariates
        Names of the covariates.
    """

    design: TraitDesign
    problem: Problem
    covariates: tuple[str, ...]
    _subsets: dict[bytes, Problem] = field(default_factory=dict, compare=False, repr=False)

    def on(self, rows: np.ndarray) -> Problem:
        """The problem on some of the genes; the decomposition of their covariance is made once and kept."""
        if len(rows) == len(self.problem.z):
            return self.problem
        key = rows.tobytes()
        if key not in self._subsets:
            self._subsets[key] = self.problem.select(rows)
        return self._subsets[key]


@dataclass(frozen=True)
class Variant:
    """One model: the null, an embedding, or a control of an embedding.

    Attributes
    ----------
    kind
        ``null``, ``full``, ``permuted`` or ``shifted``.
    embedding
        Number of the embedding, -1 for the null.
    draw
        Draw of a control.
    """

    kind: str
    embedding: int = -1
    draw: int = 0

    @property
    def label(self) -> str:
        """Name in files."""
        return self.kind if self.kind == NULL else f"{self.kind}-{self.embedding}-{self.draw}"


def variants(embeddings: int, controls: int) -> list[Variant]:
    """List the null, the embeddings, and ``controls`` draws of each control."""
    listed = [Variant(NULL)] + [Variant("full", number) for number in range(embeddings)]
    for kind in CONTROLS:
        listed += [Variant(kind, number, draw) for number in range(embeddings) for draw in range(controls)]
    return listed


def covered_rows(task: Task, scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the design that an embedding covers, and their rows in the embedding; two int arrays."""
    position = scored.rows_for(task.design.genes["GENE"])
    rows = np.flatnonzero(position >= 0)
    return rows, position[rows]


def _variant_problem(task: Task, variant: Variant, embeddings: list[Scored], seed: int) -> Problem:
    if variant.kind == NULL:
        return task.problem
    rows, position = covered_rows(task, embeddings[variant.embedding])
    features = embeddings[variant.embedding].values[position].astype(np.float64)
    genes = task.design.genes.iloc[rows]
    blocks = np.unique(genes["CHR"].to_numpy(dtype=str), return_inverse=True)[1]
    if variant.kind == "permuted":
        features = features[permute_within(blocks, seed, variant.draw)]
    elif variant.kind == "shifted":
        features = features[shift_within(blocks, genes["START"].to_numpy(), seed, variant.draw)]
    return task.on(rows).with_features(features)


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
    problem = _variant_problem(task, variant, embeddings, seed)
    chosen = list(traits)
    linkage = problem.linkage
    if linkage is not None and len(chosen) < problem.z.shape[1]:
        linkage = linkage.for_traits(chosen)
    problem = replace(problem, z=problem.z[:, chosen], linkage=linkage)
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
) -> list[dict[Variant, np.ndarray]]:
    """Fit every variant on every design, in shards that are never redone.

    Returns
    -------
    list of dict
        For each design, predictions of each variant over the rows that it covers, float64 [row, trait].
    """
    size = REGRESSORS.find(model).traits_per_shard
    shards: dict[str, dict[str, Any]] = {}
    pieces: dict[tuple[int, Variant], list[str]] = {}
    for number, task in enumerate(tasks):
        for variant in listed:
            if (
                variant.kind != NULL
                and len(covered_rows(task, embeddings[variant.embedding])[0]) < MINIMUM_GENES
            ):
                continue
            for chunk in _chunks(len(task.design.traits), size):
                name = _file_name(f"design{number}-{variant.label}-traits{chunk[0]}-{chunk[-1]}")
                pieces.setdefault((number, variant), []).append(name)
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
    results: list[dict[Variant, np.ndarray]] = [{} for _ in tasks]
    for (number, variant), names in pieces.items():
        parts = [np.load(paths[name], allow_pickle=False) for name in names]
        results[number][variant] = np.hstack(parts).astype(np.float64)
    return results


def fill_missing(
    task: Task, scored: Scored | None, predicted: np.ndarray | None, null: np.ndarray, rule: str
) -> np.ndarray:
    """Predictions over all genes of a design.

    Genes without an embedding get the mean z-score of the training chromosomes (``mean``, the published rule)
    or the prediction of the null model (``null``).

    Returns
    -------
    ndarray
        float64 [gene, trait].
    """
    if scored is None:
        return null
    if rule == "null":
        filled = null.copy()
    else:
        filled = np.empty_like(null)
        for fold in range(int(task.problem.folds.max()) + 1):
            held_out = task.problem.folds == fold
            filled[held_out] = task.problem.z[~held_out].mean(axis=0)
    if predicted is not None:
        filled[covered_rows(task, scored)[0]] = predicted
    return filled
