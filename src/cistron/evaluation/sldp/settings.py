"""Settings of signed LD profile regression."""

from dataclasses import dataclass
from typing import Annotated

from cistron.methods import Range, check_settings


@dataclass(frozen=True)
class SldpSettings:
    """Settings of the task.

    Attributes
    ----------
    chunks
        Groups of neighbouring blocks whose signs are flipped together.
    flips
        Draws of signs; no p-value is below one of them.
    kept_variance
        Share of the variance of genotypes of a block that its leading components keep.
    background_bins
        Bins of minor allele frequency whose signed effects are taken out; 0 for none.
    heritability
        Of the trait, for the weights; estimated from the chi-squared statistics and LD scores when absent.
    block_length
        Base pairs of a block where the reference names none.
    keep_mhc
        Keep blocks that touch the MHC (chromosome 6, 25 to 34 Mb).
    """

    chunks: Annotated[int, Range(10)] = 300
    flips: Annotated[int, Range(100)] = 100_000
    kept_variance: Annotated[float, Range(0, 1, open_low=True)] = 0.95
    background_bins: Annotated[int, Range(0, 50)] = 5
    heritability: Annotated[float, Range(0, 1, open_low=True)] | None = None
    block_length: Annotated[int, Range(1000)] = 1_000_000
    keep_mhc: bool = False

    def __post_init__(self) -> None:
        check_settings(self)
