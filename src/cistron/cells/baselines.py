"""Baselines: the mean of the gene, the mean of the cell, the nearest cell type."""

import numpy as np

from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Fitted, MethodInput
from cistron.cells.training_data import gene_folds
from cistron.methods import NoSettings


def baseline_model(
    inputs: MethodInput, mean: np.ndarray, loadings: np.ndarray, anchors: np.ndarray, rule: str, unseen: float
) -> Fitted:
    """Make a linear model in which all genes never seen share one mean and one loading.

    Parameters
    ----------
    inputs
        What the method was given.
    mean
        float64 [training gene].
    loadings, anchors
        float64 [training gene, factor].
    rule
        How the factors of a cell are found, as of :class:`cistron.cells.linear.LinearModel`.
    unseen
        Loading of genes never seen; NaN leaves them undefined.
    """
    more = len(inputs.features.genes) - len(mean)
    moments = inputs.moments
    return Fitted(
        LinearModel(
            np.r_[mean, np.full(more, 0.0 if np.isfinite(unseen) else np.nan)],
            np.vstack([loadings, np.full((more, loadings.shape[1]), unseen)]),
            anchors,
            moments.mean,
            np.maximum(moments.variance, 1e-6),
            moments.share,
            gene_folds(inputs.data.cells.genes, inputs.seed),
            rule,
        )
    )


def fit_gene_mean(inputs: MethodInput, settings: NoSettings) -> Fitted:
    """Mean of each gene; undefined for genes never seen."""
    mean = inputs.moments.mean
    none = np.zeros((len(mean), 1))
    return baseline_model(inputs, mean, none, none, "none", np.nan)


def fit_size_factor(inputs: MethodInput, settings: NoSettings) -> Fitted:
    """Predict the mean of the cell's visible genes, plus the gene's own mean if it was seen in training."""
    mean = inputs.moments.mean
    one = np.ones((len(mean), 1))
    return baseline_model(inputs, mean - mean.mean(), one, one, "depth", 1.0)


def fit_nearest_type(inputs: MethodInput, settings: NoSettings) -> Fitted:
    """Mean of each gene in the nearest cell type; undefined for genes never seen."""
    moments = inputs.moments
    anchors = (moments.type_mean - moments.mean).T
    return baseline_model(
        inputs, np.zeros(len(moments.mean)), moments.type_mean.T, anchors, "nearest", np.nan
    )
