"""One scale for inputs and targets: log(1 + counts per 10,000 counts of training genes)."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cistron.errors import InputError
from cistron.formats.expression_scale import Scale

PER_CELL = 1e4


@dataclass(frozen=True)
class Normalisation:
    """How counts become expression. The counts of held-out genes take no part in it.

    Attributes
    ----------
    scale
        Scale of the values that come in; log-normalised values are used as they are.
    training
        Columns of the training genes, int [gene].
    """

    scale: Scale
    training: np.ndarray

    @property
    def name(self) -> str:
        """Name of the scale that comes out."""
        return "log1p_cp10k" if self.scale == "counts" else "log_normalised"

    def library(self, block: sparse.csr_matrix, visible: np.ndarray | None = None) -> np.ndarray:
        """Counts of each cell over the training genes, or over a part of them, float64 [cell]."""
        columns = np.zeros(block.shape[1])
        columns[self.training if visible is None else visible] = 1.0
        return np.asarray(block @ columns, dtype=np.float64)

    def expression(self, block: sparse.csr_matrix, library: np.ndarray | None = None) -> sparse.csr_matrix:
        """Log-normalise a block by the counts of its training genes, or by a library that is given; stays sparse.

        Parameters
        ----------
        block
            Values [cell, gene].
        library
            Counts that a cell would have over all training genes, float64 [cell].
        """
        if self.scale != "counts":
            return block
        library = self.library(block) if library is None else library
        factors = PER_CELL / np.maximum(library, 1e-9)
        result = block.copy()
        result.data = np.log1p(result.data * np.repeat(factors, np.diff(block.indptr)).astype(np.float32))
        return result


def require_counts(library: np.ndarray, names: np.ndarray, what: str) -> None:
    """Raise when cells have no counts in the training genes.

    Parameters
    ----------
    library
        Counts of each cell over the training genes, float64 [cell].
    names
        Names of the cells, text [cell].
    what
        Name of the data, for the message.

    Raises
    ------
    InputError
        Naming the first such cell.
    """
    empty = np.flatnonzero(library <= 0)
    if len(empty):
        raise InputError(
            f"{what}: {len(empty):,} cells have no counts in the training genes, for example {names[empty[0]]}; remove "
            "them, or leave out poor cells with --minimum-counts"
        )
