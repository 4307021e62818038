"""Closed-form fits: the linear path of the network, and ridge on promoter or coarse bins as a method of its own."""

from dataclasses import dataclass

import numpy as np

from cistron.statistics.ridge import fit_ridge

PENALTIES = np.logspace(-1, 6, 29)


@dataclass(frozen=True)
class LinearFit:
    """Weights of ``y_c = (x_c - x̄) difference + x̄ level + intercept`` on standardised features.

    Attributes
    ----------
    centre, scale
        Of the features, float64 [feature].
    difference, level
        Weights of what sets cell types apart, and of what they share, float64 [feature].
    intercept
        Number.
    """

    centre: np.ndarray
    scale: np.ndarray
    difference: np.ndarray
    level: np.ndarray
    intercept: float

    def predict(self, features: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Give [gene, cell type] of features [gene, cell type, feature]; missing ones count as the mean."""
        x = np.where(known, (features - self.centre) / self.scale, 0.0)
        mean = x.mean(axis=1, keepdims=True)
        return (x - mean) @ self.difference + (mean @ self.level) + self.intercept


def fit_linear(
    features: np.ndarray, known: np.ndarray, expression: np.ndarray, *, per_cell: bool = False
) -> LinearFit:
    """Fit by ridge, the penalties chosen by generalised cross-validation.

    Parameters
    ----------
    features
        float [gene, cell type, feature].
    known
        Where a feature was measured, bool [gene, cell type, feature] or what broadcasts to it.
    expression
        float [gene, cell type], NaN where it was not measured.
    per_cell
        Fit one weight for both, as if each cell type were alone.
    """
    known = np.broadcast_to(known, features.shape)
    held = np.where(known, features, np.nan).reshape(-1, features.shape[-1])
    centre = np.nan_to_num(np.nanmean(held, axis=0))
    scale = np.nan_to_num(np.nanstd(held, axis=0))
    scale = np.where(scale > 1e-6, scale, 1.0)
    x = np.where(known, (features - centre) / scale, 0.0)
    seen = np.isfinite(expression)
    if per_cell:
        intercept, weight = _ridge(x[seen], expression[seen])
        return LinearFit(centre, scale, weight, weight, intercept)
    count = seen.sum(axis=1)
    genes = count > 0
    weight = seen[genes] / count[genes][:, None]
    level = np.nansum(np.where(seen, expression, 0.0)[genes] * weight, axis=1)
    mean = (x[genes] * weight[..., None]).sum(axis=1)
    intercept, shared = _ridge(mean, level)
    if features.shape[1] == 1:
        return LinearFit(centre, scale, shared, shared, intercept)
    several = seen[genes] & (count[genes] > 1)[:, None]
    apart = (x[genes] - mean[:, None])[several]
    rest = (expression[genes] - level[:, None])[several]
    difference = _ridge(apart, rest)[1] if len(rest) else shared
    return LinearFit(centre, scale, difference, shared, intercept)


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Intercept and weights of standardised ridge."""
    columns = np.hstack([np.ones((len(x), 1)), x])
    target = np.asarray(y, np.float64)[:, None]
    fit = fit_ridge(
        columns.T @ columns, columns.T @ target, (target**2).sum(axis=0), float(len(x)), 1, PENALTIES, "keep"
    )
    return float(fit.coefficients[0, 0]), fit.coefficients[1:, 0]


def bin_means(values: np.ndarray, bins: int) -> np.ndarray:
    """Mean signal in ``bins`` equal parts: float [gene, cell type, mark x part] of [gene, cell type, mark, bin]."""
    edges = np.linspace(0, values.shape[-1], bins + 1)
    low, high = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    parts = [values[..., a:b].mean(axis=-1) for a, b in zip(low, high)]
    return np.stack(parts, axis=-1).reshape(*values.shape[:2], -1)


def promoter_means(values: np.ndarray, width: int) -> np.ndarray:
    """Mean signal in the middle ``width`` bins: float [gene, cell type, mark]."""
    middle, half = values.shape[-1] // 2, max(1, width // 2)
    return values[..., middle - half : middle + half].mean(axis=-1)
