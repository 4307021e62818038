"""Ridge regression of expression on gene features, one target for each cell type, or for each cell factor if types are unknown."""

from dataclasses import replace

import numpy as np

from cistron.cells.bilinear import fit_bilinear
from cistron.cells.kernel_ridge import fit_kernel_ridge
from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Fitted, MethodInput
from cistron.cells.settings import BilinearSettings, CellTypeRidgeSettings
from cistron.cells.shrinkage import shrink_to_features
from cistron.cells.training_data import gene_folds


def fit_cell_type_ridge(inputs: MethodInput, settings: CellTypeRidgeSettings) -> Fitted:
    """Fit ridge on training genes, one target a cell type; a cell is predicted as its nearest type.

    Seen genes are predicted from their features like any other; with one-hot among the embeddings they also keep what
    their own cells say. Where cell types are not known, factors of the cells take their place.
    """
    data, moments, features, seed = inputs.data, inputs.moments, inputs.features, inputs.seed
    if len(moments.types) < 2:
        low_rank = BilinearSettings(factors=settings.factors, kernel=False, own=False)
        return replace(fit_bilinear(inputs, low_rank), facts={})
    genes = data.cells.genes
    targets = moments.type_mean.T
    fitted = fit_kernel_ridge(
        features.values[: len(genes)], targets, genes, data.split.genes, kernel=False, seed=seed
    )
    predicted = fitted.predict(features.values)
    if features.one_hot:
        error = np.repeat(
            moments.variance[:, None] * len(moments.types) / moments.cells, targets.shape[1], axis=1
        )
        predicted[: len(genes)] = shrink_to_features(
            targets, predicted[: len(genes)], error, fitted.degrees_of_freedom
        )
    mean = np.zeros(len(predicted))
    if not features.values.shape[1]:
        predicted[len(genes) :] = np.nan
    model = LinearModel(
        mean,
        predicted,
        targets - moments.mean[:, None],
        moments.mean,
        np.maximum(moments.variance, 1e-6),
        moments.share,
        gene_folds(genes, seed),
        "nearest",
    )
    return Fitted(model, fitted)
