"""Settings of the GWAS task; importing them loads nothing else."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from cistron.evaluation.gwas.regressor_settings import BoostedSettings, RidgeSettings, XgboostSettings
from cistron.evaluation.gwas.regressors import REGRESSORS
from cistron.methods import (
    CountOrZero,
    NotNegative,
    Range,
    check_settings,
)


@dataclass(frozen=True)
class GwasSettings:
    """Settings of the GWAS task.

    Attributes
    ----------
    model
        Regressor between embedding and z-score: ridge, linear, xgboost, boosted.
    null
        Covariates of the null model that the gain is measured against: positional (those of MAGMA, the density of
        genes at three scales, and gene length) or published (those of MAGMA alone). The gain over the other one
        is reported beside it.
    keep_mhc
        Fit and score genes of the MHC (chromosome 6, 25 to 36 Mb), which are left out otherwise; the other figure
        is reported beside it.
    projection
        What is done about linkage: whiten (generalised least squares), none, or paper (the published form).
        When absent: whiten if a covariance is given, none otherwise.
    neighbour_scale
        Kilobases over which the functions of neighbouring genes count: a multiple of their mean, weighted by
        exp(-distance / this) up to three times the distance, is added to a gene's dimensions. The multiple is
        chosen with the penalty of ridge; 0 lets no neighbour count. Regressors linear and xgboost have none.
    missing
        Prediction for genes without an embedding where the score is over all genes of the traits: mean z-score of
        the training chromosomes, or that of the null model.
    folds
        Chromosome groups that are left out in turn; each chromosome when absent (11 groups for boosted).
    controls
        Draws of each negative control; 5 for ridge and linear, 1 for trees when absent.
    draws
        Bootstrap samples of chromosomes.
    ridge, xgboost, boosted
        Settings of the regressors.
    """

    model: str = "ridge"
    null: Literal["positional", "published"] = "positional"
    keep_mhc: bool = False
    projection: Literal["whiten", "none", "paper"] | None = None
    neighbour_scale: NotNegative = 100.0
    missing: Literal["mean", "null"] = "mean"
    folds: Annotated[int, Range(2)] | None = None
    controls: CountOrZero | None = None
    draws: Annotated[int, Range(20)] = 1000
    ridge: RidgeSettings = field(default_factory=RidgeSettings)
    xgboost: XgboostSettings = field(default_factory=XgboostSettings)
    boosted: BoostedSettings = field(default_factory=BoostedSettings)

    def __post_init__(self) -> None:
        check_settings(self)
        REGRESSORS.find(self.model)

    def of_regressor(self) -> Any:
        """Settings of the chosen regressor."""
        return getattr(self, self.model, None) or REGRESSORS.find(self.model).settings()
