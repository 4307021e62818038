"""Settings of the variant task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated

from cistron.methods import (
    Range,
    check_settings,
)


@dataclass(frozen=True)
class MpraSettings:
    """Settings of the task on reporter assays.

    Attributes
    ----------
    least_confidence
        Confidence of the rows of a stratum of its own, which the assay calls significant.
    largest_p_value
        p-value of the rows of another stratum, where the table gives p-values.
    penalties
        Penalties of the lasso that are tried; one is chosen on the training rows.
    draws
        Bootstrap samples of stretches of 10 bp, and of loci for the mean.
    """

    least_confidence: Annotated[float, Range(0, 1)] = 0.1
    largest_p_value: Annotated[float, Range(0, 1)] = 1e-5
    penalties: Annotated[int, Range(2, 200)] = 20
    draws: Annotated[int, Range(20)] = 200

    def __post_init__(self) -> None:
        check_settings(self)
