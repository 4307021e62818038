"""Settings of the methods that are one formula each."""

from dataclasses import dataclass
from typing import Literal

from cistron.methods import Count, NotNegative, check_settings


@dataclass(frozen=True)
class MeanShiftSettings:
    """Settings of ``mean-shift``.

    Attributes
    ----------
    statistic
        ``moderated`` z with pooled variance, ``welch`` t, or ``difference`` of the log-normalised means (CausalBench's).
    """

    statistic: Literal["moderated", "welch", "difference"] = "moderated"

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def paper(cls) -> "MeanShiftSettings":
        """CausalBench's form."""
        return cls("difference")


@dataclass(frozen=True)
class DirectSettings:
    """Settings of ``direct``.

    Attributes
    ----------
    cut
        Shifts with |z| below it are taken as zero before the inversion.
    """

    cut: NotNegative = 3.0

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class CovariationSettings:
    """Settings of ``correlation`` and ``partial-correlation``.

    Attributes
    ----------
    most_cells
        Cells used, at most.
    """

    most_cells: Count = 20_000

    def __post_init__(self) -> None:
        check_settings(self)
