"""The name that :mod:`cistron.cells.kernel_ridge` had before 0.2; kept until 0.3."""

from cistron.cells.kernel_ridge import KernelRidge as GeneMap
from cistron.cells.kernel_ridge import fit_kernel_ridge as fit_gene_map

__all__ = ["GeneMap", "fit_gene_map"]
