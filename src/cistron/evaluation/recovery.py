"""How much of a planted or known embedding another embedding holds: canonical correlations (Hotelling 1936)."""

import anndata
import numpy as np

from cistron.genes.identity import match_genes


def canonical_correlations(first: np.ndarray, second: np.ndarray, minimum_share: float = 1e-6) -> np.ndarray:
    """Canonical correlations of two blocks of columns.

    Parameters
    ----------
    first, second
        float [row, column] on the same rows.
    minimum_share
        Directions with less than this share of a block's largest singular value are taken for rounding.

    Returns
    -------
    ndarray
        Falling, float64 [min(columns)], in [0, 1].
    """
    bases = []
    for block in (first, second):
        block = np.asarray(block, dtype=np.float64)
        left, singular, _ = np.linalg.svd(block - block.mean(axis=0), full_matrices=False)
        bases.append(left[:, singular > minimum_share * max(singular.max(initial=0.0), 1e-300)])
    found = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    correlations = np.zeros(min(first.shape[1], second.shape[1]))
    correlations[: len(found)] = np.clip(found, 0.0, 1.0)[: len(correlations)]
    return correlations


def recovered_correlations(embedding: anndata.AnnData, truth: anndata.AnnData) -> np.ndarray:
    """For each dimension of the truth, how well a linear combination of the embedding gives it.

    Canonical correlations over the shared genes, padded with 0 to the number of dimensions of the truth, so
    that a small embedding is not flattered.

    Returns
    -------
    ndarray
        float64 [dimension of the truth], falling.
    """
    genes = embedding.obs_names.intersection(truth.obs_names)
    match_genes(
        list(embedding.obs_names), list(truth.obs_names), "the embedding", "the truth", truth.n_vars + 2
    )
    found = canonical_correlations(np.asarray(embedding[genes].X), np.asarray(truth[genes].X))
    return np.pad(found, (0, max(0, truth.n_vars - len(found))))
