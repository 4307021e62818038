"""The name that :mod:`cistron.cells.inputs_features` had before 0.2; kept until 0.3."""

from cistron.cells.inputs_features import GeneFeatures, fit_scaling, join_values, read_features
from cistron.cells.settings import ONE_HOT

__all__ = ["ONE_HOT", "GeneFeatures", "fit_scaling", "join_values", "read_features"]
