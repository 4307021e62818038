"""Nearest genes of each gene in an embedding."""

import numpy as np
import pandas as pd

_STRIPE = 128


def _largest(block: np.ndarray, number: int) -> np.ndarray:
    """Columns of the ``number`` largest values of each row, in no order; int [row, number].

    The largest values of a row lie in the stripes whose own maximum is largest, so only those are searched.
    The number of columns is a multiple of the width of a stripe.
    """
    stripes = block.shape[1] // _STRIPE
    if stripes <= 2 * number:
        return np.argpartition(-block, number - 1, axis=1)[:, :number]
    striped = block.reshape(len(block), stripes, _STRIPE)
    best = np.argpartition(-striped.max(axis=2), number - 1, axis=1)[:, :number]
    candidates = striped[np.arange(len(block))[:, None], best].reshape(len(block), -1)
    within = np.argpartition(-candidates, number - 1, axis=1)[:, :number]
    return np.take_along_axis(best, within // _STRIPE, axis=1) * _STRIPE + within % _STRIPE


def nearest_neighbours(
    values: np.ndarray, genes: pd.Index, name: str, number: int = 10, rows_at_once: int = 128
) -> pd.DataFrame:
    """Find the most similar genes by cosine similarity of standardised dimensions.

    Parameters
    ----------
    values
        Embedding, float [gene, dimension].
    genes
        Identifiers [gene].
    name
        Name of the embedding.
    number
        Neighbours a gene.
    rows_at_once
        Rows of the similarity matrix that are held at a time; few of them stay in the cache.

    Returns
    -------
    DataFrame
        Columns ``embedding``, ``gene``, ``rank`` (1 is nearest), ``neighbour``, ``similarity``.
    """
    standard = np.asarray(values, dtype=np.float32)
    standard = standard - standard.mean(axis=0)
    deviation = standard.std(axis=0)
    standard = standard / np.where(deviation > 0, deviation, 1.0)
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    standard = standard / np.where(length > 0, length, 1.0)
    number = min(number, len(genes) - 1)
    found = np.empty((len(genes), number), dtype=np.int64)
    similarity = np.empty((len(genes), number), dtype=np.float32)
    width = -(-len(genes) // _STRIPE) * _STRIPE
    columns = np.zeros((standard.shape[1], width), dtype=np.float32)
    columns[:, : len(genes)] = standard.T
    held = np.empty((rows_at_once, width), dtype=np.float32)
    for start in range(0, len(genes), rows_at_once):
        stop = min(start + rows_at_once, len(genes))
        block = held[: stop - start]  # (rows, genes and filling)
        np.matmul(standard[start:stop], columns, out=block)
        block[:, len(genes) :] = -np.inf
        block[np.arange(stop - start), np.arange(start, stop)] = -np.inf
        nearest = _largest(block, number)
        values_there = np.take_along_axis(block, nearest, axis=1)
        order = np.argsort(-values_there, axis=1, kind="stable")
        found[start:stop] = np.take_along_axis(nearest, order, axis=1)
        similarity[start:stop] = np.take_along_axis(values_there, order, axis=1)
    names = genes.to_numpy()
    return pd.DataFrame(
        {
            "embedding": name,
            "gene": np.repeat(names, number),
            "rank": np.tile(np.arange(1, number + 1), len(names)).astype(np.int16),
            "neighbour": names[found.ravel()],
            "similarity": similarity.ravel(),
        }
    )
