"""What is known of each gene: one or several embeddings side by side, scaled on training genes, and their controls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import anndata
import numpy as np

from cistron.cells.settings import ONE_HOT
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import read_gene_embedding
from cistron.genes.identity import match_genes, normalise_identifiers
from cistron.genes.splits import Split
from cistron.runtime.seeds import random_generator

MINIMUM_COVERAGE = 0.5


@dataclass(frozen=True)
class GeneFeatures:
    """Features of genes.

    Attributes
    ----------
    genes
        Genes that every embedding covers, in the order that was asked for.
    values
        float32 [gene, column]; columns have mean 0 over training genes, and each embedding is divided by one number that
        makes its variances sum to 1: embeddings weigh the same, and within one a column weighs what it varies, as
        principal components mean it. No columns for one-hot alone.
    one_hot
        Whether seen genes keep what their own training cells say of them.
    names, evidence
        Embeddings, and the kinds of evidence in them, joined with ``+``.
    control
        Empty, or ``permuted embedding``.
    blocks
        Number of columns of each embedding.
    mean, scale
        What the columns were centred and divided by, float64 [column].
    reports
        How each embedding met the genes.
    """

    genes: tuple[str, ...]
    values: np.ndarray
    one_hot: bool
    names: str
    evidence: str
    control: str
    blocks: tuple[int, ...]
    mean: np.ndarray
    scale: np.ndarray
    reports: tuple[str, ...] = ()

    def with_first(self, genes: Sequence[str]) -> "GeneFeatures":
        """Move these genes to the front; the others keep their order."""
        first = set(genes)
        order = [*genes, *(gene for gene in self.genes if gene not in first)]
        place = dict(zip(self.genes, range(len(self.genes))))
        return replace(self, genes=tuple(order), values=self.values[[place[gene] for gene in order]])


def read_features(
    sources: Sequence[str | Path | anndata.AnnData],
    genes: Sequence[str],
    split: Split,
    *,
    permute: bool = False,
    minimum_coverage: float = MINIMUM_COVERAGE,
    seed: int = 0,
) -> GeneFeatures:
    """Align embeddings to genes by identifier and scale them on training genes.

    Parameters
    ----------
    sources
        Files in a form that :func:`cistron.formats.read_gene_embedding` takes, AnnData, or ``one-hot``.
    genes
        Genes of the cells.
    split
        Split of the genes; scaling is fitted on its training part.
    permute
        Negative control: give each gene the features of another.
    minimum_coverage
        Smallest share of the genes that the embeddings must cover.
    seed
        Seed of the permutation.

    Raises
    ------
    InputError
        If there is no source, or one-hot is to be permuted.
    IdentifierError
        If the embeddings cover too few of the genes.
    """
    one_hot = any(isinstance(source, (str, Path)) and str(source) == ONE_HOT for source in sources)
    files = [source for source in sources if isinstance(source, anndata.AnnData) or str(source) != ONE_HOT]
    if not sources:
        raise InputError("give at least one --embedding: a file in the gene-embedding format, or one-hot")
    if permute and not files:
        raise InputError("one-hot has nothing to permute; give an embedding, or leave the control out")
    embeddings = [
        source if isinstance(source, anndata.AnnData) else read_gene_embedding(source) for source in files
    ]
    reports, kept = _cover(embeddings, genes, minimum_coverage)
    values = join_values(embeddings, kept)
    blocks = tuple(embedding.n_vars for embedding in embeddings)
    if permute:
        values = values[random_generator(seed, "permuted embedding").permutation(len(values))]
    mean, scale = fit_scaling(values, kept, split, blocks)
    headers = [embedding.uns["cistron"] for embedding in embeddings]
    evidence = "+".join(dict.fromkeys("+".join(str(header["evidence"]) for header in headers).split("+")))
    names = [str(header["name"]) for header in headers] + [ONE_HOT] * one_hot
    return GeneFeatures(
        tuple(kept),
        ((values - mean) / scale).astype(np.float32),
        one_hot,
        "+".join(names),
        evidence,
        "permuted embedding" if permute else "",
        blocks,
        mean,
        scale,
        reports,
    )


def _cover(
    embeddings: Sequence[anndata.AnnData], genes: Sequence[str], minimum: float
) -> tuple[tuple[str, ...], list[str]]:
    """Report how many genes each embedding covers, and give the genes that all of them cover."""
    kept, reports = list(genes), []
    for embedding in embeddings:
        name = f"embedding {embedding.uns['cistron']['name']}"
        covered = set(_identifiers(embedding))
        report = match_genes(list(genes), list(covered), "the cells", name)
        reports.append(f"{name}: {report}")
        if report.shared < minimum * len(genes):
            raise IdentifierError(
                f"{name} covers {report.shared:,} of the {len(genes):,} genes of the cells ({report.shared / len(genes):.0%}), "
                f"fewer than {minimum:.0%}; use one that covers more, or say --minimum-coverage"
            )
        kept = [gene for gene in kept if gene in covered]
    if not kept:
        raise IdentifierError(
            "no gene is in the cells and in all embeddings; give embeddings that share genes"
        )
    return tuple(reports), kept


def _identifiers(embedding: anndata.AnnData) -> list[str]:
    return normalise_identifiers(embedding.obs_names, str(embedding.uns["cistron"]["identifier_namespace"]))


def join_values(embeddings: Sequence[anndata.AnnData], genes: Sequence[str]) -> np.ndarray:
    """Values of the embeddings side by side, float32 [gene, column], rows by identifier."""
    parts = [np.zeros((len(genes), 0), dtype=np.float32)]
    for embedding in embeddings:
        place = dict(zip(_identifiers(embedding), range(embedding.n_obs)))
        parts.append(np.asarray(embedding.X, dtype=np.float32)[[place[gene] for gene in genes]])
    return np.hstack(parts)


def fit_scaling(
    values: np.ndarray, genes: Sequence[str], split: Split, blocks: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column and scale of its embedding, over training genes only.

    Parameters
    ----------
    values
        float32 [gene, column].
    genes
        Names of the rows.
    split
        Split of the genes.
    blocks
        Number of columns of each embedding.

    Returns
    -------
    ndarray
        Means, float64 [column].
    ndarray
        Scales, float64 [column]; one number an embedding.
    """
    training = [number for number, gene in enumerate(genes) if gene in split.train]
    return _scaling(values[training], [genes[number] for number in training], split, blocks)


def _scaling(
    values: np.ndarray, genes: Sequence[str], split: Split, blocks: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    split.require_training(genes, "the scaling of gene embeddings")
    if not len(values):
        raise InputError("no training gene is covered by the embeddings; use another split or embedding")
    mean = values.mean(axis=0, dtype=np.float64)
    variance = values.var(axis=0, dtype=np.float64)
    starts = np.r_[0, np.cumsum(blocks)].astype(int)
    scale = [np.sqrt(variance[low:high].sum()) for low, high in pairwise(starts)]
    return mean, np.repeat([one if one > 1e-9 else 1.0 for one in scale], blocks)
