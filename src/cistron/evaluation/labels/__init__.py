"""The label task: is a label of genes (member or not, a class, a number) predictable from an embedding?"""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.labels.evaluate import LabelResult as LabelResult
    from cistron.evaluation.labels.evaluate import evaluate_labels as evaluate_labels
    from cistron.evaluation.labels.run import run_labels as run_labels
    from cistron.evaluation.labels.settings import LabelSettings as LabelSettings
    from cistron.evaluation.labels.tables import LabelTable as LabelTable
    from cistron.evaluation.labels.tables import read_labels as read_labels

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": (
            "LabelResult",
            "evaluate_labels",
        ),
        "run": ("run_labels",),
        "settings": ("LabelSettings",),
        "tables": (
            "LabelTable",
            "read_labels",
        ),
    },
)
