"""Settings of the contributions of enhancers; reading them loads no torch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import CountOrZero, Range, check_settings


@dataclass(frozen=True)
class EnhancerScoreSettings:
    """How elements are scored for a gene.

    Parameters
    ----------
    methods
        ``gradient`` (times input), ``attention``, ``ism`` (the element is replaced).
    window
        Base pairs around the middle of an element that are scored.
    neighbours
        Bins on either side of the start site that are summed with its own.
    shuffles
        Dinucleotide shuffles by which ``ism`` replaces an element.
    seed
        Seed of the shuffles, and of places of the control.
    placement
        ``site``: the start site in the middle of the window; ``elements``: the window is moved, as far as the start site stays within
        the predicted bins, to hold as many elements as it can.
    """

    methods: tuple[Literal["gradient", "attention", "ism"], ...] = ("gradient", "attention")
    window: Annotated[int, Range(2)] = 2000
    neighbours: CountOrZero = 1
    shuffles: Annotated[int, Range(1)] = 10
    seed: Annotated[int, Range(0)] = 0
    placement: Literal["site", "elements"] = "site"

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise InputError(
                f"--methods needs each of gradient, attention, ism at most once. Given: {' '.join(self.methods) or 'none'}"
            )
