"""Low-rank bilinear model: features of the gene x factors of the cell, both in closed form.

Cells are principal components of training cells x training genes; a gene's mean and loadings are regressed on its
features by kernel ridge; a seen gene adds what its own cells say. The factors of any cell, seen or not, are their
posterior mean given the training genes that are visible in it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cistron.cells.features import GeneFeatures
from cistron.cells.gene_map import GeneMap, fit_gene_map
from cistron.cells.inputs import Cells
from cistron.cells.linear import LinearModel
from cistron.cells.normalisation import Normalisation
from cistron.cells.own_part import shrink_to_features
from cistron.cells.training_data import Moments, TrainingData, gene_folds, principal_factors
from cistron.methods import Count, check_settings


@dataclass(frozen=True)
class BilinearSettings:
    """Settings of ``bilinear``.

    Attributes
    ----------
    factors
        Cell factors at most; the number is chosen among its halvings on the validation cells, where there are any: too
        many factors of few cells are noise.
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

    factors: Count = 64
    kernel: bool = True
    landmarks: Count = 1000
    own: bool = True
    passes: Count = 5

    def __post_init__(self) -> None:
        check_settings(self)


def fit_bilinear(
    data: TrainingData,
    moments: Moments,
    features: GeneFeatures,
    settings: BilinearSettings,
    seed: int,
    validation: tuple[Cells, np.ndarray] | None = None,
) -> tuple[LinearModel, GeneMap, dict[str, Any]]:
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
    validation
        Validation cells (training genes only) and their row numbers, on which the number of factors is chosen.
    """
    loadings, residual = principal_factors(data, moments, settings.factors, passes=settings.passes, seed=seed)
    genes = data.cells.genes
    fitted = fit_gene_map(
        features.values[: len(genes)],
        np.column_stack([moments.mean, loadings]),
        genes,
        data.split.genes,
        kernel=settings.kernel,
        landmarks=settings.landmarks,
        seed=seed,
    )
    predicted = fitted.predict(features.values)
    if not features.values.shape[1]:
        predicted[len(genes) :] = np.nan  # one-hot: the rows of genes never seen are untrained
    own = settings.own or features.one_hot
    fold = gene_folds(genes, seed)
    ranks = [loadings.shape[1]]
    while validation is not None and ranks[-1] >= 4:
        ranks.append(ranks[-1] // 2)
    given = (loadings, residual, moments, predicted, fitted.degrees_of_freedom, own, fold)
    models = {rank: _truncated(rank, *given) for rank in ranks}
    if validation is None:
        return models[ranks[0]], fitted, {"factors": ranks[0]}
    errors = hidden_errors(models, *validation)
    rank = min(errors, key=lambda rank: errors[rank])
    return models[rank], fitted.first_outputs(1 + rank), {"factors": rank, "validation_error": errors}


def _truncated(
    rank: int,
    loadings: np.ndarray,
    residual: np.ndarray,
    moments: Moments,
    predicted: np.ndarray,
    freedom: np.ndarray,
    own: bool,
    fold: np.ndarray,
) -> LinearModel:
    """The model with the leading factors only; the others are noise to it."""
    seen, predicted, anchors = len(loadings), predicted[:, : 1 + rank].copy(), loadings[:, :rank]
    noise = residual + (loadings[:, rank:] ** 2).sum(axis=1)
    noise = np.maximum(noise, 0.1 * noise.mean() + 1e-9)
    if own:
        error = np.column_stack([moments.variance, np.repeat(noise[:, None], rank, axis=1)]) / moments.cells
        measured = np.column_stack([moments.mean, anchors])
        predicted[:seen] = shrink_to_features(measured, predicted[:seen], error, freedom[: 1 + rank])
        anchors = predicted[:seen, 1:]
    return LinearModel(
        predicted[:, 0], predicted[:, 1:], anchors, moments.mean, noise, moments.share, fold, "posterior"
    )


def hidden_errors(
    models: dict[int, LinearModel], cells: Cells, rows: np.ndarray, most: int = 2000
) -> dict[int, float]:
    """Mean squared error of training genes in cells, each predicted from the other folds, by model."""
    training = len(next(iter(models.values())).fold)
    everything = np.ones(training, dtype=bool)
    normalisation = Normalisation(cells.scale, np.arange(training))
    chosen = rows[:: -(-len(rows) // most)]
    seen = {
        rank: replace(model, mean=model.mean[:training], loadings=model.loadings[:training])
        for rank, model in models.items()
    }
    total = dict.fromkeys(models, 0.0)
    for _, block in cells.blocks(chosen):
        observed = normalisation.expression(block).toarray()
        for rank, model in seen.items():
            total[rank] += float(((model.predict(block, normalisation, everything) - observed) ** 2).sum())
    return {rank: error / (len(chosen) * training) for rank, error in total.items()}
