"""Functions of neighbouring genes: a z-score belongs in part to the genes beside it.

Variants near a gene are linked to those of its neighbours, so that what a neighbour does raises the *mean* of the
z-score, and not its noise alone (``python -m benchmarks gwas_linkage`` shows it on real traits).
"""

import numpy as np
from scipy import sparse

REACH = 3.0  # scales beyond which a neighbour counts no more


def mean_over_neighbours(chromosomes: np.ndarray, middles: np.ndarray, scale: float) -> sparse.csr_array:
    """Weights of the neighbours of each gene: exp(-distance / scale) up to three scales, the gene itself left out.

    Parameters
    ----------
    chromosomes
        Chromosome of each gene, int [gene].
    middles
        Middle of each gene in base pairs, float64 [gene].
    scale
        Scale in base pairs.

    Returns
    -------
    csr_array
        float64 [gene, gene]; the weights of a gene sum to 1, or to less where its neighbours are few and far.
    """
    order = np.lexsort((middles, chromosomes))
    chromosome, place = chromosomes[order], middles[order]
    rows, columns, weights = [], [], []
    for step in range(1, len(order)):
        distance = place[step:] - place[:-step]
        close = np.flatnonzero((chromosome[step:] == chromosome[:-step]) & (distance <= REACH * scale))
        if len(close) == 0:
            break  # genes further along are further away
        rows.append(order[close])
        columns.append(order[close + step])
        weights.append(np.exp(-distance[close] / scale))
    size = (len(order), len(order))
    if not rows:
        return sparse.csr_array(size)
    half = sparse.coo_array((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), size)
    kernel = sparse.csr_array(half + half.T)
    total = np.maximum(np.asarray(kernel.sum(axis=1)).ravel(), 1.0)
    return sparse.csr_array(sparse.diags_array(1.0 / total) @ kernel)
