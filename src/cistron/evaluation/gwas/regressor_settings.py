"""Settings of the regressors of the GWAS task; importing them loads nothing else."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import Count, NotNegative, Positive, PositiveShare, Range, Share, check_settings

# those of cistron.statistics.DEFAULT_PENALTIES
_PENALTIES = (
    *(
        1.0,
        3.1622776601683795,
        10.0,
        31.622776601683793,
        100.0,
        316.2277660168379,
        1000.0,
        3162.2776601683795,
    ),
    *(10000.0, 31622.776601683792, 100000.0, 316227.7660168379, 1000000.0),
)


@dataclass(frozen=True)
class RidgeSettings:
    """Settings of ``ridge``.

    Attributes
    ----------
    penalties
        Penalties on scaled dimensions; one is chosen for each trait and fold on the training chromosomes.
    scaling
        standardise penalises all dimensions alike; keep lets dimensions of large variance count for more;
        auto chooses for each trait and fold, like the penalty.
    penalise_covariates
        Penalise covariates like dimensions; they are fitted freely when False.
    choice
        How penalty, scaling and weight of neighbours are chosen: chromosomes (the error on parts of the training
        chromosomes that are left out) or gcv (generalised cross-validation, which takes genes as independent; the
        first weight of neighbours is taken).
    neighbour_weights
        Weights to choose from: this many times the mean over its neighbours is added to a gene's dimensions.
    """

    penalties: tuple[Positive, ...] = _PENALTIES
    scaling: Literal["auto", "standardise", "keep"] = "auto"
    penalise_covariates: bool = False
    choice: Literal["chromosomes", "gcv"] = "chromosomes"
    neighbour_weights: tuple[NotNegative, ...] = (0.0, 2.0)

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.neighbour_weights:
            raise InputError(
                "neighbour_weights: none was given; give at least one number, 0 for no neighbours"
            )
        if not self.penalties:
            raise InputError("penalties: none was given; give at least one positive number")


@dataclass(frozen=True)
class LinearSettings:
    """Least squares has no settings."""


@dataclass(frozen=True)
class XgboostSettings:
    """Settings of ``xgboost``; the defaults are those of the report, but for the number of bins.

    Attributes
    ----------
    trees
        Number of trees.
    depth
        Depth of each tree.
    learning_rate
        Shrinkage of each tree.
    l2
        Squared penalty on leaf values (reg_lambda).
    l1
        Absolute penalty on leaf values (reg_alpha).
    bins
        Number of histogram bins a feature. 128 bins give the R2 of the report's 256 to 1e-4 and save a third of
        the time (``python -m benchmarks gwas_speed``).
    """

    trees: Count = 100
    depth: Count = 6
    learning_rate: Positive = 0.3
    l2: NotNegative = 1000.0
    l1: NotNegative = 100.0
    bins: Annotated[int, Range(2)] = 128

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class BoostedSettings:
    """Settings of ``boosted``, found on odd chromosomes and half of the traits (``docs/guide/gwas_findings.md``).

    Attributes
    ----------
    trees
        Number of trees.
    leaves
        Leaves of each tree.
    learning_rate
        Shrinkage of each tree.
    features_per_tree
        Share of the features that a tree may use.
    rows_per_leaf
        Least number of genes in a leaf.
    l2
        Penalty on leaf values.
    bins
        Number of histogram bins a feature.
    linear_share
        Weight of the closed-form ridge prediction in the average of both; 0 is trees alone.
    """

    trees: Count = 400
    leaves: Annotated[int, Range(2)] = 7
    learning_rate: Positive = 0.03
    features_per_tree: PositiveShare = 0.1
    rows_per_leaf: Count = 50
    l2: NotNegative = 0.0
    bins: Annotated[int, Range(2)] = 63
    linear_share: Share = 0.5

    def __post_init__(self) -> None:
        check_settings(self)
