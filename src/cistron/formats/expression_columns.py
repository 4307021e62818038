"""Level and breadth of each gene: the two trivial columns of an expression matrix, kept in ``obs`` of its embedding."""

from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd

LEVEL, BREADTH = "expression_level", "expression_breadth"


def level_and_breadth(values: np.ndarray, threshold: float) -> np.ndarray:
    """Mean of each gene over samples, and the share of samples in which it is expressed.

    Parameters
    ----------
    values
        float [gene, sample], logarithms taken where they are to be taken; NaN is missing.
    threshold
        A gene is expressed in a sample where its value is at least this: 1 on the scale log2(x + 1), which is
        1 TPM, FPKM or CPM.

    Returns
    -------
    ndarray
        float64 [gene, 2]: level and breadth; NaN for a gene without a value.
    """
    known = ~np.isnan(values)
    number = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1, dtype=np.float64)
    above = (np.where(known, values, -np.inf) >= threshold).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.column_stack([total / number, above / number])


def carried_level_and_breadth(embedding: anndata.AnnData) -> pd.DataFrame | None:
    """Level and breadth that an embedding carries, float64 [gene, 2], or None."""
    if not {LEVEL, BREADTH} <= set(embedding.obs.columns):
        return None
    found: pd.DataFrame = embedding.obs[[LEVEL, BREADTH]].astype(np.float64)
    return found


def joined_level_and_breadth(tables: Sequence[pd.DataFrame], genes: pd.Index) -> pd.DataFrame:
    """Level and breadth over several matrices.

    Parameters
    ----------
    tables
        Level and breadth by gene, one table a matrix.
    genes
        Genes wanted.

    Returns
    -------
    DataFrame
        float32 [gene, 2]; NaN where no matrix has the gene. A single table is taken as it is. Of several, levels are
        brought to mean 0 and variance 1 within each, because their units differ, and both columns are averaged.
    """
    found = []
    for table in tables:
        own = table.set_axis([LEVEL, BREADTH], axis=1).reindex(genes).astype(np.float64)
        if len(tables) > 1:
            spread = own[LEVEL].std()
            own[LEVEL] = (own[LEVEL] - own[LEVEL].mean()) / (spread if spread > 0 else 1.0)
        found.append(own)
    joined: pd.DataFrame = pd.concat(found).groupby(level=0).mean().reindex(genes).astype(np.float32)
    return joined
