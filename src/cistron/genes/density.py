"""How densely genes lie around each gene: what an embedding may know without knowing a function."""

import numpy as np


def log_densities(
    chromosomes: np.ndarray,
    middles: np.ndarray,
    scales: tuple[int, ...],
    counted: np.ndarray | None = None,
) -> np.ndarray:
    """Logarithm of how many genes lie near each gene: log of the sum of exp(-distance / scale).

    Distances are between the middles of genes; the sum is over the counted genes of the chromosome, the gene itself
    always included, so that a gene alone has 0.

    Parameters
    ----------
    chromosomes
        Chromosome of each gene, text or numbers [gene].
    middles
        Middle of each gene in base pairs, float64 [gene].
    scales
        Scales in base pairs.
    counted
        Genes that count as neighbours, bool [gene]; all when absent.

    Returns
    -------
    ndarray
        float64 [gene, scale].
    """
    blocks = np.unique(np.asarray(chromosomes, dtype=str), return_inverse=True)[1]
    weights = np.ones(len(middles)) if counted is None else np.asarray(counted, dtype=np.float64)
    densities = np.empty((len(middles), len(scales)))
    for block in range(int(blocks.max(initial=-1)) + 1):
        rows = np.flatnonzero(blocks == block)
        rows = rows[np.argsort(middles[rows], kind="stable")]
        for number, scale in enumerate(scales):
            densities[rows, number] = np.log(_decaying_sums(middles[rows], weights[rows], scale))
    return densities


def _decaying_sums(places: np.ndarray, weights: np.ndarray, scale: float) -> np.ndarray:
    """1 + sum of weight exp(-|distance| / scale) over the other places; one pass each way, since the kernel is exponential."""
    decay = np.exp(-np.diff(places) / scale)
    before, after = np.zeros(len(places)), np.zeros(len(places))
    for index in range(1, len(places)):
        before[index] = (before[index - 1] + weights[index - 1]) * decay[index - 1]
    for index in range(len(places) - 2, -1, -1):
        after[index] = (after[index + 1] + weights[index + 1]) * decay[index]
    return 1.0 + before + after
