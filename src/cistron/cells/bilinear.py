"""Low-rank bilinear model: features of the gene x factors of the cell, both in closed form.

Cells are principal components of training cells x training genes; a gene's mean and loadings are regressed on its
features by kernel ridge; a seen gene adds what its own cells say. The factors of any cell, seen or not, are their
posterior mean given the training genes that are visible in it.
"""

from dataclasses import replace

import numpy as np

from cistron.cells.inputs import Cells
from cistron.cells.kernel_ridge import fit_kernel_ridge
from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Fitted, MethodInput
from cistron.cells.normalisation import Normalisation
from cistron.cells.settings import BilinearSettings
from cistron.cells.shrinkage import shrink_to_features
from cistron.cells.training_data import Moments, gene_folds, principal_factors


def fit_bilinear(inputs: MethodInput, settings: BilinearSettings) -> Fitted:
    """Fit the model; the number of factors is chosen on the validation cells, where there are any."""
    data, moments, features, seed = inputs.data, inputs.moments, inputs.features, inputs.seed
    validation = inputs.validation
    loadings, residual = principal_factors(data, moments, settings.factors, passes=settings.passes, seed=seed)
    genes = data.cells.genes
    fitted = fit_kernel_ridge(
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
        return Fitted(models[ranks[0]], fitted, {"factors": ranks[0]})
    errors = hidden_errors(models, *validation)
    rank = min(errors, key=lambda rank: errors[rank])
    facts = {"factors": rank, "validation_error": errors}
    return Fitted(models[rank], fitted.first_outputs(1 + rank), facts)


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
    """Mean squared error of training genes in cells, each fold predicted from the other folds.

    Parameters
    ----------
    models
        Models by number of factors.
    cells
        Cells of the training genes.
    rows
        Row numbers of the cells to predict, ascending.
    most
        Most cells to look at, evenly spaced among ``rows``.

    Returns
    -------
    dict of int to float
        Error by number of factors.
    """
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
