"""The variant task: do scores of variants agree with reporter assays, and with fine-mapped eQTL?"""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.variants.eqtl import evaluate_eqtl as evaluate_eqtl
    from cistron.evaluation.variants.eqtl_inputs import EqtlTable as EqtlTable
    from cistron.evaluation.variants.eqtl_inputs import read_eqtl as read_eqtl
    from cistron.evaluation.variants.evaluate import evaluate_mpra as evaluate_mpra
    from cistron.evaluation.variants.inputs import Measured as Measured
    from cistron.evaluation.variants.inputs import Scored as Scored
    from cistron.evaluation.variants.inputs import read_measured as read_measured
    from cistron.evaluation.variants.inputs import read_scored as read_scored
    from cistron.evaluation.variants.run import run_eqtl as run_eqtl
    from cistron.evaluation.variants.run import run_mpra as run_mpra
    from cistron.evaluation.variants.settings import MpraSettings as MpraSettings
    from cistron.evaluation.variants.settings_eqtl import EqtlSettings as EqtlSettings

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "eqtl": ("evaluate_eqtl",),
        "eqtl_inputs": (
            "EqtlTable",
            "read_eqtl",
        ),
        "evaluate": ("evaluate_mpra",),
        "inputs": (
            "Measured",
            "Scored",
            "read_measured",
            "read_scored",
        ),
        "run": (
            "run_eqtl",
            "run_mpra",
        ),
        "settings": ("MpraSettings",),
        "settings_eqtl": ("EqtlSettings",),
    },
)
