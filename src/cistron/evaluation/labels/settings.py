"""Settings of the label task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.methods import Count, CountOrZero, Range, check_settings

COMPARED = {"shared": "shared genes", "covered": "covered genes", "all": "all genes"}
ZHONG = "zhong2025"


@dataclass(frozen=True)
class LabelSettings:
    """Settings of the label task.

    Attributes
    ----------
    learner
        What predicts a label from an embedding: kernel-ridge (radial kernel, closed form), ridge, or svm.
    protocol
        zhong2025: the published protocol exactly (support-vector machine on unscaled features, given parts).
    compare_on
        Genes that are fitted and scored: shared by all embeddings, covered by each, or all of the table, where a gene without
        an embedding gets the mean prediction.
    folds
        Groups of chromosomes (or of genes) that are left out in turn where the table gives no parts.
    minimum
        Fewest members (of a class: genes) of a term among the genes that are compared.
    controls
        Permutations of the embedding among its genes.
    draws
        Bootstrap samples.
    """

    learner: Literal["kernel-ridge", "ridge", "svm"] = "kernel-ridge"
    protocol: Literal["zhong2025"] | None = None
    compare_on: Literal["shared", "covered", "all"] = "shared"
    folds: Annotated[int, Range(2)] = 5
    minimum: Count = 2
    controls: CountOrZero = 1
    draws: Annotated[int, Range(20)] = 500

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def learner_in_force(self) -> str:
        """The learner, which a protocol decides."""
        return "svm" if self.protocol else self.learner
