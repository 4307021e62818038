"""The pair task (page ``docs/guide/pairs.md``)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.pairs.folds import PairFold, given_folds, made_folds
from cistron.evaluation.pairs.gains import (
    GroupedPairs,
    group_pairs,
    occurrence_columns,
    pair_gain,
    trivial_pair_columns,
)
from cistron.evaluation.pairs.negatives import occurrence_scores, positive_rates
from cistron.evaluation.pairs.rows import (
    BALANCED,
    GIVEN,
    OCCURRENCE,
    RATES,
    PairReport,
    largest_hub,
    pair_warnings,
)
from cistron.evaluation.pairs.scoring import gene_draws, kernel_ridge, support_vectors
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import PairTable
from cistron.evaluation.rivals import Gain, Rivals, read_rivals, rivals_of, trivial_embeddings
from cistron.formats.gene_embedding import embedding_genes
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each


@dataclass(frozen=True)
class PairResult:
    """What the task gives.

    Attributes
    ----------
    scores
        One row an embedding and combination (``target`` is the table, ``model`` the combination), and rows of
        ``occurrence`` and ``positive rate of each gene``, which know no biology.
    draws
        AUROC of each bootstrap sample of genes by (embedding, combination); the same samples for all embeddings.
    folds
        Pairs and genes of each fold.
    facts, warnings
        For ``run.json``.
    """

    scores: pd.DataFrame
    draws: dict[tuple[str, str], np.ndarray]
    folds: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def evaluate_pairs(
    embeddings: Sequence[anndata.AnnData],
    pairs: PairTable,
    settings: PairSettings | None = None,
    *,
    genes: Sequence[str] | None = None,
    networks: Mapping[str, Mapping[tuple[str, str], float]] | None = None,
    rivals: Rivals | None = None,
    rival_rows: bool = True,
    seed: int = 0,
    run_id: str = "none",
) -> PairResult:
    """Predict a property of pairs of genes, no gene of a scored pair being fitted on.

    Parameters
    ----------
    embeddings
        Gene embeddings.
    pairs
        Pairs in the embeddings' namespace (:func:`read_pairs`).
    settings
        Settings of the task.
    genes
        Genes whose pairs are scored; those that all embeddings cover when absent.
    networks
        Weights of pairs from elsewhere, by name: networks that are scored on the same pairs; a pair that one does not list
        comes last.
    rivals
        Trivial columns (:func:`cistron.evaluation.rivals.read_rivals`); an embedding of expression adds level and
        breadth to them.
    rival_rows
        Whether trivial columns are also scored by the learner, as rows of their own.
    seed
        Seed of folds, negatives, controls and bootstrap.
    run_id
        Identifier of the run.

    Returns
    -------
    PairResult
        Mean AUROC of the folds, weighted by their positives. A gene without an embedding has the mean vector. With trivial
        columns also rows of these (``rival_rows``), and ``gain_auroc`` beyond them, measured on groups of genes (:mod:`.gains`).

    Raises
    ------
    IdentifierError
        If an embedding shares no gene with the pairs.
    InputError
        If too few pairs are left.
    """
    settings = settings or PairSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    names = [str(embedding.uns["cistron"]["name"]) for embedding in embeddings]
    if len(set(names)) < len(names):
        raise InputError(f"two embeddings are named {max(names, key=names.count)!r}; rename one")
    ids = [embedding_genes(embedding) for embedding in embeddings]
    for name, index in zip(names, ids):
        if pairs.genes.isdisjoint(index):
            raise IdentifierError(
                f"{name}: none of its {len(index):,} genes is in {pairs.name} ({len(pairs.genes):,} genes); check that both use the same "
                f"ids, for example {index[0]} and {pairs.first[0]}"
            )
    wanted = set(genes) if genes is not None else set(ids[0]).intersection(*ids[1:])
    inside = pairs.only(wanted)
    universe = sorted(inside.genes)
    number = {gene: place for place, gene in enumerate(universe)}
    first, second = (
        np.array([number[gene] for gene in one], dtype=np.int64) for one in (inside.first, inside.second)
    )
    folds = _folds(inside, first, second, len(universe), settings, seed)
    if not folds:
        raise InputError(
            f"{pairs.name}: {int(inside.label.sum()):,} of {int(pairs.label.sum()):,} positives have both genes in the embeddings, too few "
            "for gene-disjoint folds that hold positives and negatives; use fewer --folds, or embeddings of more genes"
        )
    trivial = [rivals_of(embedding, rivals or read_rivals()) for embedding in embeddings]
    known = len(embeddings)
    if rival_rows:
        embeddings = [*embeddings, *trivial_embeddings(embeddings, trivial, universe)]
    names = [str(embedding.uns["cistron"]["name"]) for embedding in embeddings]
    ids = [embedding_genes(embedding) for embedding in embeddings]
    remarks = list(dict.fromkeys(remark for one in trivial for remark in one.remarks))
    grouped = None
    if any(one.names for one in trivial):
        grouped = group_pairs(
            first,
            second,
            inside.label,
            len(universe),
            balanced=settings.balanced,
            directed=settings.directed,
            seed=seed,
        )
    times = gene_draws(len(universe), settings.draws, seed)
    common: dict[str, Any] = {"task": "pairs", "dataset": pairs.name, "target": pairs.name, "metric": "auroc"}
    common |= {"stratum": GIVEN if not settings.balanced else BALANCED, "seed": seed, "run_id": run_id}
    report = PairReport(folds, times, common)
    fits = _fits(embeddings, ids, universe, folds, settings, seed)
    bands: list[dict[str, Any]] = []
    band_of: dict[tuple[int, str], list[float]] = {}
    for place, (embedding, name, index) in enumerate(zip(embeddings, names, ids)):
        values = _values(embedding, index, universe)
        for combination in settings.combinations:
            controls = [report.value(one) for one in islice(fits, settings.controls)]
            key = (values.shape[1], combination)
            if key not in band_of:
                band_of[key] = [report.value(one) for one in islice(fits, settings.random)]
            band = band_of[key]
            if band:
                spread = float(np.std(band, ddof=1)) if len(band) > 1 else 0.0
                bands.append(
                    {"embedding": name, "model": combination, "mean": float(np.mean(band)), "sd": spread,
                     "low": float(min(band)), "high": float(max(band)), "draws": len(band)}
                )  # fmt: skip
            report.add(name, combination, next(fits), controls)
            if place < known and trivial[place].names:
                columns = trivial[place].of(universe).to_numpy()
                if not settings.balanced:
                    columns = np.hstack([columns, occurrence_columns(first, second, len(universe))])
                try:
                    gain, positives = _gain(values, columns, grouped, combination, settings, seed)
                    report.add_gain(name, combination, gain, positives)
                except InputError as error:
                    remarks.append(f"{name}, {combination}: {error}")
    for name, weights in (networks or {}).items():
        report.add(name, "given network", [_lookup(weights, universe, fold) for fold in folds], [])
    report.add(OCCURRENCE, "label-free", [occurrence_scores(*fold.test[:2]) for fold in folds], [])
    report.add(RATES, "leave one out", [positive_rates(*fold.test, fold.exchange) for fold in folds], [])
    table = pd.DataFrame(
        [
            {
                "fold": place,
                "training_pairs": len(fold.train[2]),
                "positives": int(fold.test[2].sum()),
                "negatives": int((~fold.test[2]).sum()),
                "positive_genes": fold.positive_genes,
                "largest_hub": largest_hub(fold),
                "unused_positives": fold.unused,
            }
            for place, fold in enumerate(folds)
        ]
    )
    coverage = [
        {
            "embedding": name,
            "genes": len(index),
            "dimensions": embedding.n_vars,
            "pairs": len(pairs.only(set(index))),
            "evidence": str(embedding.uns["cistron"]["evidence"]),
        }
        for embedding, name, index in zip(embeddings, names, ids)
    ]
    facts = {
        "coverage": coverage,
        "bands": bands,
        "pairs": len(inside),
        "positives": int(inside.label.sum()),
        "genes": len(universe),
        "positive_genes": len(set(inside.first[inside.label]) | set(inside.second[inside.label])),
        "negatives": settings.negatives if settings.protocol is None else "given",
        "folds": len(folds),
        "rivals": sorted({column for one in trivial for column in one.names}),
    }
    if grouped is not None:
        facts["gain"] = {
            "groups": int(grouped.group.max()) + 1,
            "positives": int(grouped.label.sum()),
        }
    return PairResult(
        score_frame([*report.rows, *report.gains]),
        report.draws,
        table,
        facts,
        [*pairs.remarks, *remarks, *pair_warnings(report.rows, table, settings)],
    )


def _folds(
    pairs: PairTable, first: np.ndarray, second: np.ndarray, genes: int, settings: PairSettings, seed: int
) -> list[PairFold]:
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


def _fits(
    embeddings: Sequence[anndata.AnnData],
    ids: Sequence[pd.Index],
    universe: list[str],
    folds: list[PairFold],
    settings: PairSettings,
    seed: int,
) -> Iterator[list[np.ndarray]]:
    """Predictions of all folds, of the controls of each embedding and combination, of random embeddings of its size, and of itself."""
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
    values = _values(embedding, index, universe)
    if kind == "permuted":
        values = values[random_generator(seed, "permuted genes of pairs", draw).permutation(len(values))]
    elif kind == "random":
        values = random_generator(seed, "random embedding of pairs", draw).normal(size=values.shape)
    predict = (support_vectors if protocol else kernel_ridge)(values, combination)
    return [predict(fold) for fold in folds]


def _lookup(weights: Mapping[tuple[str, str], float], universe: list[str], fold: PairFold) -> np.ndarray:
    """Weights of a network as predictions."""
    last = min(weights.values(), default=0.0) - 1.0
    names = zip(*(([universe[number] for number in one]) for one in fold.test[:2]))
    return np.array([weights.get(pair, last) for pair in names])


def _values(embedding: anndata.AnnData, index: pd.Index, universe: list[str]) -> np.ndarray:
    values = np.asarray(embedding.X, dtype=np.float64)
    place = index.get_indexer(pd.Index(universe))
    found = np.tile(values[place[place >= 0]].mean(axis=0), (len(universe), 1))
    found[place >= 0] = values[place[place >= 0]]
    return found


def _gain(
    values: np.ndarray,
    columns: np.ndarray,
    grouped: GroupedPairs | None,
    combination: str,
    settings: PairSettings,
    seed: int,
) -> tuple[Gain, int]:
    if grouped is None:
        raise InputError(
            "no gain beyond trivial columns: fewer than four groups of genes that share no gene hold positives and negatives"
        )
    trivial = trivial_pair_columns(columns, grouped, settings.directed)
    return pair_gain(values, trivial, grouped, combination, seed), int(grouped.label.sum())
