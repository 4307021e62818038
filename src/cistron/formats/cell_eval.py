"""Predictions as cell-eval reads them: two AnnData of the same cells and genes, one predicted and one observed."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import write_anndata
from cistron.formats.prediction import open_prediction
from cistron.runtime.files import atomic_path

LABEL = "target_gene"  # cell-eval's name of the column of perturbations


def export_cell_eval(
    prediction: str | Path,
    predicted: str | Path,
    observed: str | Path,
    *,
    control: str,
    column: str = "cell_type",
    part: str = "all",
) -> tuple[int, int]:
    """Write a prediction file as the two files of ``cell-eval run -ap PREDICTED -ar OBSERVED``.

    Cell types (or another column of obs) stand where cell-eval has perturbations; one of them is the control from which it takes
    differences. The control's cells carry observed values in both files, because cell-eval compares with the same control.

    Parameters
    ----------
    prediction
        File of the prediction format, of single cells on a logarithmic scale.
    predicted, observed
        .h5ad to write.
    control
        Label that is the control.
    column
        Column of obs with the labels.
    part
        Genes that are written: ``all``, or ``train``, ``validation`` or ``test``. Genes without a prediction are left out.

    Returns
    -------
    tuple of int
        Number of cells and of genes.

    Raises
    ------
    InputError
        If the column or the control is absent, or no gene is left.
    """
    source = open_prediction(prediction)
    if column not in source.observations:
        raise InputError(
            f"{source.path.name}: obs has no column {column!r}; it has {', '.join(map(str, source.observations.columns))}"
        )
    labels = source.observations[column].astype(str)
    if control not in set(labels):
        raise InputError(
            f"{source.path.name}: no cell has {column} {control!r}; it has {', '.join(sorted(set(labels))[:8])}"
        )
    genes = np.arange(len(source.genes))
    if part != "all":
        genes = np.flatnonzero((source.genes["split"].astype(str) == part).to_numpy())
    values = (
        source.values("predicted", columns=genes) if len(genes) else np.zeros((len(labels), 0), np.float32)
    )
    known = np.isfinite(values).all(axis=0)
    if not known.any():
        raise InputError(f"{source.path.name}: no gene of part {part!r} has a prediction in every cell")
    values, genes = values[:, known], genes[known]
    truth = source.values("observed", columns=genes)
    truth = np.nan_to_num(truth)
    own = (labels == control).to_numpy()
    values[own] = truth[own]
    table = pd.DataFrame({LABEL: pd.Categorical(labels)}, index=source.observations.index)
    for path, matrix in ((predicted, values), (observed, truth)):
        result = anndata.AnnData(matrix, obs=table, var=source.genes.iloc[genes][["split"]].copy())
        with atomic_path(path) as partial:
            write_anndata(result, partial)
    return len(labels), len(genes)
