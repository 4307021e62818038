"""The gene-set task (page ``docs/guide/genesets.md``)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import anndata
import numpy as np
import pandas as pd
from scipy import stats

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.genesets.ranking import SetScores, score_set
from cistron.evaluation.genesets.sets import GeneSets
from cistron.formats.scores import score_frame
from cistron.genes.chromosomes import AUTOSOMES
from cistron.genes.splits import chromosome_groups
from cistron.methods import CountOrZero, Range, check_settings
from cistron.runtime.progress import Progress
from cistron.statistics import (
    DEFAULT_PENALTIES,
    block_draws,
    bootstrap_p_value,
    group_moments,
    leave_group_out,
    percentile_interval,
    permute_within,
    predict_left_out,
)

_INTERVAL = "95% bootstrap over chromosomes"
_MANY = 20  # from this many sets on, a gene in none of them is taken for unannotated, not for a negative


@dataclass(frozen=True)
class GeneSetSettings:
    """Settings of the gene-set task.

    Attributes
    ----------
    minimum
        Smallest number of scored genes of a set.
    maximum
        Largest number of scored genes of a set.
    background
        Genes that count as negatives: annotated (in at least one set), all, or auto: annotated when there are
        20 sets or more.
    folds
        Chromosome groups that are left out in turn.
    controls
        Permutations of the embedding within chromosomes.
    draws
        Bootstrap samples of chromosomes.
    """

    minimum: Annotated[int, Range(2)] = 20
    maximum: Annotated[int, Range(2)] = 1000
    background: Literal["auto", "annotated", "all"] = "auto"
    folds: Annotated[int, Range(2)] = 10
    controls: CountOrZero = 1
    draws: Annotated[int, Range(20)] = 200

    def __post_init__(self) -> None:
        check_settings(self)
        if self.minimum > self.maximum:
            raise InputError(f"minimum must be at most maximum. Given: {self.minimum}, {self.maximum}")


@dataclass(frozen=True)
class GeneSetResult:
    """Scores table, facts for the report, and what the reader must know.

    ``draws`` holds the median AUROC of each bootstrap sample of chromosomes by (embedding, stratum); the samples are the same
    for embeddings on the same chromosomes, so that differences can be paired.
    """

    scores: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]
    draws: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)


def evaluate_gene_sets(
    embeddings: Sequence[anndata.AnnData],
    sets: GeneSets,
    chromosomes: pd.Series,
    settings: GeneSetSettings | None = None,
    *,
    seed: int = 0,
    run_id: str = "none",
) -> GeneSetResult:
    """Predict membership in gene sets from embeddings, chromosomes left out.

    Ridge regression on the 0/1 membership of all sets at once, in closed form; the penalty of each set and fold
    is chosen by generalised cross-validation on the training chromosomes. A gene is scored by the fold that did
    not see its chromosome, as its rank within that fold (so that folds can be pooled).

    Parameters
    ----------
    embeddings
        Gene embeddings.
    sets
        Sets in the embeddings' namespace.
    chromosomes
        Chromosome by gene (:func:`read_chromosomes`); only autosomes are used.
    settings
        Settings of the task.
    seed
        Seed of bootstrap and control.
    run_id
        Identifier of the run.

    Returns
    -------
    GeneSetResult
        For each set and embedding AUROC and AUPRC with intervals, nulls (0.5, share of members) and permuted
        control; medians over sets as targets ``median of N sets``. Strata: ``covered genes`` of the embedding,
        and with several embeddings ``shared genes``.

    Raises
    ------
    IdentifierError
        If an embedding shares no genes with the sets or the chromosomes.
    InputError
        If no set has enough scored genes.
    """
    settings = settings or GeneSetSettings()
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    names = [str(embedding.uns["cistron"]["name"]) for embedding in embeddings]
    if len(set(names)) < len(names):
        raise InputError(f"two embeddings are named {max(names, key=names.count)!r}; rename one")
    annotated = frozenset().union(*sets.members.values())
    narrow = settings.background == "annotated" or (
        settings.background == "auto" and len(sets.members) >= _MANY
    )
    covered = [
        _scored_genes(embedding, name, sets, chromosomes, annotated if narrow else None)
        for embedding, name in zip(embeddings, names)
    ]
    strata = [("covered genes", covered)]
    if len(embeddings) > 1:
        shared = covered[0]
        for genes in covered[1:]:
            shared = shared.intersection(genes)
        if len(shared) >= 100:
            strata.append(("shared genes", [shared.sort_values()] * len(embeddings)))
    rows: list[dict[str, Any]] = []
    medians: dict[tuple[str, str], np.ndarray] = {}
    steps = len(strata) * len(embeddings) * (1 + settings.controls)
    with Progress("scoring gene sets", steps, "fits") as progress:
        for stratum, parts in strata:
            for embedding, name, genes in zip(embeddings, names, parts):
                base: dict[str, Any] = {
                    "task": "genesets",
                    "dataset": sets.name,
                    "embedding": name,
                    "model": "ridge",
                }
                base |= {"stratum": stratum, "seed": seed, "run_id": run_id}
                values = np.asarray(embedding[genes].X, dtype=np.float64)
                found, drawn = _rows(values, genes, sets, chromosomes, settings, seed, base, progress)
                rows += found
                medians[(name, stratum)] = drawn
    coverage = [
        {"embedding": name, "genes": embedding.n_obs, "scored": len(genes), "dimensions": embedding.n_vars}
        for embedding, name, genes in zip(embeddings, names, covered)
    ]
    facts = {"coverage": coverage, "background": "annotated" if narrow else "all", "sets": len(sets.members)}
    scores = score_frame(rows)
    return GeneSetResult(scores, facts, [*sets.remarks, *_warnings(scores)], medians)


def _scored_genes(
    embedding: anndata.AnnData,
    name: str,
    sets: GeneSets,
    chromosomes: pd.Series,
    background: frozenset[str] | None,
) -> pd.Index:
    genes = embedding.obs_names
    placed = genes[genes.isin(chromosomes.index[chromosomes.isin(AUTOSOMES)])]
    if len(placed) < 50:
        raise IdentifierError(
            f"{name}: {len(placed):,} of {len(genes):,} genes have an autosome in the gene table; at least 50 are "
            "needed: check that both use the same ids"
        )
    scored = placed if background is None else placed[placed.isin(list(background))]
    if len(scored) < 50:
        raise IdentifierError(
            f"{name}: {len(scored):,} of {len(placed):,} genes are in the sets of {sets.name}; at least 50 are needed: "
            "check that both use the same ids"
        )
    return scored


def _rows(
    values: np.ndarray,
    genes: pd.Index,
    sets: GeneSets,
    chromosomes: pd.Series,
    settings: GeneSetSettings,
    seed: int,
    base: dict[str, Any],
    progress: Progress,
) -> tuple[list[dict[str, Any]], np.ndarray]:
    place = {gene: row for row, gene in enumerate(genes)}
    chosen, columns = [], []
    for name, members in sets.members.items():
        rows = [place[gene] for gene in members if gene in place]
        if settings.minimum <= len(rows) <= settings.maximum and len(rows) < len(genes):
            chosen.append(name)
            columns.append(rows)
    if not chosen:
        raise InputError(
            f"{sets.name}: no set has {settings.minimum} to {settings.maximum} genes of {base['embedding']} "
            f"({len(genes):,} scored genes, {len(sets.members):,} sets); lower --minimum or raise --maximum"
        )
    member = np.zeros((len(genes), len(chosen)))
    for column, rows in enumerate(columns):
        member[rows, column] = 1.0
    names = chromosomes.loc[genes].to_numpy()
    blocks = np.unique(names, return_inverse=True)[1]
    folds = chromosome_groups(list(names), min(settings.folds, int(blocks.max()) + 1))
    draws = block_draws(int(blocks.max()) + 1, settings.draws, seed)
    scored = _score(values, member, folds, blocks, draws)
    progress.advance()
    controls = []
    for draw in range(settings.controls):
        order = permute_within(blocks, seed, draw)
        controls.append(_score(values[order], member, folds, blocks, draws[:0]))
        progress.advance()
    medians = np.nanmedian([one.auroc_draws for one in scored], axis=0)
    return _as_rows(chosen, scored, controls, member, base), medians


def _score(
    values: np.ndarray, member: np.ndarray, folds: np.ndarray, blocks: np.ndarray, draws: np.ndarray
) -> list[SetScores]:
    """Held-out scores of all sets, ranked one by one."""
    free = np.ones((len(values), 1))
    centred = values - values.mean(axis=0)
    fits = leave_group_out(group_moments(free, centred, member, folds), DEFAULT_PENALTIES, "auto")
    predicted = predict_left_out(fits, np.hstack([free, centred]), folds)
    for fold in range(len(fits)):
        rows = folds == fold
        # Ranks within the fold: a fold that holds many members was fitted on few, so its predictions lie lower,
        # and pooled as they are they would be compared across folds by that alone.
        predicted[rows] = stats.rankdata(predicted[rows], axis=0) / (rows.sum() + 1)
    return [
        score_set(predicted[:, column], member[:, column] > 0, blocks, draws)
        for column in range(member.shape[1])
    ]


def _as_rows(
    names: Sequence[str],
    scored: Sequence[SetScores],
    controls: Sequence[Sequence[SetScores]],
    member: np.ndarray,
    base: dict[str, Any],
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    share = member.mean(axis=0)
    for metric in ("auroc", "auprc"):
        null = np.full(len(names), 0.5) if metric == "auroc" else share
        values = np.array([getattr(one, metric) for one in scored])
        draws = np.array([getattr(one, f"{metric}_draws") for one in scored])  # (set, draw)
        control = np.array([[getattr(one, metric) for one in draw] for draw in controls])
        low, high = percentile_interval(draws.T)
        p = bootstrap_p_value(draws.T - null)
        common = {"metric": metric, "interval": _INTERVAL, "null_model": "no information", **base}
        for index, name in enumerate(names):
            rows.append(
                {
                    "target": name, "value": values[index], "low": low[index], "high": high[index],
                    "n": scored[index].positives, "null_value": null[index], "p_value": p[index],
                    "control_value": control[:, index].mean() if len(control) else np.nan, **common,
                }
            )  # fmt: skip
        if len(names) > 1:
            medians = np.nanmedian(draws, axis=0)
            low_median, high_median = percentile_interval(medians[:, None])
            rows.append(
                {
                    "target": f"median of {len(names)} sets", "value": float(np.median(values)),
                    "low": low_median[0], "high": high_median[0], "n": len(names),
                    "null_value": float(np.median(null)),
                    "p_value": float(bootstrap_p_value(medians[:, None] - np.median(null))[0]),
                    "control_value": float(np.median(control.mean(axis=0))) if len(control) else np.nan, **common,
                }
            )  # fmt: skip
    return rows


def _warnings(scores: pd.DataFrame) -> list[str]:
    medians = scores[scores["target"].str.startswith("median of") & (scores["metric"] == "auroc")]
    return [
        f"the permuted control of {row.embedding} has AUROC {row.control_value:.3f} on {row.stratum}: something besides "
        "the embedding tells the sets apart"
        for row in medians.itertuples()
        if row.control_value > 0.52
    ]
