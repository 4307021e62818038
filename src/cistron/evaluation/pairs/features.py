"""What two gene vectors make of a pair, as kernels between pairs."""

from typing import Literal

import numpy as np

from cistron.evaluation.labels.learners import scale_gamma

Combination = Literal["sum", "product", "difference", "concatenation", "bilinear"]
COMBINATIONS = ("sum", "product", "difference", "concatenation", "bilinear")


def pair_features(values: np.ndarray, first: np.ndarray, second: np.ndarray, combination: str) -> np.ndarray:
    """Features of pairs, float64 [pair, column].

    Parameters
    ----------
    values
        Embedding, float64 [gene, dimension].
    first, second
        Gene numbers, int [pair].
    combination
        ``sum``, ``product``, ``difference`` (absolute) or ``concatenation``.
    """
    a, b = values[first], values[second]
    if combination == "sum":
        return np.asarray(a + b)
    if combination == "product":
        return np.asarray(a * b)
    if combination == "difference":
        return np.asarray(np.abs(a - b))
    return np.hstack([a, b])


def pair_kernels(
    values: np.ndarray,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    combination: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Radial kernels of the training pairs, and of the test pairs against them.

    ``bilinear`` is asymmetric: the kernel of two pairs is that of their first genes times that of their second genes, which is
    the bilinear form a' W b in the space of the radial kernel.

    Parameters
    ----------
    values
        Embedding, float64 [gene, dimension].
    train, test
        First and second gene numbers of the pairs.
    combination
        How the two vectors are joined.
    """
    if combination == "bilinear":
        kernels, across = _radial(values[train[0]], values[test[0]])
        one, other = _radial(values[train[1]], values[test[1]])
        return kernels * one, across * other
    return _radial(pair_features(values, *train, combination), pair_features(values, *test, combination))


def _radial(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gamma = scale_gamma(train)
    length = (train**2).sum(axis=1)
    made = []
    for rows in (train, test):
        kernel = (rows**2).sum(axis=1)[:, None] + length - 2.0 * (rows @ train.T)
        np.maximum(kernel, 0.0, out=kernel)
        kernel *= -gamma
        made.append(np.exp(kernel, out=kernel))
    return made[0], made[1]
