"""The GWAS task: how much an embedding knows about gene z-scores beyond covariates (page ``docs/guide/gwas.md``)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.gwas.covariates import gene_covariates
from cistron.evaluation.gwas.coverage import Scored, prepare_embeddings
from cistron.evaluation.gwas.facts import gather_warnings, projection_facts, trait_facts, trait_subsets
from cistron.evaluation.gwas.linear_models import RidgeSettings
from cistron.evaluation.gwas.linkage import link
from cistron.evaluation.gwas.predictions import Task, predict_all, variants
from cistron.evaluation.gwas.problem import Linkage, Problem
from cistron.evaluation.gwas.regressors import REGRESSORS
from cistron.evaluation.gwas.scoring import prediction_frame, score_rows
from cistron.evaluation.gwas.traits import (
    TraitCollection,
    TraitDesign,
    effective_number,
)
from cistron.evaluation.gwas.tree_models import BoostedSettings, XgboostSettings
from cistron.evaluation.neighbours import nearest_neighbours
from cistron.formats.magma import GeneCorrelations
from cistron.formats.scores import score_frame
from cistron.genes.splits import chromosome_groups
from cistron.methods import CountOrZero, Range, check_settings


@dataclass(frozen=True)
class GwasSettings:
    """Settings of the GWAS task.

    Attributes
    ----------
    model
        Regressor between embedding and z-score: ridge, linear, xgboost, boosted.
    projection
        What is done about linkage: whiten (generalised least squares), none, or paper (the published form).
        When absent: whiten if a covariance is given, none otherwise.
    missing
        Prediction for genes without an embedding: mean z-score of the training chromosomes, or that of the
        null model.
    folds
        Chromosome groups that are left out in turn; each chromosome when absent (11 groups for boosted).
    controls
        Draws of each negative control; 5 for ridge and linear, 1 for trees when absent.
    draws
        Bootstrap samples of chromosomes.
    ridge, xgboost, boosted
        Settings of the regressors.
    """

    model: str = "ridge"
    projection: Literal["whiten", "none", "paper"] | None = None
    missing: Literal["mean", "null"] = "mean"
    folds: Annotated[int, Range(2)] | None = None
    controls: CountOrZero | None = None
    draws: Annotated[int, Range(20)] = 1000
    ridge: RidgeSettings = field(default_factory=RidgeSettings)
    xgboost: XgboostSettings = field(default_factory=XgboostSettings)
    boosted: BoostedSettings = field(default_factory=BoostedSettings)

    def __post_init__(self) -> None:
        check_settings(self)
        REGRESSORS.find(self.model)

    def of_regressor(self) -> Any:
        """Settings of the chosen regressor."""
        return getattr(self, self.model, None) or REGRESSORS.find(self.model).settings()


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
        If traits and covariance do not match or too little is left to fit.
    IdentifierError
        If an embedding shares too few genes with the traits.
    """
    settings = settings or GwasSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    warnings = list(traits.remarks)
    projection = settings.projection or ("whiten" if covariances else "none")
    if projection != "none" and not covariances:
        raise InputError(f"projection {projection} needs --covariance FILE.genes.raw of the same MAGMA run")
    tasks = _tasks(traits, settings, projection, covariances, warnings)
    scored = prepare_embeddings(embeddings, traits.genes, traits.name)
    controls = (
        REGRESSORS.find(settings.model).default_controls if settings.controls is None else settings.controls
    )
    listed = variants(len(scored), controls)
    predicted = predict_all(
        tasks,
        scored,
        listed,
        model=settings.model,
        settings=settings.of_regressor(),
        seed=seed,
        directory=Path(directory),
        workers=workers,
        threads=threads,
        scheduler=scheduler,
    )
    z = traits.z_frame()
    subsets = trait_subsets(z)
    rows = score_rows(
        tasks,
        scored,
        predicted,
        subsets,
        dataset=traits.name,
        model=settings.model,
        missing=settings.missing,
        draws=settings.draws,
        controls=controls,
        seed=seed,
        run_id=run_id,
    )
    scores = score_frame(rows)
    facts = {
        "traits": trait_facts(tasks, subsets),
        "coverage": [one.information for one in scored],
        "projection": projection_facts(tasks, projection),
        "model": settings.model,
        "folds": int(tasks[0].problem.folds.max()) + 1,
        "controls": controls,
        "missing": settings.missing,
        "effective_traits": round(effective_number(z), 2) if z.shape[1] > 1 else 1.0,
    }
    gather_warnings(tasks, scored, scores, projection, warnings)
    neighbours = pd.concat([_neighbours(one, traits.genes) for one in scored], ignore_index=True)
    predictions = prediction_frame(tasks, scored, predicted, symbols or {}, settings.model, settings.missing)
    return GwasResult(scores, predictions, neighbours, facts, warnings)


def _tasks(
    traits: TraitCollection,
    settings: GwasSettings,
    projection: str,
    covariances: dict[str, GeneCorrelations] | None,
    warnings: list[str],
) -> list[Task]:
    number = settings.folds if settings.folds is not None else REGRESSORS.find(settings.model).default_folds
    tasks = []
    for design, correlations, name in _matched(traits, covariances):
        genes, linkage = design, None
        if correlations is not None:
            linked = link(design, correlations, name)
            genes = linked.design
            if linked.remark:
                warnings.append(linked.remark)
            if projection != "none":
                linkage = Linkage(linked.correlations, linked.design.z.var(axis=0))
        covariates, names = gene_covariates(genes.genes)
        found = genes.genes["CHR"].nunique()
        folds = chromosome_groups(list(genes.genes["CHR"]), None if number is None else min(number, found))
        problem = Problem(genes.z, covariates, np.empty((len(genes.z), 0)), folds, linkage, projection)
        tasks.append(Task(genes, problem, tuple(names)))
    return tasks


def _matched(
    traits: TraitCollection, covariances: dict[str, GeneCorrelations] | None
) -> list[tuple[TraitDesign, GeneCorrelations | None, str]]:
    if not covariances:
        return [(design, None, "") for design in traits.designs]
    if "*" in covariances:
        return [(design, covariances["*"], "the .genes.raw file") for design in traits.designs]
    absent = [trait for trait in traits.traits if trait not in covariances]
    if absent:
        raise InputError(
            f"the covariance folder has no file for {len(absent)} of {len(traits.traits)} traits, for example "
            f"{absent[0]}.genes.raw"
        )
    return [
        (TraitDesign((trait,), design.genes, design.z[:, [index]]), covariances[trait], f"{trait}.genes.raw")
        for design in traits.designs
        for index, trait in enumerate(design.traits)
    ]


def _neighbours(scored: Scored, genes: pd.Index) -> pd.DataFrame:
    rows = np.flatnonzero(scored.genes.isin(genes))
    return nearest_neighbours(scored.values[rows], scored.genes[rows], scored.name)
