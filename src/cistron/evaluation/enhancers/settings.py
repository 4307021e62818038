"""Settings of the enhancer task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.methods import (
    CountOrZero,
    Range,
    check_settings,
)


@dataclass(frozen=True)
class EnhancerSettings:
    """Settings of the enhancer task.

    Attributes
    ----------
    distance_by
        Distance of element and start site: column of the table, midpoint of the element, or auto: the first of both that is
        there.
    aggregate
        What becomes of several elements of a table that overlap one pair.
    draws
        Bootstrap samples of connected elements and genes.
    controls
        Permutations of each score among pairs of like distance.
    """

    distance_by: Literal["auto", "column", "midpoint"] = "auto"
    aggregate: Literal["sum", "max", "mean"] = "sum"
    draws: Annotated[int, Range(20)] = 500
    controls: CountOrZero = 10

    def __post_init__(self) -> None:
        check_settings(self)
