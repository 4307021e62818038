"""The gene-set task (page ``docs/guide/genesets.md``)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.genesets.rows import Part, rows_of
from cistron.evaluation.genesets.scoring import ModelScores, score_gene_sets
from cistron.evaluation.genesets.sets import GeneSets
from cistron.evaluation.genesets.settings import GeneSetSettings
from cistron.evaluation.rivals import RIVAL_NAME, Rivals, read_rivals, rivals_of
from cistron.formats.scores import score_frame
from cistron.genes.chromosomes import AUTOSOMES
from cistron.genes.identity import join_advice
from cistron.runtime.shards import run_each
from cistron.statistics.estimate import Estimate

_MANY = 20  # from this many sets on, a gene in none of them is taken for unannotated, not for a negative


@dataclass(frozen=True)
class GeneSetResult:
    """Scores table, facts for the report, and what the reader must know.

    ``medians`` holds the median AUROC over sets by (embedding, stratum), so that a study can pair embeddings that were scored
    in different runs on the same genes.
    """

    scores: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]
    medians: dict[tuple[str, str], Estimate] = field(default_factory=dict)


def evaluate_gene_sets(
    embeddings: Sequence[anndata.AnnData],
    sets: GeneSets,
    chromosomes: pd.Series,
    settings: GeneSetSettings | None = None,
    *,
    rivals: Rivals | None = None,
    seed: int = 0,
    run_id: str = "none",
) -> GeneSetResult:
    """Predict membership in gene sets from embeddings, chromosomes left out.

    Ridge regression on the 0/1 membership of all sets at once, in closed form; the penalty of each set and fold
    is chosen by generalised cross-validation on the training chromosomes. A gene is scored by the fold that did
    not see its chromosome, as its rank within that fold.

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
    rivals
        Trivial columns (:func:`cistron.evaluation.rivals.read_rivals`); an embedding of expression adds level and
        breadth to them.
    seed
        Seed of the permutations.
    run_id
        Identifier of the run.

    Returns
    -------
    GeneSetResult
        For each set and embedding AUROC and AUPRC with intervals, nulls (0.5; mean over permuted embeddings) and
        p-values; the same of the trivial columns, and ``gain_auroc`` and ``gain_auprc`` beyond them; medians over sets
        as targets ``median of N sets``. Strata: ``covered genes`` of the embedding, and with several embeddings
        ``shared genes``.

    Raises
    ------
    IdentifierError
        If an embedding shares no genes with the sets or the chromosomes.
    InputError
        If no set has enough scored genes, or they lie on fewer than four chromosomes.
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
    trivial = [rivals_of(embedding, rivals or read_rivals()) for embedding in embeddings]
    strata = _strata(covered)
    rows: list[dict[str, Any]] = []
    medians: dict[tuple[str, str], Estimate] = {}
    base = {"task": "genesets", "dataset": sets.name, "model": "ridge", "seed": seed, "run_id": run_id}
    # what was scored once is not fitted again: genes of one embedding differ between strata only by their number
    wanted = {(number, len(genes)): genes for _, parts in strata for number, genes in enumerate(parts)}
    items = [
        {"embedding": embeddings[number], "name": names[number], "genes": genes, "trivial": trivial[number]}
        for (number, _), genes in wanted.items()
    ]
    shared = {"sets": sets, "chromosomes": chromosomes, "settings": settings, "seed": seed}
    found = run_each(_scored, items, shared, description="scoring gene sets", unit="embeddings")
    known = dict(zip(wanted, found))
    for stratum, parts in strata:
        for number, genes in enumerate(parts):
            scores = known[(number, len(genes))]
            same = _same_rivals(trivial, parts)
            rival = RIVAL_NAME if same else f"{RIVAL_NAME} of {names[number]}"
            part = Part({**base, "stratum": stratum}, names[number], rival, not same or number == 0)
            rows += rows_of(scores, part)
            own = scores[1].alone["auroc"]
            medians[(names[number], stratum)] = own.median() if len(scores[0]) > 1 else own
    coverage = [
        {
            "embedding": name,
            "genes": embedding.n_obs,
            "scored": len(genes),
            "dimensions": embedding.n_vars,
            "rivals": list(one.of(genes).columns),
        }
        for embedding, name, genes, one in zip(embeddings, names, covered, trivial)
    ]
    facts = {"coverage": coverage, "background": "annotated" if narrow else "all", "sets": len(sets.members)}
    table = score_frame(rows)
    remarks = list(dict.fromkeys(remark for one in trivial for remark in one.remarks))
    return GeneSetResult(table, facts, [*sets.remarks, *remarks, *_warnings(table)], medians)


