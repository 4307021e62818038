"""Settings of the variant task on eQTL."""

from dataclasses import dataclass
from typing import Annotated

from cistron.errors import InputError
from cistron.methods import Range, check_settings


@dataclass(frozen=True)
class EqtlSettings:
    """Settings of the task on eQTL; the defaults are those of the publication, but for the number of repeats.

    Attributes
    ----------
    positive_pip
        A variant with a higher posterior probability is a positive.
    negative_pip
        A variant with a lower one can be a negative.
    negative_z
        Least absolute z-score of a negative of the same gene.
    other_gene_z
        Least absolute z-score of a negative of another gene.
    trees
        Trees of the random forest.
    tree_depth
        Greatest depth of a tree.
    folds
        Folds of the cross-validation.
    repeats
        Times that the folds are drawn anew.
    """

    positive_pip: Annotated[float, Range(0, 1)] = 0.9
    negative_pip: Annotated[float, Range(0, 1)] = 0.01
    negative_z: Annotated[float, Range(0)] = 4.0
    other_gene_z: Annotated[float, Range(0)] = 6.0
    trees: Annotated[int, Range(2)] = 100
    tree_depth: Annotated[int, Range(1)] = 64
    folds: Annotated[int, Range(2, 50)] = 8
    repeats: Annotated[int, Range(1)] = 3

    def __post_init__(self) -> None:
        check_settings(self)
        if self.negative_pip >= self.positive_pip:
            raise InputError(
                f"negative_pip must be below positive_pip. Given: {self.negative_pip:g} and {self.positive_pip:g}"
            )
