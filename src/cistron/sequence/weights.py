"""The name that :mod:`cistron.sequence.saving` had before 0.2; kept until 0.3."""

from cistron.sequence.saving import convert_weights, load_weights, read_description, save_weights

__all__ = ["convert_weights", "load_weights", "read_description", "save_weights"]
