"""Covariates of the null model: how large, how dense and how common the variants of a gene are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.tables import read_table
from cistron.genes.identity import guess_namespace, normalise_identifiers


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


@dataclass(frozen=True)
class ExtraCovariates:
    """Further covariates of both null models, from a table of the user's.

    Attributes
    ----------
    name
        Name of the table, for messages.
    table
        Numbers [gene, covariate] by cleaned gene id, no missing values.
    """

    name: str
    table: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the covariates."""
        return [str(column) for column in self.table.columns]

    def matched(self, genes: pd.Index) -> int:
        """Number of ``genes`` that the table holds."""
        return int(genes.isin(self.table.index).sum())

    def of(self, genes: pd.Series) -> np.ndarray:
        """Covariates of ``genes``, float64 [gene, covariate]: mean 0, variance 1; the mean where a gene is absent."""
        found = self.table.reindex(pd.Index(genes))
        values = found.to_numpy(np.float64)
        values = values - np.nanmean(values, axis=0)
        spread = np.nanstd(values, axis=0)
        return np.nan_to_num(values / np.where(spread > 0, spread, 1.0))


def read_covariates(path: str | Path, genes: pd.Index) -> tuple[ExtraCovariates, str]:
    """Read further covariates: gene ids in the first column, one numeric column a covariate.

    Parameters
    ----------
    path
        Table in any form that :func:`cistron.formats.tables.read_table` takes.
    genes
        Genes of the traits.

    Returns
    -------
    ExtraCovariates
        The covariates.
    str
        A remark on genes that the table lacks, empty where there are none.

    Raises
    ------
    InputError
        If fewer than half of the genes are in the table, a gene is there twice, or a number is missing.
    """
    path = Path(path)
    table = read_table(path)
    table.index = pd.Index(
        normalise_identifiers(table.index.astype(str), guess_namespace(table.index.astype(str)))
    )
    if not table.index.is_unique:
        raise InputError(
            f"covariates {path.name}: gene {table.index[table.index.duplicated()][0]} occurs more than once; keep one row a gene"
        )
    numbers = table.to_numpy(np.float64)
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise InputError(
            f"covariates {path.name}: {table.columns[column]} of gene {table.index[row]} is not a finite number; "
            "leave out the gene or fill the value"
        )
    extra = ExtraCovariates(path.name, table)
    matched = extra.matched(genes)
    if matched < len(genes) / 2:
        raise InputError(
            f"covariates {path.name}: {matched:,} of {len(genes):,} genes of the traits are in the table (ids like "
            f"{table.index[0]} against {genes[0]}); at least half are needed"
        )
    lost = len(genes) - matched
    remark = f"{lost:,} genes are not in covariates {path.name} and get their mean" if lost else ""
    return extra, remark
