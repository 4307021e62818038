"""The name that :mod:`cistron.cells.shrinkage` had before 0.2; kept until 0.3."""

from cistron.cells.shrinkage import shrink_to_features

__all__ = ["shrink_to_features"]
