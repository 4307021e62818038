"""Settings of the expression task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.methods import (
    Count,
    CountOrZero,
    Range,
    check_settings,
)


@dataclass(frozen=True)
class ExpressionSettings:
    """How predictions are scored.

    Parameters
    ----------
    draws
        Bootstrap samples of genes.
    permutations
        Permutations of the predicted genes; their mean is the control.
    minimum_cells
        Fewest cells of a pseudobulk.
    pool
        Pseudobulks are means of the stored values, or of the values before log1p.
    halvings
        Random halvings of the cells for the ceiling of pseudobulks; 0 leaves it out.
    shared
        Compare on the cells and genes that all files have.
    """

    draws: Annotated[int, Range(20)] = 500
    permutations: Count = 5
    minimum_cells: Annotated[int, Range(2)] = 5
    pool: Literal["stored", "linear"] = "stored"
    halvings: CountOrZero = 5
    shared: bool = False

    def __post_init__(self) -> None:
        check_settings(self)
