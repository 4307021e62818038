"""Expression of genes in single cells from gene embeddings: genes and cells never seen."""

from cistron.cells.estimator import CellExpression
from cistron.cells.inputs import read_cells
from cistron.cells.inputs_features import read_features
from cistron.cells.methods import METHODS
from cistron.cells.settings import SplitSettings
from cistron.cells.splits import CellSplit, split_both
from cistron.old_names import keep_old_modules

__all__ = [
    "METHODS",
    "CellExpression",
    "CellSplit",
    "SplitSettings",
    "read_cells",
    "read_features",
    "split_both",
]

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
