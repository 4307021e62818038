"""The GWAS task: how much an embedding knows about gene z-scores beyond covariates (page ``docs/guide/gwas.md``)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.gwas.checks import check_z_scores
from cistron.evaluation.gwas.covariates import ExtraCovariates
from cistron.evaluation.gwas.coverage import MINIMUM_GENES, Scored, prepare_embeddings
from cistron.evaluation.gwas.facts import gather_warnings, projection_facts, trait_facts, trait_subsets
from cistron.evaluation.gwas.prediction_table import prediction_frame
from cistron.evaluation.gwas.predictions import predict_all
from cistron.evaluation.gwas.regressors import REGRESSORS
from cistron.evaluation.gwas.scoring import Scoring
from cistron.evaluation.gwas.settings import GwasSettings
from cistron.evaluation.gwas.tasks import build_tasks
from cistron.evaluation.gwas.training_variance import linear_ratio
from cistron.evaluation.gwas.traits import TraitCollection, effective_number
from cistron.evaluation.gwas.variants import Plan, Variant
from cistron.evaluation.neighbours import nearest_neighbours
from cistron.formats.magma import GeneCorrelations
from cistron.formats.scores import score_frame
from cistron.runtime.threads import limit_threads


@dataclass(frozen=True)
class GwasResult:
    """What the task gives.

    Attributes
    ----------
    scores
        Scores table.
    predictions
        Held-out predictions, one row a gene and trait.
    neighbours
        Nearest genes of each gene in each embedding.
    facts
        Traits, coverage, projection and other facts for the report.
    warnings
        What the reader must know.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    neighbours: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]


def evaluate_gwas(
    embeddings: list[anndata.AnnData],
    traits: TraitCollection,
    settings: GwasSettings | None = None,
    *,
    covariances: dict[str, GeneCorrelations] | None = None,
    extra: ExtraCovariates | None = None,
    symbols: dict[str, str] | None = None,
    seed: int = 0,
    directory: str | Path,
    workers: int = 1,
    threads: int = 1,
    scheduler: str | None = None,
    run_id: str = "none",
) -> GwasResult:
    """Score gene embeddings on GWAS traits.

    Parameters
    ----------
    embeddings
        Gene embeddings.
    traits
        Traits of :func:`read_traits`.
    settings
        Settings of the task.
    covariances
        Correlations by trait name, or ``*`` for all traits (:func:`read_covariances`).
    extra
        Further covariates of both null models (:func:`read_covariates`).
    symbols
        Symbol of each gene, for the gene view of the report.
    seed
        Seed of controls, bootstrap and trees.
    directory
        Folder for finished shards; the same call goes on from what is there.
    workers, threads, scheduler
        Local processes, threads of each, or the address of a Dask scheduler.
    run_id
        Identifier of the run, written to each score.

    Returns
    -------
    GwasResult
        Scores, predictions, neighbours and facts.

    Raises
    ------
    InputError
        If traits, covariance and places do not match, a z-score is a marker, or too little is left to fit.
    IdentifierError
        If an embedding shares too few genes with the traits.
    """
    settings = settings or GwasSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    warnings = [*traits.remarks, *check_z_scores(traits)]
    projection = settings.projection or ("whiten" if covariances else "none")
    if projection != "none" and not covariances:
        raise InputError(f"projection {projection} needs --covariance FILE.genes.raw of the same MAGMA run")
    found = REGRESSORS.find(settings.model)
    tasks = build_tasks(
        traits,
        null=settings.null,
        projection=projection,
        folds=settings.folds if settings.folds is not None else found.default_folds,
        neighbours=1000.0 * settings.neighbour_scale if found.neighbours else 0.0,
        covariances=covariances,
        extra=extra,
    )
    scored = prepare_embeddings(embeddings, traits.genes, traits.name)
    controls = found.default_controls if settings.controls is None else settings.controls
    closed_form = found.traits_per_shard is None
    plan = Plan.of(tasks, settings.null, settings.keep_mhc, controls, more=closed_form)
    predicted = predict_all(
        tasks,
        scored,
        plan.variants(len(scored)),
        model=settings.model,
        settings=settings.of_regressor(),
        seed=seed,
        directory=Path(directory),
        workers=workers,
        threads=threads,
        scheduler=scheduler,
    )
    for number, one in enumerate(scored):
        if not any(plan.full(number) in part for part in predicted):
            raise InputError(
                f"embedding {one.name}: fewer than {MINIMUM_GENES} of its genes are left to score; --keep-mhc keeps those of the MHC"
            )
    z = traits.z_frame()
    subsets = trait_subsets(z)
    common = {"task": "gwas", "dataset": traits.name, "model": settings.model, "seed": seed, "run_id": run_id}
    plain_ridge = settings.model == "ridge" and projection == "none"

    def ratio(model: Variant, chance: np.ndarray | None) -> np.ndarray | None:
        """How much more than its bootstrap the gain of a model deviates, float64 [trait]."""
        if controls == 0 or not all(model in found for found in predicted):
            return None  # without controls the interval varies testing only, and says so
        chance = chance if plain_ridge else None  # the jackknife is of ridge, so what is taken off it is too
        ends = np.cumsum([task.design.z.shape[1] for task in tasks])
        parts = [
            linear_ratio(
                task,
                model,
                scored,
                settings.draws,
                seed,
                None if chance is None else chance[end - task.design.z.shape[1] : end],
            )
            for task, end in zip(tasks, ends)
        ]
        return np.concatenate(parts)

    scoring = Scoring(
        tasks,
        scored,
        predicted,
        plan,
        subsets,
        ratio,
        missing=settings.missing,
        draws=settings.draws,
        seed=seed,
        common=common,
    )
    with limit_threads(threads):  # small products: threads that wait for each other cost three times the work
        scores = score_frame(scoring.rows())
    facts = {
        "traits": trait_facts(tasks, subsets),
        "coverage": [one.information for one in scored],
        "projection": projection_facts(tasks, projection),
        "model": settings.model,
        "null": plan.null,
        "mhc": {"kept": plan.mhc, "genes": max(int(task.mhc.sum()) for task in tasks)},
        "folds": int(tasks[0].folds.max()) + 1,
        "controls": controls,
        "missing": settings.missing,
        "neighbour_scale": settings.neighbour_scale if found.neighbours else 0.0,
        "effective_traits": round(effective_number(z), 2) if z.shape[1] > 1 else 1.0,
    }
    gather_warnings(tasks, scored, scores, plan, projection, warnings)
    neighbours = pd.concat([_neighbours(one, traits.genes) for one in scored], ignore_index=True)
    predictions = prediction_frame(
        tasks, scored, predicted, plan, symbols or {}, settings.model, settings.missing
    )
    return GwasResult(scores, predictions, neighbours, facts, warnings)


def _neighbours(scored: Scored, genes: pd.Index) -> pd.DataFrame:
    rows = np.flatnonzero(scored.genes.isin(genes))
    return nearest_neighbours(scored.values[rows], scored.genes[rows], scored.name)
