"""Old name of :mod:`cistron.cells.method_input`, until 0.3."""

from cistron.cells.method_input import *  # noqa: F403
from cistron.cells.method_input import MethodInput as Problem  # noqa: F401
