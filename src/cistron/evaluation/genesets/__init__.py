"""The gene-set task: is a gene's membership in a set predictable from an embedding on chromosomes left out?"""

from cistron.evaluation.genesets.evaluate import GeneSetResult, GeneSetSettings, evaluate_gene_sets
from cistron.evaluation.genesets.run import run_gene_sets
from cistron.evaluation.genesets.sets import GeneSets, read_chromosomes, read_gene_sets

__all__ = [
    "GeneSetResult",
    "GeneSetSettings",
    "GeneSets",
    "evaluate_gene_sets",
    "read_chromosomes",
    "read_gene_sets",
    "run_gene_sets",
]
