"""Settings of the network methods; apart from the models, so that the command line reads them without loading torch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.methods import (
    Count,
    CountOrZero,
    NotNegative,
    OpenShare,
    Positive,
    PositiveShare,
    Range,
    Share,
    check_settings,
)

Direction = Literal[
    "auto", "knock-down", "activation", "inhibition", "stimulation"
]  # which way perturbations move their genes


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


@dataclass(frozen=True)
class DefaultSettings:
    """Parts of the default method; each can be left out, which is how the ablation is made.

    Attributes
    ----------
    direct
        Use direct effects; total effects alone otherwise.
    learn_hubs
        Learn how unevenly targets are spread over sources.
    co_variation
        Use the partial correlation and its sign.
    cell_states
        Compare cells with control cells of their own state, where control cells come in several states that perturbations
        leave as they are.
    escapers
        Weigh cells by the chance that their perturbation took effect, where many escaped it and counts tell which. Off,
        because it gained nothing that could be shown on planted screens with 30% escapers.
    direction
        Which way perturbations move their genes: ``auto`` reads it from the genes themselves; ``knock-down``,
        ``activation``, or ``inhibition`` and ``stimulation`` (of activity that the values do not show).
    resamples
        Resamples of the cells for ``stability``; 0 leaves it out.
    candidates
        Candidate sources of a gene in the deconvolution.
    most_cells
        Cells that the partial correlation is computed on, at most.
    """

    direct: bool = True
    learn_hubs: bool = True
    co_variation: bool = True
    cell_states: bool = True
    escapers: bool = False
    direction: Direction = "auto"
    resamples: CountOrZero = 10
    candidates: Count = 100
    most_cells: Count = 20_000

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class CatranSettings:
    """Settings of CaTran; the defaults are the mended model, :meth:`paper` the published one.

    Attributes
    ----------
    dimension
        Length of a gene's embedding.
    steps
        Steps of training; ``None`` makes ``epochs`` passes over the cells, as published.
    epochs
        Passes over the cells where ``steps`` is ``None``.
    batch_cells, batch_genes
        Size of a batch.
    hidden_share
        Share of the genes whose values are shuffled.
    shuffle
        ``cells``: a hidden gene takes its value from another cell of the batch; ``genes``: from another hidden gene
        of the same cell (as published).
    hidden_weight
        Weight of the loss of hidden genes; the rest is that of visible ones.
    intervention_weight
        Weight of the interventional loss.
    log_input
        log(1 + count / size factor), each gene scaled to unit deviation; raw counts otherwise (as published).
    separate
        Separate query and key layers.
    mask_self
        No attention of a gene to itself.
    inverted_ratio
        Importance from the error in perturbed over that in other cells; the printed ratio is the other way round.
    relative_scores
        Compare importance and attention after dividing each by its mean over the targets of a source, which brings
        the two to one scale; importance is then averaged over batches and held fixed within a step.
    spread
        Standard deviation of the initial weights; at the published 0.001 all attention starts and stays near equal.
    learning_rate, weight_decay
        Of Lion.
    """

    dimension: Count = 40
    steps: Count | None = 600
    epochs: Count = 25
    batch_cells: Count = 256
    batch_genes: Count = 500
    hidden_share: OpenShare = 0.8
    shuffle: Literal["cells", "genes"] = "cells"
    hidden_weight: Share = 0.7
    intervention_weight: NotNegative = 30.0
    log_input: bool = True
    separate: bool = True
    mask_self: bool = True
    inverted_ratio: bool = True
    relative_scores: bool = True
    spread: Positive = 0.1
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.05

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def paper(cls) -> "CatranSettings":
        """Give the published model: raw counts, 25 epochs of 2,048 cells, shared layer, printed ratio."""
        return cls(
            steps=None,
            batch_cells=2048,
            shuffle="genes",
            log_input=False,
            separate=False,
            mask_self=False,
            inverted_ratio=False,
            relative_scores=False,
            intervention_weight=1.0,
            spread=1e-3,
        )


@dataclass(frozen=True)
class TreesSettings:
    """Size of the trees.

    Attributes
    ----------
    rounds, learning_rate, depth
        Trees a gene, their shrinkage and depth.
    columns
        Share of the genes that each tree may choose from.
    rows
        Share of the cells that each tree sees.
    bins
        Bins of a gene's values.
    most_cells
        Cells used, at most.
    threads
        Threads of xgboost.
    """

    rounds: Count = 40
    learning_rate: Positive = 0.1
    depth: Count = 3
    columns: PositiveShare = 0.2
    rows: PositiveShare = 0.9
    bins: Annotated[int, Range(2)] = 32
    most_cells: Count = 20_000
    threads: Count = 1

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class StrengthSettings:
    """What makes a perturbation strong.

    Attributes
    ----------
    changed_genes
        More genes than these must differ from control cells.
    level
        Level of the Anderson-Darling test of a gene.
    knock_down
        Least share of the target's mean expression that is lost.
    cells
        More cells than these.
    percentile
        Cells are kept whose target is at most at this percentile of the control cells.
    most_control
        Control cells that the test uses, at most.
    """

    changed_genes: CountOrZero = 50
    level: OpenShare = 0.001
    knock_down: Share = 0.3
    cells: CountOrZero = 25
    percentile: Annotated[float, Range(0, 100)] = 10.0
    most_control: Count = 1000

    def __post_init__(self) -> None:
        check_settings(self)
