"""Ridge from gene features to cell types (each a target), or to low-rank cell factors where types are unknown."""

from dataclasses import dataclass

import numpy as np

from cistron.cells.bilinear import BilinearSettings, fit_bilinear
from cistron.cells.features import GeneFeatures
from cistron.cells.gene_map import GeneMap, fit_gene_map
from cistron.cells.inputs import Cells
from cistron.cells.linear import LinearModel
from cistron.cells.own_part import shrink_to_features
from cistron.cells.training_data import Moments, TrainingData, gene_folds
from cistron.methods import Count, check_settings


@dataclass(frozen=True)
class RidgeSettings:
    """Settings of ``ridge``.

    Attributes
    ----------
    factors
        Cell factors that stand in for cell types where those are not known.
    """

    factors: Count = 64

    def __post_init__(self) -> None:
        check_settings(self)


def fit_ridge_method(
    data: TrainingData,
    moments: Moments,
    features: GeneFeatures,
    settings: RidgeSettings,
    seed: int,
    validation: tuple[Cells, np.ndarray] | None = None,
) -> tuple[LinearModel, GeneMap]:
    """Fit ridge on training genes, one target a cell type; a cell is predicted as its nearest type.

    Seen genes are predicted from their features like any other; one-hot among the embeddings gives them a part of their own.

    Parameters
    ----------
    data, moments, features
        As of :func:`cistron.cells.bilinear.fit_bilinear`.
    settings
        Factors without cell types.
    seed
        Seed of folds.
    validation
        As of :func:`cistron.cells.bilinear.fit_bilinear`, where cell types are not known.
    """
    if len(moments.types) < 2:
        low_rank = BilinearSettings(factors=settings.factors, kernel=False, own=False)
        model, fitted, _ = fit_bilinear(data, moments, features, low_rank, seed, validation)
        return model, fitted
    genes = data.cells.genes
    targets = moments.type_mean.T
    fitted = fit_gene_map(
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
    return model, fitted
