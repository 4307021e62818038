"""Kernel ridge regression of values of genes on features of genes, in closed form: linear, or with Gaussian kernels.

The kernel is that of Nyström (Williams and Seeger 2001): features are compared with those of landmark genes, drawn from
the training genes; the linear features stand beside. Penalties are chosen for each output by generalised
cross-validation, the width of the kernel by its sum over outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from cistron.genes.splits import Split
from cistron.runtime.seeds import random_generator
from cistron.statistics.ridge import RidgeFit, fit_ridge

PENALTIES = np.logspace(-2, 7, 19)  # times columns over genes, where there are more columns than genes
WIDTHS = (0.7, 1.0, 1.5)  # times the median distance between genes
LINEAR_WEIGHT = 0.3  # of the linear features beside the kernel's, whose norm is 1


@dataclass(frozen=True)
class KernelRidge:
    """A fitted regression from features [gene, column] to outputs [gene, output].

    Attributes
    ----------
    coefficients
        float64 [1 + column (+ landmark), output]; the intercept comes first.
    landmarks
        float32 [landmark, column]; empty for the linear map.
    width
        Width of the kernel.
    whitener
        float64 [landmark, rank]: kernel values to features of unit inner product.
    degrees_of_freedom
        Of each output, float64 [output].
    basis
        float64 [column, direction]: directions in which training genes vary, where there are more columns than genes
        (ridge never leaves them); no columns where features are used as they are.
    """

    coefficients: np.ndarray
    landmarks: np.ndarray
    width: float
    whitener: np.ndarray
    degrees_of_freedom: np.ndarray
    basis: np.ndarray

    def predict(self, features: np.ndarray, batch: int = 4096) -> np.ndarray:
        """Outputs for any genes, float64 [gene, output]."""
        parts = [
            _design(features[start : start + batch], self.landmarks, self.width, self.whitener, self.basis)
            @ self.coefficients
            for start in range(0, len(features), batch)
        ]
        return np.vstack(parts) if parts else np.zeros((0, self.coefficients.shape[1]))

    def first_outputs(self, number: int) -> "KernelRidge":
        """The same regression with its first outputs only."""
        return replace(
            self,
            coefficients=self.coefficients[:, :number],
            degrees_of_freedom=self.degrees_of_freedom[:number],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save, by name."""
        return {
            "coefficients": self.coefficients,
            "landmarks": self.landmarks,
            "width": np.array([self.width]),
            "whitener": self.whitener,
            "degrees_of_freedom": self.degrees_of_freedom,
            "basis": self.basis,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> "KernelRidge":
        """Build it from what :meth:`arrays` gave."""
        rest = {name: array for name, array in arrays.items() if name != "width"}
        return cls(**rest, width=float(arrays["width"][0]))


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    norms = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None, :]
    return np.maximum(norms - 2 * first @ second.T, 0.0)


def _design(
    features: np.ndarray, landmarks: np.ndarray, width: float, whitener: np.ndarray, basis: np.ndarray
) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    linear = features @ basis if basis.shape[1] else features
    columns = [np.ones((len(features), 1)), linear]
    if len(landmarks):
        columns[1] = LINEAR_WEIGHT * linear
        columns.append(np.exp(-_squared_distances(features, landmarks) / (2 * width**2)) @ whitener)
    return np.hstack(columns)


def fit_kernel_ridge(
    features: np.ndarray,
    outputs: np.ndarray,
    genes: Sequence[str],
    split: Split,
    *,
    kernel: bool = True,
    landmarks: int = 1000,
    seed: int = 0,
) -> KernelRidge:
    """Fit the regression on training genes.

    Parameters
    ----------
    features
        Scaled features, float [gene, column].
    outputs
        Values, float64 [gene, output].
    genes
        Names of the rows; all must be training genes.
    split
        Split of the genes.
    kernel
        Gaussian kernels beside the linear part.
    landmarks
        Number of landmark genes.
    seed
        Seed of their choice.

    Raises
    ------
    LeakageError
        If a gene is outside the training part.
    """
    split.require_training(genes, "the map from gene features to expression")
    features = np.asarray(features, dtype=np.float64)
    nothing = np.zeros((0, features.shape[1]))
    basis = np.zeros((features.shape[1], 0))
    if features.shape[1] > len(features):
        basis = np.linalg.svd(features, full_matrices=False)[2].T
    if not kernel or not features.shape[1] or len(features) < 20:
        fit, _ = _fit(_design(features, nothing, 1.0, np.zeros((0, 0)), basis), outputs)
        return KernelRidge(
            fit.coefficients, nothing.astype(np.float32), 1.0, np.zeros((0, 0)), fit.degrees_of_freedom, basis
        )
    random = random_generator(seed, "landmarks")
    number = min(landmarks, max(10, len(features) // 3))
    chosen = features[np.sort(random.permutation(len(features))[:number])].astype(np.float32)
    distances = _squared_distances(chosen.astype(np.float64), chosen.astype(np.float64))
    median = float(np.sqrt(np.median(distances[np.triu_indices(number, 1)]))) or 1.0
    best: tuple[float, KernelRidge] | None = None
    for factor in WIDTHS:
        width = factor * median
        whitener = _whitener(np.exp(-distances / (2 * width**2)))
        fit, criterion = _fit(_design(features, chosen, width, whitener, basis), outputs)
        if best is None or criterion < best[0]:
            freedom = fit.degrees_of_freedom
            best = criterion, KernelRidge(fit.coefficients, chosen, width, whitener, freedom, basis)
    assert best is not None
    return best[1]


def _whitener(kernel: np.ndarray) -> np.ndarray:
    values, vectors = linalg.eigh(kernel, driver="evd")
    kept = values > 1e-8 * values[-1]
    return vectors[:, kept] / np.sqrt(values[kept])


def _fit(design: np.ndarray, outputs: np.ndarray) -> tuple[RidgeFit, float]:
    """Ridge with its own penalty for each output; also the sum of the criteria over outputs."""
    if design.shape[1] == 1:  # nothing is known of genes but that they are genes
        count = outputs.shape[1]
        mean = outputs.mean(axis=0)[None, :]
        return RidgeFit(mean, np.zeros(count), np.ones(count, dtype=bool), np.ones(count)), 0.0
    square = (outputs**2).sum(axis=0)
    penalties = PENALTIES * max(1.0, design.shape[1] / len(design))
    fit = fit_ridge(
        design.T @ design, design.T @ outputs, square, float(len(design)), 1, penalties, scaling="keep"
    )
    residual = ((outputs - design @ fit.coefficients) ** 2).sum(axis=0)
    left = np.maximum(len(design) - fit.degrees_of_freedom, 1e-3)
    return fit, float((len(design) * residual / left**2).sum())
