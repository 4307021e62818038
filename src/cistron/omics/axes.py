"""Principal axes of a latent space: the embedding is rotated and scaled so that the variance of a dimension is what it explains.

A network's latent space is arbitrary: any invertible map of it, undone by the next layer, explains the data as
well. Distances between genes then mean nothing, and a regression with a penalty sees noise dimensions as large
as telling ones. The map given here is linear and invertible up to directions that explain nothing.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg


@dataclass(frozen=True)
class PrincipalAxes:
    """A linear map of a latent space.

    Attributes
    ----------
    mean
        float64 [dimension].
    map
        float64 [dimension, dimension]: ``(latent - mean) @ map``.
    """

    mean: np.ndarray
    map: np.ndarray

    def apply(self, latent: np.ndarray) -> np.ndarray:
        """Give the embedding in principal axes, float32 [gene, dimension]."""
        return ((latent - self.mean) @ self.map).astype(np.float32)

    def deviation(self, deviation: np.ndarray) -> np.ndarray:
        """Standard deviations of independent latent variables, in principal axes, float32 [gene, dimension]."""
        return np.sqrt(np.square(deviation, dtype=np.float64) @ np.square(self.map)).astype(np.float32)


def principal_axes(latent: np.ndarray, sample: np.ndarray, explained: list[np.ndarray]) -> PrincipalAxes:
    """Find the axes in which distances between genes are those between their reconstructed rows.

    With x' = z W the best linear account of the reconstruction, y = z K^(1/2) R, where K = W W' / samples and R
    rotates y to its principal axes.

    Parameters
    ----------
    latent
        Latent values of all genes, float [gene, dimension].
    sample
        Rows of the genes that were reconstructed, int [n].
    explained
        Reconstruction of these by each assay, float [n, sample]; each assay counts by its number of samples.

    Returns
    -------
    PrincipalAxes
        The map; axes fall in variance, and the largest weight of each is positive.
    """
    latent = latent.astype(np.float64)
    mean = latent.mean(axis=0)
    z = latent[sample] - latent[sample].mean(axis=0)
    gram = z.T @ z
    gram[np.diag_indices(len(gram))] += 1e-6 * np.trace(gram) / len(gram)
    size = sum(rows.shape[1] for rows in explained)
    kernel = np.zeros_like(gram)
    for rows in explained:
        rows = rows.astype(np.float64)
        weight = linalg.solve(gram, z.T @ (rows - rows.mean(axis=0)), assume_a="pos")  # (d, samples)
        kernel += weight @ weight.T / size
    values, vectors = linalg.eigh(kernel)
    floor = 1e-8 * max(float(values.max()), 1e-300)
    root = vectors * np.sqrt(np.maximum(values, floor))
    covariance = np.cov((latent - mean) @ root, rowvar=False).reshape(len(root), len(root))
    rotation = linalg.eigh(covariance)[1][:, ::-1]
    found = root @ rotation
    signs = np.sign(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])])
    return PrincipalAxes(mean, found * signs)
