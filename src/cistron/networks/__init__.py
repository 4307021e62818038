"""Which gene regulates which, from CRISPR-perturbed single cells."""

from cistron.networks.estimator import CausalBenchModel, NetworkInference
from cistron.networks.methods import METHODS

__all__ = ["METHODS", "CausalBenchModel", "NetworkInference"]
