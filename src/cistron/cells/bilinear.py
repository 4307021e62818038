"""Low-rank bilinear model: features of the gene x factors of the cell, both in closed form.

Cells are principal components of training cells x training genes; a gene's mean and loadings are regressed on its
features by kernel ridge; a seen gene adds what its own cells say. The factors of any cell, seen or not, are their
posterior mean given the training genes that are visible in it.
"""

from dataclasses import dataclass

import numpy as np

from cistron.cells.features import GeneFeatures
from cistron.cells.gene_map import GeneMap, fit_gene_map
from cistron.cells.linear import LinearModel
from cistron.cells.own_part import shrink_to_features
from cistron.cells.training_data import Moments, TrainingData, gene_folds, principal_factors
from cistron.errors import InputError


@dataclass(frozen=True)
class BilinearSettings:
    """Settings of ``bilinear``.

    Attributes
    ----------
    factors
        Cell factors.
    kernel
        Gaussian kernels on gene features beside the linear part.
    landmarks
        Landmark genes of the kernel.
    own
        Whether a seen gene keeps a mean and loadings of its own, shrunk to what its features say. Without it (and
        without one-hot among the embeddings) seen genes are predicted from their features alone.
    passes
        Passes over the cells to find the factors.
    """

    factors: int = 64
    kernel: bool = True
    landmarks: int = 1000
    own: bool = True
    passes: int = 5

    def __post_init__(self) -> None:
        for name in ("factors", "landmarks", "passes"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more. Given: {getattr(self, name)}")


def fit_bilinear(
    data: TrainingData, moments: Moments, features: GeneFeatures, settings: BilinearSettings, seed: int
) -> tuple[LinearModel, GeneMap]:
    """Fit the model.

    Parameters
    ----------
    data
        Training cells x training genes.
    moments
        Their sums.
    features
        Features of all genes, training genes first.
    settings
        Rank and kernel.
    seed
        Seed of landmarks, folds and the start of the iteration.
    """
    loadings, residual = principal_factors(data, moments, settings.factors, passes=settings.passes, seed=seed)
    noise = np.maximum(residual, 0.1 * residual.mean() + 1e-9)
    genes = data.cells.genes
    measured = np.column_stack([moments.mean, loadings])
    fitted = fit_gene_map(
        features.values[: len(genes)],
        measured,
        genes,
        data.split.genes,
        kernel=settings.kernel,
        landmarks=settings.landmarks,
        seed=seed,
    )
    predicted = fitted.predict(features.values)
    anchors = loadings
    if settings.own or features.one_hot:
        error = np.column_stack([moments.variance, np.repeat(noise[:, None], loadings.shape[1], axis=1)])
        error /= moments.cells
        seen = shrink_to_features(measured, predicted[: len(genes)], error, fitted.degrees_of_freedom)
        predicted[: len(genes)] = seen
        anchors = seen[:, 1:]
    if not features.values.shape[1]:
        predicted[len(genes) :] = np.nan  # one-hot: the rows of genes never seen are untrained
    model = LinearModel(
        predicted[:, 0],
        predicted[:, 1:],
        anchors,
        moments.mean,
        noise,
        moments.share,
        gene_folds(genes, seed),
        "posterior",
    )
    return model, fitted
