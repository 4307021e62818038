"""``cistron omics join``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import Output
from cistron.methods import Share
from cistron.omics.duplicates import Duplicates
from cistron.omics.preprocessing import PreprocessingSettings
from cistron.runtime import show


def join(
    *matrices: Path,
    output: Output,
    minimum_share: Share = 0.5,
    duplicates: Duplicates = "error",
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
) -> None:
    """Put matrices of different assays side by side, on one scale, over the union of their genes.

    Parameters
    ----------
    matrices
        At least two matrices of genes x samples, with the same kind of gene ids.
    minimum_share
        Share of all samples in which a gene must be measured to be kept.
    duplicates
        What becomes of genes that occur more than once in a matrix: sum (counts, TPM), mean, first, or an error.
    """
    from cistron.errors import InputError
    from cistron.formats.anndata_files import write_anndata
    from cistron.omics.inputs import read_matrix
    from cistron.omics.joining import join_matrices
    from cistron.runtime import atomic_path, check_writable

    if output.suffix != ".h5ad":
        raise InputError(f"a joined matrix is written as .h5ad. Given: {output.name}")
    check_writable(output)
    joined = join_matrices(
        [read_matrix(path, duplicates=duplicates) for path in matrices],
        preprocessing,
        minimum_share=minimum_share,
    )
    with atomic_path(output) as partial:
        write_anndata(joined, partial)
    for remark in joined.uns["remarks"]:
        show(f"  {remark}")
    show(f"wrote {output}: {joined.n_obs:,} genes x {joined.n_vars:,} samples of {len(matrices)} matrices")
