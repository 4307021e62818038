"""The name that :mod:`cistron.cells.method_input` had before 0.2; kept until 0.3."""

from cistron.cells.method_input import Fitted, Predictor
from cistron.cells.method_input import MethodInput as Problem

__all__ = ["Fitted", "Predictor", "Problem"]
