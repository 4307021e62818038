"""The pair task (page ``docs/guide/pairs.md``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.pairs.folds import PairFold, given_folds, made_folds
from cistron.evaluation.pairs.negatives import occurrence_scores, positive_rates
from cistron.evaluation.pairs.scoring import (
    Predictor,
    fold_areas,
    gene_draws,
    kernel_ridge,
    support_vectors,
)
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import PairTable
from cistron.formats.gene_embedding import embedding_genes
from cistron.formats.scores import score_frame
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator
from cistron.statistics import bootstrap_p_value, percentile_interval

INTERVAL = "95% bootstrap over genes"
BALANCED, GIVEN = "degree-preserving negatives", "given negatives"
OCCURRENCE, RATES = "occurrence", "positive rate of each gene"
RANDOM = "random Gaussian"


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
    seed
        Seed of folds, negatives, controls and bootstrap.
    run_id
        Identifier of the run.

    Returns
    -------
    PairResult
        Mean AUROC of the folds, weighted by their positives. A gene without an embedding has the mean vector.

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
    times = gene_draws(len(universe), settings.draws, seed)
    common: dict[str, Any] = {"task": "pairs", "dataset": pairs.name, "target": pairs.name, "metric": "auroc"}
    common |= {"stratum": GIVEN if not settings.balanced else BALANCED, "seed": seed, "run_id": run_id}
    report = _Report(folds, times, common)
    steps = len(embeddings) * len(settings.combinations) * (1 + settings.controls + settings.random)
    bands: list[dict[str, Any]] = []
    band_of: dict[tuple[int, str], list[float]] = {}
    with Progress("scoring pairs", steps, "fits") as progress:
        for embedding, name, index in zip(embeddings, names, ids):
            values = _values(embedding, index, universe)
            for combination in settings.combinations:
                make = support_vectors if settings.protocol else kernel_ridge
                controls = []
                for draw in range(settings.controls):
                    order = random_generator(seed, "permuted genes of pairs", draw).permutation(len(values))
                    controls.append(report.value(make(values[order], combination)))
                    progress.advance()
                key = (values.shape[1], combination)
                if key not in band_of:
                    band_of[key] = []
                    for draw in range(settings.random):
                        noise = random_generator(seed, "random embedding of pairs", draw).normal(
                            size=values.shape
                        )
                        band_of[key].append(report.value(make(noise, combination)))
                        progress.advance()
                band = band_of[key]
                if band:
                    spread = float(np.std(band, ddof=1)) if len(band) > 1 else 0.0
                    bands.append(
                        {"embedding": name, "model": combination, "mean": float(np.mean(band)), "sd": spread,
                         "low": float(min(band)), "high": float(max(band)), "draws": len(band)}
                    )  # fmt: skip
                report.add(name, combination, make(values, combination), controls)
                progress.advance()
    for name, weights in (networks or {}).items():
        report.add(name, "given network", _lookup(weights, universe), [])
    report.add(OCCURRENCE, "label-free", lambda fold: occurrence_scores(*fold.test[:2]), [])
    report.add(RATES, "leave one out", lambda fold: positive_rates(*fold.test, fold.exchange), [])
    table = pd.DataFrame(
        [
            {
                "fold": place,
                "training_pairs": len(fold.train[2]),
                "positives": int(fold.test[2].sum()),
                "negatives": int((~fold.test[2]).sum()),
                "positive_genes": fold.positive_genes,
                "largest_hub": _largest_hub(fold),
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
    }
    return PairResult(
        score_frame(report.rows),
        report.draws,
        table,
        facts,
        [*pairs.remarks, *_warnings(report.rows, table, settings)],
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


def _lookup(weights: Mapping[tuple[str, str], float], universe: list[str]) -> Predictor:
    """Weights of a network as predictions."""
    last = min(weights.values(), default=0.0) - 1.0

    def predict(fold: PairFold) -> np.ndarray:
        names = zip(*(([universe[number] for number in one]) for one in fold.test[:2]))
        return np.array([weights.get(pair, last) for pair in names])

    return predict


def _values(embedding: anndata.AnnData, index: pd.Index, universe: list[str]) -> np.ndarray:
    values = np.asarray(embedding.X, dtype=np.float64)
    place = index.get_indexer(pd.Index(universe))
    found = np.tile(values[place[place >= 0]].mean(axis=0), (len(universe), 1))
    found[place >= 0] = values[place[place >= 0]]
    return found


def _largest_hub(fold: PairFold) -> int:
    first, second, label = fold.test
    return int(np.bincount(np.r_[first[label], second[label]]).max())


class _Report:
    """Rows of the scores table on the same folds."""

    def __init__(self, folds: list[PairFold], times: np.ndarray, common: dict[str, Any]) -> None:
        self.folds, self.times, self.common = folds, times, common
        self.rows: list[dict[str, Any]] = []
        self.draws: dict[tuple[str, str], np.ndarray] = {}

    def value(self, predict: Predictor) -> float:
        """Mean AUROC of a predictor."""
        return fold_areas(self.folds, [predict(fold) for fold in self.folds], self.times[:0])[0]

    def add(self, name: str, model: str, predict: Predictor, controls: list[float]) -> None:
        """Score a predictor and keep its row."""
        predictions = [predict(fold) for fold in self.folds]
        value, samples = fold_areas(self.folds, predictions, self.times)
        low, high = percentile_interval(samples[:, None])
        self.draws[(name, model)] = samples
        self.rows.append(
            self.common
            | {
                "embedding": name,
                "model": model,
                "value": value,
                "low": min(float(low[0]), value),
                "high": max(float(high[0]), value),
                "interval": INTERVAL,
                "n": int(sum(fold.test[2].sum() for fold in self.folds)),
                "null_model": "no information",
                "null_value": 0.5,
                "control_value": float(np.mean(controls)) if controls else np.nan,
                "p_value": float(bootstrap_p_value(samples[:, None] - 0.5)[0]),
            }
        )


def _warnings(rows: list[dict[str, Any]], folds: pd.DataFrame, settings: PairSettings) -> list[str]:
    found = []
    occurrence = next(row["value"] for row in rows if row["embedding"] == OCCURRENCE)
    best = max((row["value"] for row in rows if row["embedding"] not in (OCCURRENCE, RATES)), default=0.5)
    if abs(occurrence - 0.5) > 0.1:
        beaten = "more than every embedding" if occurrence > best else f"the best embedding {best:.2f}"
        found.append(
            f"how often a gene occurs in the list gives AUROC {occurrence:.2f} without any biology ({beaten}): the negatives differ from "
            "the positives in their genes; --negatives balanced does away with that"
        )
    hub = (folds["largest_hub"] / folds["positives"]).max()
    if hub > 0.5:
        found.append(
            f"in one fold {hub:.0%} of the positives share one gene, so its figure rests on that gene"
        )
    unused = int(folds["unused_positives"].sum())
    if settings.balanced and unused > 0.2 * (unused + int(folds["positives"].sum())):
        found.append(
            f"{unused:,} of {unused + int(folds['positives'].sum()):,} scored positives (over all folds) are left out: a hub's partners are "
            "all its positives, so no negative of it can be made inside the fold"
        )
    return found
