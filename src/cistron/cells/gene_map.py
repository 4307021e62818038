"""Old name of :mod:`cistron.cells.kernel_ridge`, until 0.3."""

from cistron.cells.kernel_ridge import *  # noqa: F403
from cistron.cells.kernel_ridge import KernelRidge as GeneMap  # noqa: F401
from cistron.cells.kernel_ridge import fit_kernel_ridge as fit_gene_map  # noqa: F401
