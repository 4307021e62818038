"""The label task: is a label of genes predictable from an embedding? (page ``docs/guide/labels.md``)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.evaluation.labels.gains import LabelGains, with_gains
from cistron.evaluation.labels.scoring import LabelProblem, Term
from cistron.evaluation.labels.settings import COMPARED, LabelSettings
from cistron.evaluation.labels.tables import LabelTable
from cistron.evaluation.paired import compare, term_draws
from cistron.evaluation.rivals import Rivals, read_rivals, rivals_of, trivial_embeddings
from cistron.formats.gene_embedding import embedding_genes
from cistron.formats.scores import score_frame
from cistron.runtime.shards import run_each


@dataclass(frozen=True)
class LabelResult:
    """What the task gives.

    Attributes
    ----------
    scores
        One row a term, embedding and metric; gains beyond trivial columns have metrics of their own, and their mean over terms
        the target ``mean of N terms``.
    summary
        Mean over terms of each embedding with its interval over terms.
    differences
        Paired differences of embeddings over terms.
    predictions
        Held-out prediction of each gene: ``embedding, term, gene, value, predicted``.
    draws
        Mean over the terms of each bootstrap sample of terms, the same samples for all embeddings.
    facts, warnings
        For ``run.json``.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    differences: pd.DataFrame
    predictions: pd.DataFrame
    draws: dict[str, np.ndarray]
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def evaluate_labels(
    embeddings: Sequence[anndata.AnnData],
    labels: LabelTable,
    settings: LabelSettings | None = None,
    *,
    chromosomes: pd.Series | None = None,
    rivals: Rivals | None = None,
    rival_rows: bool = True,
    seed: int = 0,
    run_id: str = "none",
) -> LabelResult:
    """Predict labels of genes from embeddings on genes left out.

    Parameters
    ----------
    embeddings
        Gene embeddings.
    labels
        Labels in the embeddings' namespace (:func:`read_labels`).
    settings
        Settings of the task.
    chromosomes
        Chromosome by gene: whole chromosomes are left out where the table has no parts, and for the gain beyond trivial
        columns. Genes are left out at random without it.
    rivals
        Trivial columns (:func:`cistron.evaluation.rivals.read_rivals`); an embedding of expression adds level and
        breadth to them.
    rival_rows
        Whether trivial columns are also scored by the learner, as rows of their own.
    seed
        Seed of folds, control and bootstrap.
    run_id
        Identifier of the run.

    Returns
    -------
    LabelResult
        Metric ``auroc`` (of classes: the mean of each against the rest), or ``r`` of a number; with trivial columns also
        rows of these (``rival_rows``), and ``gain_auroc`` or ``gain_r`` of ridge on both over ridge on them alone. A term that cannot
        be scored (no member or no other gene in a part) is left out and named.

    Raises
    ------
    IdentifierError
        If an embedding shares no genes with the labels.
    InputError
        If no term can be scored, or the protocol does not fit the labels.
    """
    settings = settings or LabelSettings()
    names = _names(embeddings)
    if settings.protocol and (labels.kind != "member" or not labels.has_parts):
        raise InputError(
            f"{labels.name}: protocol {settings.protocol} needs members (0 or 1) and given parts (fold1, fold2, ..., holdout)"
        )
    if labels.frame.empty:
        raise InputError(
            f"{labels.name}: none of its genes is among those that are compared; check that both use the same ids"
        )
    ids = [embedding_genes(embedding) for embedding in embeddings]
    listed = set(labels.frame["gene"])
    for name, genes in zip(names, ids):
        if listed.isdisjoint(genes):
            raise IdentifierError(
                f"{name}: none of its {len(genes):,} genes is in {labels.name} ({len(listed):,} genes); check that both use the "
                f"same ids, for example {genes[0]} and {labels.frame['gene'].iloc[0]}"
            )
    warnings = list(labels.remarks)
    if not labels.has_parts and chromosomes is None:
        warnings.append(
            f"{labels.name} gives no parts and no annotation was given, so genes are left out at random; neighbours and duplicates of a "
            "held-out gene may have been fitted on (give --annotation to leave out chromosomes)"
        )
    trivial = [rivals_of(embedding, rivals or read_rivals()) for embedding in embeddings]
    warnings += dict.fromkeys(remark for one in trivial for remark in one.remarks)
    if rival_rows:
        embeddings = [*embeddings, *trivial_embeddings(embeddings, trivial, labels.genes)]
    names, ids = _names(embeddings), [embedding_genes(embedding) for embedding in embeddings]
    fold_chromosomes = None if labels.has_parts else chromosomes
    shared = set(ids[0]).intersection(*ids[1:])
    kept = labels.only(shared) if settings.compare_on == "shared" else labels
    gains = LabelGains(kept, chromosomes, settings.compare_on == "all", seed)
    rows: list[dict[str, Any]] = []
    gain_rows: list[dict[str, Any]] = []
    tables, coverage, skipped = [], [], set()
    passes = _passes(embeddings, ids, kept, settings, fold_chromosomes, seed)
    for number, (embedding, name, genes) in enumerate(zip(embeddings, names, ids)):
        scored, *controls = islice(passes, 1 + settings.controls)
        common = {
            "task": "labels",
            "dataset": labels.name,
            "embedding": name,
            "model": settings.protocol or settings.learner_in_force,
            "stratum": COMPARED[settings.compare_on],
            "seed": seed,
            "run_id": run_id,
        }
        skipped |= set(labels.terms) - set(scored)
        for term, one in scored.items():
            control = [drawn[term].value for drawn in controls if term in drawn]
            rows.append(common | {"target": term} | one.row(control))
            tables.append(one.table(name, term))
        if number < len(trivial) and trivial[number].names:
            found, lacking = gains.rows(embedding, trivial[number], list(scored), common)
            gain_rows += found
            if lacking:
                warnings.append(
                    f"{name}: no gain beyond trivial columns for {lacking} of {len(scored)} terms, which have too few genes for it "
                    "(ten for each column, on four chromosomes or more)"
                )
        coverage.append(
            {
                "embedding": name,
                "genes": len(genes),
                "dimensions": embedding.n_vars,
                "labelled": len(listed),
                "covered": len(listed.intersection(genes)),
                "evidence": str(embedding.uns["cistron"]["evidence"]),
            }
        )
    if not rows:
        raise InputError(
            f"{labels.name}: no term has {settings.minimum} members and other genes both to fit on and to score; lower --minimum, or "
            "check the parts"
        )
    if skipped:
        warnings.append(
            f"{labels.name}: {len(skipped)} of {len(labels.terms)} terms left out for want of members, for example {min(skipped)}"
        )
    scores = score_frame(rows)
    draws = term_draws(scores, settings.draws, seed)
    summary, differences = compare(scores, draws)
    summary = with_gains(summary, gain_rows)
    scores = score_frame([*rows, *gain_rows])
    facts = {
        "coverage": coverage,
        "summary": summary.to_dict("records"),
        "kind": labels.kind,
        "classes": list(labels.classes),
        "folds": "given parts"
        if labels.has_parts
        else "chromosomes"
        if fold_chromosomes is not None
        else "random genes",
        "shared": len(shared & listed),
        "rivals": sorted({column for one in trivial for column in one.names}),
    }
    return LabelResult(
        scores, summary, differences, pd.concat(tables, ignore_index=True), draws, facts, warnings
    )


def _passes(
    embeddings: Sequence[anndata.AnnData],
    ids: Sequence[pd.Index],
    labels: LabelTable,
    settings: LabelSettings,
    chromosomes: pd.Series | None,
    seed: int,
) -> Iterator[dict[str, Term]]:
    """Scored terms of each embedding and then of its controls, embedding by embedding."""
    items = [
        {"embedding": embedding, "genes": genes, "control": control}
        for embedding, genes in zip(embeddings, ids)
        for control in (None, *range(settings.controls))
    ]
    shared = {"labels": labels, "settings": settings, "chromosomes": chromosomes, "seed": seed}
    return iter(list(run_each(_pass, items, shared, description="scoring labels", unit="passes")))


def _pass(control: int | None, **problem: Any) -> dict[str, Term]:
    return LabelProblem(**problem).scored(control)


def _names(embeddings: Sequence[anndata.AnnData]) -> list[str]:
    if not embeddings:
        raise InputError("no embedding was given; name at least one file")
    names = [str(embedding.uns["cistron"]["name"]) for embedding in embeddings]
    if len(set(names)) < len(names):
        raise InputError(f"two embeddings are named {max(names, key=names.count)!r}; rename one")
    return names
