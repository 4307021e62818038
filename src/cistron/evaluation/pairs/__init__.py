"""The pair task: is a property of two genes (synthetic lethality, regulation, interaction) predictable from an embedding?"""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.pairs.evaluate import PairResult as PairResult
    from cistron.evaluation.pairs.evaluate import evaluate_pairs as evaluate_pairs
    from cistron.evaluation.pairs.run import run_pairs as run_pairs
    from cistron.evaluation.pairs.settings import PairSettings as PairSettings
    from cistron.evaluation.pairs.tables import PairTable as PairTable
    from cistron.evaluation.pairs.tables import read_pairs as read_pairs

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": (
            "PairResult",
            "evaluate_pairs",
        ),
        "run": ("run_pairs",),
        "settings": ("PairSettings",),
        "tables": (
            "PairTable",
            "read_pairs",
        ),
    },
)
