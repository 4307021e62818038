"""The pair task: is a property of two genes (synthetic lethality, regulation, interaction) predictable from an embedding?"""

from cistron.evaluation.pairs.evaluate import PairResult, evaluate_pairs
from cistron.evaluation.pairs.run import run_pairs
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.pairs.tables import PairTable, read_pairs

__all__ = ["PairResult", "PairSettings", "PairTable", "evaluate_pairs", "read_pairs", "run_pairs"]
