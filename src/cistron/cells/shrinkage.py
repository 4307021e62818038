"""Empirical-Bayes shrinkage: values measured for a gene are drawn towards those predicted from its features."""

import numpy as np


def shrink_to_features(
    measured: np.ndarray, predicted: np.ndarray, error: np.ndarray, freedom: np.ndarray
) -> np.ndarray:
    """Posterior mean of each gene's values: normal prior around what its features say, normal error of measurement.

    The variance of the prior is what the features leave unexplained less the error, over all genes, corrected for the
    degrees of freedom of the map.

    Parameters
    ----------
    measured
        Values from the gene's own training cells, float64 [gene, output].
    predicted
        Values from its features, float64 [gene, output].
    error
        Variance of the measurement, float64 [gene, output] or broadcast to it.
    freedom
        Degrees of freedom of the map, float64 [output].

    Returns
    -------
    ndarray
        float64 [gene, output].
    """
    genes = len(measured)
    spent = np.clip(1 - freedom / genes, 0.05, 1.0)
    unexplained = ((measured - predicted) ** 2).mean(axis=0) / spent**2
    prior = np.maximum(
        unexplained - np.mean(error * np.ones_like(measured), axis=0), 1e-3 * unexplained + 1e-12
    )
    return predicted + (measured - predicted) * prior / (prior + error)
