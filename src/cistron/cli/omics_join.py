"""``cistron omics join``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import GeneColumn, GenesIn, Layer, Modality, Output
from cistron.cli.running import InCloud
from cistron.methods import Share
from cistron.omics.settings_preparation import Duplicates, PreprocessingSettings
from cistron.runtime import show


def join(
    *matrices: Annotated[Path, InCloud()],
    output: Output,
    minimum_share: Share = 0.5,
    layer: Layer = None,
    genes_in: GenesIn = "auto",
    gene_column: GeneColumn = None,
    modality: Modality = None,
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
    from cistron.omics.joining import join_files

    joined = join_files(
        matrices,
        output,
        preprocessing,
        minimum_share=minimum_share,
        reading={
            "layer": layer,
            "genes_in": genes_in,
            "gene_column": gene_column,
            "modality": modality,
            "duplicates": duplicates,
        },
    )
    for remark in joined.uns["remarks"]:
        show(f"  {remark}")
    show(f"wrote {output}: {joined.n_obs:,} genes x {joined.n_vars:,} samples of {len(matrices)} matrices")
