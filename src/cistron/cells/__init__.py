"""Expression of genes in single cells from gene embeddings: genes and cells never seen."""

from cistron.cells.estimator import CellExpression
from cistron.cells.inputs import read_cells
from cistron.cells.inputs_features import read_features
from cistron.cells.methods import METHODS
from cistron.cells.settings import SplitSettings
from cistron.cells.splits import CellSplit, split_both

__all__ = [
    "METHODS",
    "CellExpression",
    "CellSplit",
    "SplitSettings",
    "read_cells",
    "read_features",
    "split_both",
]
