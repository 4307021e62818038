"""Which genes of the traits an embedding covers, and its controls."""

from dataclasses import dataclass
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.formats.gene_embedding import embedding_genes
from cistron.genes.identity import match_genes

MINIMUM_GENES = 100


@dataclass(frozen=True)
class Scored:
    """An embedding ready to be scored.

    Attributes
    ----------
    name
        Name, unique in the run.
    values
        float32 [gene, dimension].
    genes
        Cleaned identifiers.
    information
        Facts for the report: evidence, method, dimensions, genes, matched.
    """

    name: str
    values: np.ndarray
    genes: pd.Index
    information: dict[str, Any]

    def rows_for(self, genes: pd.Index) -> np.ndarray:
        """Row of each of ``genes`` in :attr:`values`, -1 where it is not covered; int [gene]."""
        return self.genes.get_indexer(genes)


def prepare_embeddings(embeddings: list[anndata.AnnData], genes: pd.Index, traits_name: str) -> list[Scored]:
    """Clean identifiers, make names unique, and report how each embedding meets the traits.

    Parameters
    ----------
    embeddings
        Gene embeddings.
    genes
        Cleaned ids of the genes of the traits.
    traits_name
        Name of the traits, for messages.

    Returns
    -------
    list of Scored
        One an embedding.

    Raises
    ------
    IdentifierError
        If an embedding shares fewer than 100 genes with the traits, or two of its genes become one when
        versions are cut off.
    """
    prepared: list[Scored] = []
    for embedding in embeddings:
        header = embedding.uns["cistron"]
        name = str(header["name"])
        taken = {scored.name for scored in prepared}
        number = 2
        while name in taken:
            name, number = f"{header['name']}.{number}", number + 1
        ids = embedding_genes(embedding)
        match = match_genes(
            list(ids), list(genes), f"embedding {name}", f"traits {traits_name}", MINIMUM_GENES
        )
        information = {
            "embedding": name,
            "genes": embedding.n_obs,
            "dimensions": embedding.n_vars,
            "evidence": str(header["evidence"]),
            "method": str(header["method"]),
            "licence": str(header.get("licence", "")),
            "matched": match.shared,
            "trait_genes": match.right,
        }
        prepared.append(Scored(name, np.asarray(embedding.X, dtype=np.float32), ids, information))
    return prepared
