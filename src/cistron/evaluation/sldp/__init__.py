"""The task of signed LD profile regression: do signed scores of variants agree with the signs of a GWAS?"""

from cistron.evaluation.sldp.evaluate import SldpResult, evaluate_sldp
from cistron.evaluation.sldp.linkage import Reference, read_reference
from cistron.evaluation.sldp.run import run_sldp
from cistron.evaluation.sldp.settings import SldpSettings
from cistron.evaluation.sldp.summary import Trait, read_trait

__all__ = [
    "Reference",
    "SldpResult",
    "SldpSettings",
    "Trait",
    "evaluate_sldp",
    "read_reference",
    "read_trait",
    "run_sldp",
]
