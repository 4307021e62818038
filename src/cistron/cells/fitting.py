"""From a problem and settings to a fitted model: the functions behind the list of methods."""

import numpy as np

from cistron.cells.bilinear import BilinearSettings, fit_bilinear
from cistron.cells.linear import LinearModel
from cistron.cells.problem import Fitted, Problem
from cistron.cells.ridge import RidgeSettings, fit_ridge_method
from cistron.cells.training_data import gene_folds
from cistron.cells.transformer_settings import TransformerSettings
from cistron.methods import NoSettings


def baseline_model(
    problem: Problem, mean: np.ndarray, loadings: np.ndarray, anchors: np.ndarray, rule: str, unseen: float
) -> Fitted:
    """A linear model that gives genes never seen the mean and loadings ``unseen`` (NaN: undefined)."""
    more = len(problem.features.genes) - len(mean)
    moments = problem.moments
    return Fitted(
        LinearModel(
            np.r_[mean, np.full(more, 0.0 if np.isfinite(unseen) else np.nan)],
            np.vstack([loadings, np.full((more, loadings.shape[1]), unseen)]),
            anchors,
            moments.mean,
            np.maximum(moments.variance, 1e-6),
            moments.share,
            gene_folds(problem.data.cells.genes, problem.seed),
            rule,
        )
    )


def fit_gene_mean(problem: Problem, settings: NoSettings) -> Fitted:
    """Mean of each gene; undefined for genes never seen."""
    mean = problem.moments.mean
    none = np.zeros((len(mean), 1))
    return baseline_model(problem, mean, none, none, "none", np.nan)


def fit_size_factor(problem: Problem, settings: NoSettings) -> Fitted:
    """Mean of the cell's visible genes, plus the gene's own mean where it was seen."""
    mean = problem.moments.mean
    one = np.ones((len(mean), 1))
    return baseline_model(problem, mean - mean.mean(), one, one, "depth", 1.0)


def fit_nearest_type(problem: Problem, settings: NoSettings) -> Fitted:
    """Mean of each gene in the nearest cell type; undefined for genes never seen."""
    moments = problem.moments
    anchors = (moments.type_mean - moments.mean).T
    return baseline_model(
        problem, np.zeros(len(moments.mean)), moments.type_mean.T, anchors, "nearest", np.nan
    )


def fit_bilinear_method(problem: Problem, settings: BilinearSettings) -> Fitted:
    """Mean and loadings of each gene times factors of the cell."""
    given = (problem.data, problem.moments, problem.features, settings, problem.seed, problem.validation)
    return Fitted(*fit_bilinear(*given))


def fit_ridge(problem: Problem, settings: RidgeSettings) -> Fitted:
    """Ridge from gene features to the mean of every cell type."""
    given = (problem.data, problem.moments, problem.features, settings, problem.seed, problem.validation)
    return Fitted(*fit_ridge_method(*given))


def fit_transformer_method(problem: Problem, settings: TransformerSettings) -> Fitted:
    """Attention of each gene over the cell's other genes."""
    from cistron.cells.transformer_fit import fit_transformer

    return Fitted(*fit_transformer(problem, settings))
