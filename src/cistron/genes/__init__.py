"""Who a gene is: identifiers, annotation, splits."""

from cistron.genes.identity import (
    NAMESPACES,
    GeneMap,
    guess_namespace,
    match_genes,
    normalise_identifiers,
    read_gene_map,
)

__all__ = [
    "NAMESPACES",
    "GeneMap",
    "guess_namespace",
    "match_genes",
    "normalise_identifiers",
    "read_gene_map",
]
