"""Settings of the pair task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings


@dataclass(frozen=True)
class PairSettings:
    """Settings of the pair task.

    Attributes
    ----------
    combinations
        How the vectors of two genes are joined: sum, product, difference (absolute), concatenation, bilinear (asymmetric).
    directed
        Whether (a, b) and (b, a) are different pairs, as of a transcription factor and its target.
    negatives
        balanced: made by exchanging partners of positives inside a fold, so that every gene is in as many negatives as
        positives; given: those of the table, which how often a gene occurs may tell apart.
    protocol
        zhong2025: given negatives, given folds and the published support-vector machine.
    folds
        Groups of genes that are left out in turn, where the table gives no folds or negatives are balanced.
    repeats
        How often genes are dealt to groups again.
    most
        Largest number of training pairs of a fold.
    random
        Random Gaussian embeddings of the same size, for the band of what chance gives.
    controls
        Permutations of the embedding among its genes.
    draws
        Bootstrap samples of genes.
    """

    combinations: tuple[Literal["sum", "product", "difference", "concatenation", "bilinear"], ...] = (
        "sum",
        "product",
    )
    directed: bool = False
    negatives: Literal["balanced", "given"] = "balanced"
    protocol: Literal["zhong2025"] | None = None
    folds: Annotated[int, Range(2)] = 3
    repeats: Count = 5
    most: Annotated[int, Range(20)] = 3000
    random: CountOrZero = 5
    controls: CountOrZero = 1
    draws: Annotated[int, Range(20)] = 500

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.combinations:
            raise InputError(
                "combinations must name at least one of sum, product, difference, concatenation, bilinear"
            )

    @property
    def balanced(self) -> bool:
        """Whether negatives are made here."""
        return self.negatives == "balanced" and self.protocol is None
