"""The variant task: do scores of variants agree with what reporter assays measured?"""

from cistron.evaluation.variants.evaluate import MpraSettings, evaluate_mpra
from cistron.evaluation.variants.inputs import Measured, Scored, read_measured, read_scored
from cistron.evaluation.variants.run import run_mpra

__all__ = ["Measured", "MpraSettings", "Scored", "evaluate_mpra", "read_measured", "read_scored", "run_mpra"]
