"""Trivial columns in the place of an embedding, so that a task scores them by the same learner."""

from collections.abc import Sequence

import anndata

from cistron.evaluation.rivals.columns import RIVAL_NAME, Rivals
from cistron.formats.gene_embedding import build_gene_embedding

TRIVIAL = "trivial"  # method of these embeddings


def trivial_embeddings(
    embeddings: Sequence[anndata.AnnData], rivals: Sequence[Rivals], genes: Sequence[str]
) -> list[anndata.AnnData]:
    """Trivial columns as embeddings, so that they are scored by the same learner.

    Parameters
    ----------
    embeddings
        Embeddings that are compared.
    rivals
        Trivial columns of each.
    genes
        Genes that are scored.

    Returns
    -------
    list of AnnData
        One where all embeddings have the same columns, else one for each; none where there are no columns.
    """
    tables = []
    for one in rivals:
        columns = one.of([gene for gene in genes if gene in one.table.index])
        tables.append(columns[(columns != 0).any(axis=1)])
    same = all(table.equals(tables[0]) for table in tables[1:])
    made = []
    for embedding, table in zip(embeddings, tables[:1] if same else tables):
        header = embedding.uns["cistron"]
        if not table.empty:
            found = build_gene_embedding(
                table.to_numpy(),
                list(table.index),
                name=RIVAL_NAME if same else f"{RIVAL_NAME} of {header['name']}",
                method=TRIVIAL,
                evidence="unknown",
                identifier_namespace=str(header["identifier_namespace"]),
            )
            made.append(found)
    return made
