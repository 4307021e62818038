"""The label task: is a label of genes (member or not, a class, a number) predictable from an embedding?"""

from cistron.evaluation.labels.evaluate import LabelResult, evaluate_labels
from cistron.evaluation.labels.run import run_labels
from cistron.evaluation.labels.settings import LabelSettings
from cistron.evaluation.labels.tables import LabelTable, read_labels

__all__ = ["LabelResult", "LabelSettings", "LabelTable", "evaluate_labels", "read_labels", "run_labels"]
