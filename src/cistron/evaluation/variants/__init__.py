"""The variant task: do scores of variants agree with reporter assays, and with fine-mapped eQTL?"""

from cistron.evaluation.variants.eqtl import evaluate_eqtl
from cistron.evaluation.variants.eqtl_inputs import EqtlTable, read_eqtl
from cistron.evaluation.variants.evaluate import MpraSettings, evaluate_mpra
from cistron.evaluation.variants.inputs import Measured, Scored, read_measured, read_scored
from cistron.evaluation.variants.run import run_eqtl, run_mpra
from cistron.evaluation.variants.settings_eqtl import EqtlSettings

__all__ = [
    "EqtlSettings",
    "EqtlTable",
    "Measured",
    "MpraSettings",
    "Scored",
    "evaluate_eqtl",
    "evaluate_mpra",
    "read_eqtl",
    "read_measured",
    "read_scored",
    "run_eqtl",
    "run_mpra",
]
