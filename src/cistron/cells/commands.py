"""The name that :mod:`cistron.cells.settings` had before 0.2; kept until 0.3."""

from cistron.cells.settings import PredictRequest, TrainRequest

__all__ = ["PredictRequest", "TrainRequest"]