def _scored(
    embedding: anndata.AnnData,
    name: str,
    genes: pd.Index,
    trivial: Rivals,
    sets: GeneSets,
    chromosomes: pd.Series,
    settings: GeneSetSettings,
    seed: int,
) -> tuple[list[str], ModelScores]:
    """Names of the sets and their scores, of an embedding on some genes."""
    chosen, member = _membership(genes, sets, settings, name)
    values = np.asarray(embedding[genes].X, dtype=np.float64)
    blocks = chromosomes.loc[genes].to_numpy()
    columns = trivial.of(genes).to_numpy()
    found = score_gene_sets(
        values, columns, member, blocks, settings.folds, settings.controls, settings.draws, seed
    )
    return chosen, found


def _strata(covered: list[pd.Index]) -> list[tuple[str, list[pd.Index]]]:
    strata = [("covered genes", covered)]
    if len(covered) > 1:
        shared = covered[0]
        for genes in covered[1:]:
            shared = shared.intersection(genes)
        if len(shared) >= 100:
            strata.append(("shared genes", [shared.sort_values()] * len(covered)))
    return strata


def _same_rivals(trivial: list[Rivals], parts: list[pd.Index]) -> bool:
    """Whether one row of trivial columns stands for all embeddings: the same columns on the same genes."""
    first = parts[0]
    if not all(genes.equals(first) for genes in parts[1:]):
        return False
    tables = [one.of(first) for one in trivial]
    return all(table.equals(tables[0]) for table in tables[1:])


def _scored_genes(
    embedding: anndata.AnnData,
    name: str,
    sets: GeneSets,
    chromosomes: pd.Series,
    background: frozenset[str] | None,
) -> pd.Index:
    genes = embedding.obs_names
    placed = genes[genes.isin(chromosomes.index[chromosomes.isin(AUTOSOMES)])].sort_values()
    if len(placed) < 50:
        raise IdentifierError(
            f"{name}: {len(placed):,} of {len(genes):,} genes have an autosome in the gene table; at least 50 are "
            f"needed: {join_advice(list(genes), list(chromosomes.index), name, 'the gene table')}"
        )
    scored = placed if background is None else placed[placed.isin(list(background))]
    if len(scored) < 50:
        raise IdentifierError(
            f"{name}: {len(scored):,} of {len(placed):,} genes are in the sets of {sets.name}; at least 50 are needed: "
            "check that both use the same ids"
        )
    return scored


def _membership(
    genes: pd.Index, sets: GeneSets, settings: GeneSetSettings, name: str
) -> tuple[list[str], np.ndarray]:
    """Names of the sets of the wanted sizes, and membership, bool [gene, set]."""
    place = {gene: row for row, gene in enumerate(genes)}
    chosen, columns = [], []
    for label, members in sets.members.items():
        rows = [place[gene] for gene in members if gene in place]
        if settings.minimum <= len(rows) <= settings.maximum and len(rows) < len(genes):
            chosen.append(label)
            columns.append(rows)
    if not chosen:
        raise InputError(
            f"{sets.name}: no set has {settings.minimum} to {settings.maximum} genes of {name} "
            f"({len(genes):,} scored genes, {len(sets.members):,} sets); lower --minimum or raise --maximum"
        )
    member = np.zeros((len(genes), len(chosen)), dtype=bool)
    for column, rows in enumerate(columns):
        member[rows, column] = True
    return chosen, member


def _warnings(scores: pd.DataFrame) -> list[str]:
    medians = scores[scores["target"].str.startswith("median of") & (scores["metric"] == "auroc")]
    return [
        f"the permuted control of {row.embedding} has AUROC {row.control_value:.3f} on {row.stratum}: something besides "
        "the embedding tells the sets apart"
        for row in medians.itertuples()
        if row.control_value > 0.52
    ]
