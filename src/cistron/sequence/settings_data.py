"""Settings of folds and of training data; reading them loads no torch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings

FRACTIONS = (0.9, 0.05, 0.05)


@dataclass(frozen=True)
class FoldSettings:
    """How two genomes are divided into folds.

    Parameters
    ----------
    length
        Base pairs of a sequence.
    stride
        Base pairs from the start of a sequence to that of the next; the length when absent, so that none overlap.
    fractions
        Shares of train, valid and test; .9 .05 .05 when absent.
    folds
        Number of equal folds (fold0, fold1, ...) in place of train, valid and test.
    input_length
        Base pairs that a model reads around the middle of a sequence: sequences of different folds whose input overlaps are leaks.
    leak_margin
        Base pairs that are left out on either side of a boundary between folds; at least what makes no leaks is taken where it is
        not 0.
    unmappable_share
        Sequences with this share of unmappable or blacklisted bins, or more, are dropped.
    """

    length: Count = 131_072
    stride: Count | None = None
    fractions: tuple[Annotated[float, Range(0, 1)], ...] = ()
    folds: Annotated[int, Range(2, 100)] | None = None
    input_length: Count = 196_608
    leak_margin: CountOrZero = 0
    unmappable_share: Annotated[float, Range(0, 1, open_low=True)] = 0.5

    def __post_init__(self) -> None:
        check_settings(self)
        if self.fractions and self.folds is not None:
            raise InputError("give either --fractions (train, valid, test) or --folds (equal ones), not both")
        if self.fractions and (len(self.fractions) != 3 or abs(sum(self.fractions) - 1) > 1e-6):
            raise InputError(
                f"--fractions are three shares, of train, valid and test, that sum to 1. Given: {' '.join(map(str, self.fractions))}"
            )
        if self.length > 1_000_000:
            raise InputError(
                f"a sequence must fit into a contig, which is at most 1,000,000 bp long. Given: --length {self.length:,}"
            )
        if self.input_length < self.length:
            raise InputError(
                f"a model reads at least the sequence: --input-length must be {self.length:,} or more. Given: {self.input_length:,}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the folds."""
        if self.folds is None:
            return ("train", "valid", "test")
        return tuple(f"fold{number}" for number in range(self.folds))

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each fold."""
        if self.folds is None:
            return self.fractions or FRACTIONS
        return (1 / self.folds,) * self.folds

    @property
    def step(self) -> int:
        """Base pairs from one sequence to the next."""
        return self.stride or self.length

    @property
    def margin(self) -> int:
        """Base pairs that are left out on either side of a boundary between folds."""
        return max(self.leak_margin, -(-(self.input_length - self.length) // 2)) if self.leak_margin else 0


@dataclass(frozen=True)
class DataSettings:
    """How targets are made and which DNA is stored with them.

    Parameters
    ----------
    preset
        Version of the target transform: enformer (pool, hard clip, scale), borzoi (pool, power .75, soft clip, clip, scale) or baskerville
        (scale, pool, sqrt(1 + sum) - 1, soft clip, clip). Must be named where the table has a soft clip, because two versions read it.
    bin_size
        Base pairs of a bin; of the version when absent (128, 32, 32).
    crop
        Base pairs cut from either side of a sequence; of the version when absent (8192, 0, 0).
    input_length
        Base pairs of DNA that are stored around the middle of each sequence; of the version when absent (196,608, 524,288, 131,072).
    """

    preset: Literal["enformer", "borzoi", "baskerville"] | None = None
    bin_size: Count | None = None
    crop: CountOrZero | None = None
    input_length: Count | None = None

    def __post_init__(self) -> None:
        check_settings(self)
