"""What a designed epigenome must reach, what it may touch, what an edit costs."""

from dataclasses import dataclass

from cistron.errors import InputError
from cistron.methods import Count, NotNegative, Positive, PositiveShare, Share, check_settings


@dataclass(frozen=True)
class DesignSettings:
    """Settings of the design. ``DesignSettings.paper()`` is plain descent, as published.

    Attributes
    ----------
    fold
        Wanted expression over the predicted one, before the logarithm; below 1 lowers it.
    level
        Wanted expression on the scale of the data instead of ``fold``.
    cell_types
        Cell types that are to reach it; all when empty. The others are held where they are.
    hold
        Weight of what the held cell types move by, against what the wanted ones lack.
    edit_cell_types
        Cell types whose marks may be edited; those of ``cell_types`` when empty.
    marks
        Marks that may be edited; all when empty.
    region
        Base pairs from the start site within which edits lie.
    quantile
        Values stay between 0 and this quantile of the mark in the training data (or the gene's own value, where that is
        higher); 0 for no limit.
    l1
        Relative price of the sum of absolute changes (kb x log signal).
    group
        Relative price of touching a mark x kilobase x cell type.
    total_variation
        Relative price of uneven edits.
    distance
        Relative price of moving the marks away from the training data (Mahalanobis distance of 1-kb means).
    price
        Price of all these against the squared error; 0 seeks the highest at which the target is reached, gene by gene.
    tolerance
        Share of the wanted change at which the target counts as reached.
    judge
        Keep the last network of the ensemble out of the optimisation, to judge by.
    prune
        Take edits back, smallest first, while the target stays reached.
    steps
        Steps of the descent, at most.
    learning_rate
        Largest change of a bin in a step.
    """

    fold: Positive = 100.0
    level: float | None = None
    cell_types: tuple[str, ...] = ()
    hold: NotNegative = 1.0
    edit_cell_types: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    region: tuple[int, int] = (-10_000, 10_000)
    quantile: Share = 0.995
    l1: NotNegative = 0.5
    group: NotNegative = 1.0
    total_variation: NotNegative = 0.1
    distance: NotNegative = 0.1
    price: NotNegative = 0.0
    tolerance: PositiveShare = 0.9
    judge: bool = True
    prune: bool = True
    steps: Count = 240
    learning_rate: Positive = 0.1

    def __post_init__(self) -> None:
        check_settings(self)
        if self.region[0] >= self.region[1]:
            raise InputError(f"region must begin before it ends. Given: {self.region}")

    @classmethod
    def paper(cls) -> "DesignSettings":
        """Descent on the squared error alone (equation 1), over all networks."""
        return cls(
            quantile=0.0, l1=0.0, group=0.0, total_variation=0.0, distance=0.0, judge=False, prune=False
        )
