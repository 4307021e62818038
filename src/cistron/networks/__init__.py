"""Which gene regulates which, from CRISPR-perturbed single cells."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.networks.estimator import CausalBenchModel as CausalBenchModel
    from cistron.networks.estimator import NetworkInference as NetworkInference
    from cistron.networks.methods import METHODS as METHODS

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "estimator": (
            "CausalBenchModel",
            "NetworkInference",
        ),
        "methods": ("METHODS",),
    },
)
