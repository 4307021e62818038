"""Functions that are methods of :class:`cistron.cells.CellExpression` since 0.2; kept until 0.3."""

from cistron.cells.estimator import CellExpression

save_cells_model = CellExpression.save
load_cells_model = CellExpression.load
