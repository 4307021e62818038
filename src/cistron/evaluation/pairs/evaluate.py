"""The pair task (page ``docs/guide/pairs.md``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.pairs.fits import fits_of, folds_of, network_predictions, values_of
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
from cistron.evaluation.pairs.scoring import gene_draws
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import PairTable
from cistron.evaluation.rivals import Gain, Rivals, read_rivals, rivals_of, trivial_embeddings
from cistron.formats.gene_embedding import embedding_genes
from cistron.formats.scores import score_frame


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
    folds = folds_of(inside, first, second, len(universe), settings, seed)
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
    fits = fits_of(embeddings, ids, universe, folds, settings, seed)
    bands: list[dict[str, Any]] = []
    band_of: dict[tuple[int, str], list[float]] = {}
    for place, (embedding, name, index) in enumerate(zip(embeddings, names, ids)):
        values = values_of(embedding, index, universe)
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
        report.add(
            name, "given network", [network_predictions(weights, universe, fold) for fold in folds], []
        )
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
