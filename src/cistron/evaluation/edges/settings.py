"""Settings of the edge task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated

from cistron.methods import (
    Count,
    OpenShare,
    PositiveShare,
    Range,
    check_settings,
)


@dataclass(frozen=True)
class EdgeEvaluationSettings:
    """How networks are scored.

    Attributes
    ----------
    edges
        Score so many of the strongest edges against cells and collections; all when ``None``.
    test_share
        Share of the cells that are held out (seed 0 of CausalBench's split); 1 takes all cells.
    level
        Level of the Mann-Whitney test.
    longest_path
        Edges on the longest predicted path that excuses a pair from the false omission rate; -1 any.
    omission_draws
        Pairs drawn for the false omission rate.
    null_repeats
        Permutations of the labels for the null of the Wasserstein distance.
    perturbed_sources_only
        Judge against the truth only pairs whose source was perturbed (needs cells).
    resamples
        Bootstrap resamples of intervals.
    """

    edges: Count | None = None
    test_share: PositiveShare = 0.2
    level: OpenShare = 0.05
    longest_path: Annotated[int, Range(-1)] = 3
    omission_draws: Count = 500
    null_repeats: Count = 3
    perturbed_sources_only: bool = False
    resamples: Count = 200

    def __post_init__(self) -> None:
        check_settings(self)
