"""The rows of the table: the embeddings of the study, and rows that are added to judge them by."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats import (
    build_gene_embedding,
    combine_gene_embeddings,
    read_gene_embedding,
    write_gene_embedding,
)
from cistron.formats.gene_embedding import embedding_genes
from cistron.runtime import random_generator, say
from cistron.study.plan import StudyPlan

# name in study.toml: name of the row
ADDED_ROWS = {
    "permuted": "permuted",
    "gaussian": "random Gaussian",
    "covariates": "covariates alone",
    "annotations": "number of annotations",
}
TOGETHER = " and "


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes
    ----------
    name
        Name of the row.
    file
        Its embedding.
    digest
        Hash of its genes and values.
    genes
        Its genes.
    dimensions
        Its columns.
    evidence
        What it was made from.
    kind
        ``embedding``, ``added`` or ``together`` (two embeddings side by side, for complementarity).
    """

    name: str
    file: Path
    digest: str
    genes: frozenset[str]
    dimensions: int
    evidence: tuple[str, ...]
    kind: str


def content_digest(embedding: anndata.AnnData) -> str:
    """Hash of genes and values, whatever the file, the header and the order of the dimensions' names."""
    digest = hashlib.sha256("\n".join(map(str, embedding.obs_names)).encode())
    digest.update(np.ascontiguousarray(embedding.X, dtype=np.float32).tobytes())
    return digest.hexdigest()[:16]


def make_rows(plan: StudyPlan, folder: Path) -> list[Row]:
    """Read the embeddings, make the added rows, and write each to ``folder`` under the name of its row.

    Parameters
    ----------
    plan
        The study.
    folder
        Folder of the rows' embeddings.

    Raises
    ------
    InputError
        If embeddings name genes in different ways, or an added row needs a file that the study does not name.
    """
    read: dict[str, anndata.AnnData] = {}
    for one in plan.embeddings:
        if one.file is not None:
            found = read_gene_embedding(one.file, name=one.name, evidence="+".join(one.evidence) or None)
            found.obs_names = embedding_genes(found)
            read[one.name] = found
    for one in plan.embeddings:
        if one.combine:
            read[one.name] = combine_gene_embeddings([read[part] for part in one.combine], name=one.name)
    for one in plan.embeddings:
        if one.evidence:
            read[one.name].uns["cistron"]["evidence"] = "+".join(one.evidence)
    namespaces = {str(one.uns["cistron"]["identifier_namespace"]) for one in read.values()}
    if len(namespaces) > 1:
        raise InputError(
            f"the embeddings of the study name genes in different ways ({', '.join(sorted(namespaces))}); convert with 'cistron genes map'"
        )
    taken = set(ADDED_ROWS.values()) & set(read)
    if taken:
        raise InputError(f"{sorted(taken)[0]!r} is the name of an added row; give the embedding another name")
    rows = [_row(one, "embedding", folder) for one in read.values()]
    rows += [_row(one, "added", folder) for one in added_rows(plan, list(read.values()))]
    if plan.complementarity:
        single = [one.name for one in plan.embeddings if not one.combine]
        for place, first in enumerate(single):
            for second in single[place + 1 :]:
                both = combine_gene_embeddings([read[first], read[second]], name=f"{first}{TOGETHER}{second}")
                rows.append(_row(both, "together", folder))
    return rows


def _row(embedding: anndata.AnnData, kind: str, folder: Path) -> Row:
    name = str(embedding.uns["cistron"]["name"])
    digest = content_digest(embedding)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{digest}.h5ad"
    if not path.exists():
        write_gene_embedding(embedding, path)
    evidence = tuple(str(embedding.uns["cistron"]["evidence"]).split("+"))
    return Row(name, path, digest, frozenset(embedding.obs_names), embedding.n_vars, evidence, kind)


def added_rows(plan: StudyPlan, embeddings: Sequence[anndata.AnnData]) -> list[anndata.AnnData]:
    """Rows to judge the others by: what the widest embedding is worth permuted and as noise, and what covariates tell.

    Parameters
    ----------
    plan
        The study.
    embeddings
        Its embeddings.
    """
    widest = max(embeddings, key=lambda one: (one.n_vars, one.n_obs))
    genes, made = list(widest.obs_names), []
    values = np.asarray(widest.X, dtype=np.float32)
    namespace = str(widest.uns["cistron"]["identifier_namespace"])
    everything = sorted(set().union(*(one.obs_names for one in embeddings)))

    def build(key: str, found: np.ndarray, of: Sequence[str], evidence: str) -> None:
        made.append(
            build_gene_embedding(
                found,
                of,
                name=ADDED_ROWS[key],
                method="added",
                evidence=evidence,
                identifier_namespace=namespace,
            )
        )

    if "permuted" in plan.added:
        order = random_generator(plan.seed, "permuted row").permutation(len(genes))
        build("permuted", values[order], genes, "unknown")
    if "gaussian" in plan.added:
        noise = random_generator(plan.seed, "Gaussian row").normal(size=values.shape)
        build("gaussian", noise, genes, "unknown")
    if "covariates" in plan.added:
        table = _covariates(plan, everything)
        if table is not None:
            build("covariates", table.to_numpy(np.float32), list(table.index), "unknown")
    if "annotations" in plan.added:
        counts = _annotation_counts(plan, everything, namespace)
        if counts is not None:
            build(
                "annotations", counts.to_numpy(np.float32)[:, None] + 1e-3, list(counts.index), "literature"
            )
    return made


def _covariates(plan: StudyPlan, genes: Sequence[str]) -> pd.DataFrame | None:
    """Length and density of genes, and the columns of the study's own table; standardised, unknown values at the mean."""
    from cistron.evaluation.rivals import read_rivals
    from cistron.genes.places import read_gene_places

    places = None if plan.annotation is None else read_gene_places(plan.annotation, "annotation")
    rivals = read_rivals(places, *([] if plan.covariates is None else [plan.covariates]))
    known = [gene for gene in genes if gene in rivals.table.index]
    table = rivals.of(known)
    if table.empty or len(known) < 10:
        say(
            "row 'covariates alone' left out: the study names neither an annotation with places nor covariates of its genes"
        )
        return None
    return table[(table != 0).any(axis=1)]


def _annotation_counts(plan: StudyPlan, genes: Sequence[str], namespace: str) -> pd.Series | None:
    """Logarithm of the number of sets of each gene: how well it is studied."""
    from cistron.evaluation.genesets import read_gene_sets

    if plan.annotation_sets is None:
        say("row 'number of annotations' left out: the study names no annotation_sets")
        return None
    sets = read_gene_sets(plan.annotation_sets)
    if namespace not in ("other", sets.namespace):
        sets = sets.mapped(namespace, plan.gene_map[0] if plan.gene_map else None)
    counts = pd.Series(0.0, index=list(genes))
    for members in sets.members.values():
        counts.loc[counts.index.isin(members)] += 1.0
    if not counts.any():
        raise InputError(
            f"{plan.annotation_sets.name}: none of the genes of the embeddings is in it; give sets with the same ids"
        )
    return np.log1p(counts)
