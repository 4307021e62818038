"""Who a gene is: identifiers, annotation, splits."""

from cistron.genes.gene_map import read_gene_map
from cistron.genes.identity import (
    NAMESPACES,
    GeneMap,
    guess_namespace,
    match_genes,
    normalise_identifiers,
)
from cistron.genes.places import read_gene_places

__all__ = [
    "NAMESPACES",
    "GeneMap",
    "guess_namespace",
    "match_genes",
    "normalise_identifiers",
    "read_gene_map",
    "read_gene_places",
]
