"""Whether predictions name the genes by which a cell type differs: overlap of the leading genes, and agreement of directions.

Source: the overlap at k and the agreement of direction of cell-eval (Arc Institute 2025), with cell types in place of perturbations and differences
of pseudobulks in place of tests.
"""

import numpy as np
import pandas as pd

LEADING = 50  # genes of a type that are compared


def differential_overlap(
    predicted: np.ndarray, observed: np.ndarray, types: list[str], leading: int = LEADING
) -> pd.DataFrame:
    """Compare the genes by which each type differs most from the mean of the other types.

    Parameters
    ----------
    predicted, observed
        Means of cell types on a logarithmic scale, float [type, gene]; genes with a missing value on either side are left out.
    types
        Names of the types; at least 3.
    leading
        Number of genes that are compared, at most a fifth of all.

    Returns
    -------
    DataFrame
        One row a type: ``cell``; ``leading`` genes; ``overlap``, share of the leading observed genes (by size of the difference) among the
        leading predicted ones; ``overlap_chance``, what random genes give; ``direction``, share of the leading observed genes whose
        predicted difference has the same sign (half by chance; ties count half); ``correlation`` of the differences over all genes. NaN
        where a prediction does not differ between types.
    """
    known = np.isfinite(predicted).all(axis=0) & np.isfinite(observed).all(axis=0)
    genes, count = int(known.sum()), len(types)
    number = min(leading, genes // 5)
    differences = []
    for values in (predicted, observed):
        values = values[:, known].astype(np.float64)
        # a type less the mean of the others
        differences.append((values - values.mean(axis=0)) * count / max(count - 1, 1))
    rows = []
    for name, mine, true in zip(types, *differences):
        row = {"cell": name, "leading": number, "overlap_chance": number / genes if genes else np.nan}
        varied = number > 0 and np.abs(mine).max() > 1e-6 and np.abs(true).max() > 1e-6
        if varied:
            first, second = (np.argsort(-np.abs(values), kind="stable")[:number] for values in (mine, true))
            row["overlap"] = len(np.intersect1d(first, second)) / number
            row["direction"] = float(np.mean(0.5 + 0.5 * np.sign(mine[second]) * np.sign(true[second])))
            row["correlation"] = float(np.corrcoef(mine, true)[0, 1])
        rows.append(row)
    return pd.DataFrame(
        rows, columns=["cell", "leading", "overlap", "overlap_chance", "direction", "correlation"]
    )
