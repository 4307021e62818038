"""Folds of a table of pairs, and the predictions of an embedding on them: as it is, permuted, and random ones of its size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.pairs.folds import PairFold, given_folds, made_folds
from cistron.evaluation.pairs.scoring import kernel_ridge, support_vectors
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import PairTable
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each


def folds_of(
    pairs: PairTable, first: np.ndarray, second: np.ndarray, genes: int, settings: PairSettings, seed: int
) -> list[PairFold]:
    """Folds of pairs, given or made, in which no gene of a scored pair is fitted on.

    Parameters
    ----------
    pairs
        Pairs whose genes all have a number.
    first, second
        int64 [pair], numbers of the genes.
    genes
        How many genes there are.
    settings, seed
        Of the task.

    Raises
    ------
    InputError
        If the protocol needs folds that the table does not give, or the table lists positives only.
    """
    if not len(pairs) or not pairs.label.any():
        return []
    if settings.protocol and not pairs.folds:
        raise InputError(
            f"{pairs.name}: protocol {settings.protocol} needs given folds (columns outer0, outer1, ...)"
        )
    if pairs.folds and not settings.balanced:
        triple = (first, second, pairs.label)
        return given_folds(
            triple,
            pairs.folds,
            pairs.inner,
            balanced=False,
            directed=settings.directed,
            most=settings.most,
            seed=seed,
        )
    if not settings.balanced and pairs.label.all():
        raise InputError(
            f"{pairs.name} lists positives only; use --negatives balanced, or add negatives with label 0"
        )
    return made_folds(
        first,
        second,
        pairs.label,
        genes,
        folds=settings.folds,
        repeats=settings.repeats,
        balanced=settings.balanced,
        directed=settings.directed,
        most=settings.most,
        seed=seed,
    )


def fits_of(
    embeddings: Sequence[anndata.AnnData],
    ids: Sequence[pd.Index],
    universe: list[str],
    folds: list[PairFold],
    settings: PairSettings,
    seed: int,
) -> Iterator[list[np.ndarray]]:
    """Predictions of all folds, of the controls of each embedding and combination, of random embeddings of its size, and of itself.

    Parameters
    ----------
    embeddings, ids
        Embeddings and their genes.
    universe
        Genes by number.
    folds, settings, seed
        Of the task.

    Yields
    ------
    list of ndarray
        Of each fold, float64 [pair].
    """
    items: list[dict[str, Any]] = []
    seen: set[tuple[int, str]] = set()
    for embedding, index in zip(embeddings, ids):
        for combination in settings.combinations:
            common = {"embedding": embedding, "index": index, "combination": combination}
            items += [{**common, "kind": "permuted", "draw": draw} for draw in range(settings.controls)]
            if (embedding.n_vars, combination) not in seen:
                seen.add((embedding.n_vars, combination))
                items += [{**common, "kind": "random", "draw": draw} for draw in range(settings.random)]
            items.append({**common, "kind": "as it is", "draw": 0})
    shared = {"universe": universe, "folds": folds, "protocol": settings.protocol is not None, "seed": seed}
    return iter(list(run_each(_fit, items, shared, description="scoring pairs", unit="fits")))


def _fit(
    embedding: anndata.AnnData,
    index: pd.Index,
    combination: str,
    kind: str,
    draw: int,
    universe: list[str],
    folds: list[PairFold],
    protocol: bool,
    seed: int,
) -> list[np.ndarray]:
    values = values_of(embedding, index, universe)
    if kind == "permuted":
        values = values[random_generator(seed, "permuted genes of pairs", draw).permutation(len(values))]
    elif kind == "random":
        values = random_generator(seed, "random embedding of pairs", draw).normal(size=values.shape)
    predict = (support_vectors if protocol else kernel_ridge)(values, combination)
    return [predict(fold) for fold in folds]


def network_predictions(
    weights: Mapping[tuple[str, str], float], universe: list[str], fold: PairFold
) -> np.ndarray:
    """Weights of a network as predictions float64 [pair] of a fold; a pair that it does not list comes last.

    Parameters
    ----------
    weights
        By pair of genes.
    universe
        Genes by number.
    fold
        Whose pairs are predicted.
    """
    last = min(weights.values(), default=0.0) - 1.0
    names = zip(*(([universe[number] for number in one]) for one in fold.test[:2]))
    return np.array([weights.get(pair, last) for pair in names])


def values_of(embedding: anndata.AnnData, index: pd.Index, universe: list[str]) -> np.ndarray:
    """Vectors float64 [gene, dimension] of all genes; those without one have the mean.

    Parameters
    ----------
    embedding, index
        Embedding and its genes.
    universe
        Genes by number.
    """
    values = np.asarray(embedding.X, dtype=np.float64)
    place = index.get_indexer(pd.Index(universe))
    found = np.tile(values[place[place >= 0]].mean(axis=0), (len(universe), 1))
    found[place >= 0] = values[place[place >= 0]]
    return found
