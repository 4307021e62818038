"""The task of signed LD profile regression: do signed scores of variants agree with the signs of a GWAS?"""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.evaluation.sldp.evaluate import SldpResult as SldpResult
    from cistron.evaluation.sldp.evaluate import evaluate_sldp as evaluate_sldp
    from cistron.evaluation.sldp.linkage import Reference as Reference
    from cistron.evaluation.sldp.linkage import read_reference as read_reference
    from cistron.evaluation.sldp.run import run_sldp as run_sldp
    from cistron.evaluation.sldp.settings import SldpSettings as SldpSettings
    from cistron.evaluation.sldp.summary import Trait as Trait
    from cistron.evaluation.sldp.summary import read_trait as read_trait

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": (
            "SldpResult",
            "evaluate_sldp",
        ),
        "linkage": (
            "Reference",
            "read_reference",
        ),
        "run": ("run_sldp",),
        "settings": ("SldpSettings",),
        "summary": (
            "Trait",
            "read_trait",
        ),
    },
)
