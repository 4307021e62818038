"""What peak is slid where; apart from the run, so that the command line reads it without loading torch."""

from dataclasses import dataclass
from typing import Literal

from cistron.methods import Count, Positive, check_settings


@dataclass(frozen=True)
class EpigenesisSettings:
    """What is slid where.

    Attributes
    ----------
    background
        ``empty``: no mark anywhere; ``ablated``: the gene's real marks, the slid mark taken away; ``real``: the real marks with
        the peak on top.
    cell_type
        Cell type that gets the peak; all when absent.
    width
        Base pairs of the peak.
    stride
        Base pairs between its places.
    height
        Signal of the peak before the logarithm; 20 is p = 1e-20 of MACS2's -log10 p.
    genes
        Largest number of genes to average over, drawn from those given.
    draws
        Bootstrap draws over genes.
    """

    background: Literal["empty", "ablated", "real"] = "empty"
    cell_type: str | None = None
    width: Count = 1000
    stride: Count = 1000
    height: Positive = 20.0
    genes: Count = 100
    draws: Count = 1000

    def __post_init__(self) -> None:
        check_settings(self)
