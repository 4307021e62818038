"""Join matrices of different assays into one with the samples of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.anndata_files import write_anndata
from cistron.omics.inputs import OmicsMatrix, read_matrix
from cistron.omics.preprocessing import prepare_matrix
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.runtime import atomic_path, check_writable


def join_matrices(
    matrices: Sequence[OmicsMatrix],
    settings: PreprocessingSettings | None = None,
    *,
    minimum_share: float = 0.5,
    name: str | None = None,
) -> anndata.AnnData:
    """Put matrices side by side over the union of their genes.

    Each matrix is transformed by itself first (logarithm where it is expression, every sample centred and
    scaled over its own genes), so that assays of different units meet on one scale. Where an assay lacks a gene,
    its samples are missing for that gene.

    Parameters
    ----------
    matrices
        At least two, of one identifier namespace.
    settings
        Preprocessing of each matrix.
    minimum_share
        Share of all samples in which a gene must be measured to be kept.
    name
        Name of the result, kept in ``uns["name"]``; the names joined with ``+`` when absent.

    Returns
    -------
    AnnData
        ``obs`` = genes, ``var`` = samples (named ``MATRIX:SAMPLE``, column ``matrix``), ``X`` float32 [gene, sample] with NaN
        where a gene was not measured; ``uns["remarks"]`` says what was done.

    Raises
    ------
    InputError
        If there are fewer than two matrices.
    IdentifierError
        If namespaces differ, two matrices share no gene, or no gene is measured often enough.
    """
    if len(matrices) < 2:
        raise InputError(f"joining needs at least 2 matrices. Given: {len(matrices)}")
    namespaces = {matrix.namespace for matrix in matrices}
    if len(namespaces) > 1:
        raise IdentifierError(
            f"the matrices use different gene identifiers ({', '.join(f'{matrix.name}: {matrix.namespace}' for matrix in matrices)}); "
            "convert them to one with 'cistron genes map'"
        )
    known = set(matrices[0].genes)
    for matrix in matrices[1:]:
        if known.isdisjoint(matrix.genes):
            raise IdentifierError(f"matrix {matrix.name} shares no gene with the matrices before it")
        known.update(matrix.genes)
    frames, origin, said = [], [], []
    for number, matrix in enumerate(matrices):
        prepared = prepare_matrix(matrix, settings)
        said.append(prepared.remarks)
        label = (
            matrix.name
            if [other.name for other in matrices].count(matrix.name) == 1
            else f"{matrix.name}.{number + 1}"
        )
        columns = [f"{label}:{sample}" for sample in matrix.samples]
        frames.append(pd.DataFrame(np.vstack(list(prepared.blocks())), index=prepared.genes, columns=columns))
        origin += [label] * len(columns)
    joined = pd.concat(frames, axis=1)
    measured = joined.notna().mean(axis=1) >= minimum_share
    if not measured.any():
        raise IdentifierError(
            f"no gene is measured in {minimum_share:.0%} of the {joined.shape[1]:,} samples"
        )
    dropped = int((~measured).sum())
    joined = joined[measured].sort_index()
    result = anndata.AnnData(
        X=joined.to_numpy(np.float32),
        obs=pd.DataFrame(index=pd.Index(joined.index, name="gene")),
        var=pd.DataFrame({"matrix": origin}, index=pd.Index(joined.columns, name="sample")),
    )
    result.uns["name"] = name or "+".join(matrix.name for matrix in matrices)
    result.uns["remarks"] = [
        *(f"{matrix.name}: {remark}" for matrix, remarks in zip(matrices, said) for remark in remarks),
        f"{dropped:,} of {len(measured):,} genes left out: measured in fewer than {minimum_share:.0%} of the samples",
    ]
    return result


def join_files(
    matrices: Sequence[str | Path],
    output: str | Path,
    settings: PreprocessingSettings | None = None,
    *,
    minimum_share: float = 0.5,
    reading: Mapping[str, Any] | None = None,
) -> anndata.AnnData:
    """Join matrix files and write the result as .h5ad.

    Parameters
    ----------
    matrices
        Files of :func:`cistron.omics.inputs.read_matrix`.
    output
        File to write.
    settings, minimum_share
        As of :func:`join_matrices`.
    reading
        What :func:`cistron.omics.inputs.read_matrix` takes besides the path.

    Returns
    -------
    AnnData
        The joined matrix.
    """
    output = Path(output)
    if output.suffix != ".h5ad":
        raise InputError(f"a joined matrix is written as .h5ad. Given: {output.name}")
    check_writable(output)
    read = [read_matrix(path, **(reading or {})) for path in matrices]
    joined = join_matrices(read, settings, minimum_share=minimum_share)
    with atomic_path(output) as partial:
        write_anndata(joined, partial)
    return joined
