"""Old name of :mod:`cistron.cells.saving`, whose functions are methods of ``CellExpression`` now, until 0.3."""

from cistron.cells.estimator import CellExpression

save_cells_model = CellExpression.save
load_cells_model = CellExpression.load
