"""The gene-set task: is a gene's membership in a set predictable from an embedding on chromosomes left out?"""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.genesets.evaluate import GeneSetResult as GeneSetResult
    from cistron.evaluation.genesets.evaluate import evaluate_gene_sets as evaluate_gene_sets
    from cistron.evaluation.genesets.run import run_gene_sets as run_gene_sets
    from cistron.evaluation.genesets.sets import GeneSets as GeneSets
    from cistron.evaluation.genesets.sets import read_chromosomes as read_chromosomes
    from cistron.evaluation.genesets.sets import read_gene_sets as read_gene_sets
    from cistron.evaluation.genesets.settings import GeneSetSettings as GeneSetSettings

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": (
            "GeneSetResult",
            "evaluate_gene_sets",
        ),
        "run": ("run_gene_sets",),
        "sets": (
            "GeneSets",
            "read_chromosomes",
            "read_gene_sets",
        ),
        "settings": ("GeneSetSettings",),
    },
)
