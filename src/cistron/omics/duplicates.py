"""Genes that occur more than once in a matrix: summed, averaged, the first kept, or an error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError
from cistron.genes.spreadsheets import changed_names
from cistron.omics.settings_preparation import Duplicates

_DONE = {"sum": "summed", "mean": "averaged", "first": "the first row of each kept"}


@dataclass(frozen=True)
class Merging:
    """Which rows of a matrix become one.

    Attributes
    ----------
    genes
        Each gene once, in the order of its first row.
    first
        Its first row, int64 [gene], rising.
    further
        The other rows of a gene, by the gene's number; empty where only the first counts.
    how
        ``sum``, ``mean`` or ``first``.
    remark
        What was done, empty where no gene occurs twice.
    """

    genes: list[str]
    first: np.ndarray
    further: dict[int, list[int]]
    how: Duplicates
    remark: str = ""

    def merged(self, rows: np.ndarray) -> np.ndarray:
        """Merge the rows of one gene, float [row, sample], into [sample]; missing values do not count."""
        measured = ~np.isnan(rows)
        total = np.where(measured, rows, 0).sum(axis=0, dtype=np.float64)
        number = measured.sum(axis=0)
        if self.how == "mean":
            total = total / np.maximum(number, 1)
        return np.where(number > 0, total, np.nan).astype(rows.dtype)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Merge a matrix in memory, float [row, sample], into [gene, sample]."""
        if len(self.first) == len(values):
            return values
        found = values[self.first]
        for number, others in self.further.items():
            found[number] = self.merged(values[[int(self.first[number]), *others]])
        return found


def merging(genes: Sequence[str], how: Duplicates, what: str, rows: np.ndarray | None = None) -> Merging:
    """Find out which rows belong to one gene.

    Parameters
    ----------
    genes
        Name of each row.
    how
        What to do with genes that occur more than once.
    what
        Name of the matrix, for messages.
    rows
        Where each row stands in the file, int64 [row], rising; its number when absent.

    Returns
    -------
    Merging
        The genes and their rows.

    Raises
    ------
    IdentifierError
        If a gene occurs more than once and that is an error.
    """
    places = np.arange(len(genes)) if rows is None else np.asarray(rows, np.int64)
    index = pd.Index(genes, dtype=object)
    again = index.duplicated()
    if not again.any():
        return Merging(list(genes), places, {}, how)
    doubled = index[again].unique()
    told = f"{len(doubled):,} genes occur more than once, for example {doubled[0]}"
    if how == "error":
        dates = set(changed_names(list(genes))) & set(doubled)
        if dates:
            told += (
                f"; {', '.join(sorted(dates)[:3])} look like dates or numbers that a spreadsheet made of names of several genes "
                "(1-Mar of MARCHF1 and MTARC1): take the names from the original file"
            )
        raise IdentifierError(
            f"{what}: {told}; say what becomes of their rows: --duplicates sum (counts, TPM), mean, or first"
        )
    kept = [gene for gene, repeated in zip(genes, again) if not repeated]
    further: dict[int, list[int]] = {}
    if how != "first":
        number = {gene: place for place, gene in enumerate(kept)}
        for row in np.flatnonzero(again).tolist():
            further.setdefault(number[genes[row]], []).append(int(places[row]))
    return Merging(kept, places[~again], further, how, f"{told}: {_DONE[how]}")
