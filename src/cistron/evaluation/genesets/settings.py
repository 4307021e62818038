"""Settings of the gene-set task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import CountOrZero, Range, check_settings


@dataclass(frozen=True)
class GeneSetSettings:
    """Settings of the gene-set task.

    Attributes
    ----------
    minimum
        Smallest number of scored genes of a set.
    maximum
        Largest number of scored genes of a set.
    background
        Genes that count as negatives: annotated (in at least one set), all, or auto: annotated when there are
        20 sets or more.
    folds
        Chromosome groups that are left out in turn.
    controls
        Permutations of the embedding within chromosomes; their mean is the null of average precision.
    draws
        Draws of the embedding with its axes reflected in each group of chromosomes; they give the p-value of average
        precision.
    """

    minimum: Annotated[int, Range(2)] = 20
    maximum: Annotated[int, Range(2)] = 1000
    background: Literal["auto", "annotated", "all"] = "auto"
    folds: Annotated[int, Range(4)] = 10
    controls: CountOrZero = 100
    draws: Annotated[int, Range(20)] = 100

    def __post_init__(self) -> None:
        check_settings(self)
        if self.minimum > self.maximum:
            raise InputError(f"minimum must be at most maximum. Given: {self.minimum}, {self.maximum}")
