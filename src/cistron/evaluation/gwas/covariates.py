"""Covariates of the null model: how large, how dense and how common the variants of a gene are."""

import numpy as np
import pandas as pd

from cistron.errors import InputError


def gene_covariates(genes: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Build the covariates of MAGMA's gene-level regression.

    Gene density is NPARAM / NSNPS, effective size is NPARAM, and 1 / MAC is the inverse mean minor allele
    count; each also as its logarithm (de Leeuw et al. 2015).

    Parameters
    ----------
    genes
        Columns ``NSNPS`` and ``NPARAM``, and ``MAC`` where a ``.genes.raw`` file gave it.

    Returns
    -------
    ndarray
        float64 [gene, 6], [gene, 4] without MAC, or [gene, 0] without any; columns of mean 0 and variance 1.
    list of str
        Names of the columns.

    Raises
    ------
    InputError
        If a property is missing or not positive for some gene.
    """
    if "NSNPS" not in genes or "NPARAM" not in genes:
        return np.empty((len(genes), 0)), []
    sources = {"gene density": genes["NPARAM"] / genes["NSNPS"], "effective gene size": genes["NPARAM"]}
    if "MAC" in genes:
        sources["inverse minor allele count"] = 1.0 / genes["MAC"]
    columns, names = [], []
    for name, values in sources.items():
        values = values.to_numpy(np.float64)
        bad = ~np.isfinite(values) | (values <= 0)
        if bad.any():
            raise InputError(
                f"{int(bad.sum()):,} genes have no positive NSNPS, NPARAM or MAC, for example "
                f"{genes['GENE'][bad].iloc[0]}; remove them from the trait file"
            )
        columns += [values, np.log(values)]
        names += [name, f"log {name}"]
    matrix = np.column_stack(columns)
    spread = matrix.std(axis=0)
    return (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0), names
