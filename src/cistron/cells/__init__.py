"""Expression of genes in single cells from gene embeddings: genes and cells never seen."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names
from cistron.old_names import keep_old_modules

if TYPE_CHECKING:
    from cistron.cells.estimator import CellExpression as CellExpression
    from cistron.cells.inputs import read_cells as read_cells
    from cistron.cells.inputs_features import read_features as read_features
    from cistron.cells.methods import METHODS as METHODS
    from cistron.cells.settings import SplitSettings as SplitSettings
    from cistron.cells.splits import CellSplit as CellSplit
    from cistron.cells.splits import split_both as split_both

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "estimator": ("CellExpression",),
        "inputs": ("read_cells",),
        "inputs_features": ("read_features",),
        "methods": ("METHODS",),
        "settings": ("SplitSettings",),
        "splits": (
            "CellSplit",
            "split_both",
        ),
    },
)

keep_old_modules(
    "cistron.cells",
    {
        "commands": ("settings",),
        "features": ("inputs_features",),
        "fitting": ("baselines",),
        "gene_map": ("kernel_ridge",),
        "gene_table": ("inputs_gene_places",),
        "own_part": ("shrinkage",),
        "problem": ("method_input",),
        "ridge": ("settings",),
        "saved": ("estimator",),
        "transformer_settings": ("settings",),
    },
    {
        "GeneMap": "KernelRidge",
        "Problem": "MethodInput",
        "RidgeSettings": "CellTypeRidgeSettings",
        "fit_gene_map": "fit_kernel_ridge",
    },
)
