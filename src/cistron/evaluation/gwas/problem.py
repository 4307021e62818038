"""What a regressor is given: targets, covariates, features, folds, and the linkage of the genes."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from cistron.formats.magma import GeneCorrelations
from cistron.statistics import BlockCovariance, CovarianceRepair, PublishedProjection, reference_ridge

PROJECTIONS = ("whiten", "none", "paper")


class Linkage:
    """Covariance of the genes of a problem, repaired for each trait.

    Parameters
    ----------
    correlations
        Correlations of the genes, as delivered.
    variances
        Variance of the z-scores of each trait, float64 [trait].
    """

    def __init__(self, correlations: GeneCorrelations, variances: np.ndarray) -> None:
        self.correlations = correlations
        self.variances = variances
        self._decomposition: BlockCovariance | None = None

    @property
    def decomposition(self) -> BlockCovariance:
        """Eigendecomposition by chromosome, computed on first use."""
        if self._decomposition is None:
            self._decomposition = BlockCovariance.decompose(self.correlations.dense_blocks().values())
        return self._decomposition

    def ridge(self, trait: int) -> float:
        """Number added to the diagonal for a trait."""
        return reference_ridge(self.decomposition.smallest_eigenvalue, float(self.variances[trait]))

    def repairs(self) -> list[CovarianceRepair]:
        """What the repair did, one record a trait."""
        return [self.decomposition.repair(float(variance)) for variance in self.variances]

    def published(self, trait: int) -> PublishedProjection:
        """The published projection of a trait."""
        return PublishedProjection.build(self.correlations.dense_blocks().values(), self.ridge(trait))

    def for_traits(self, traits: list[int]) -> "Linkage":
        """The same genes for some of the traits; a decomposition that was made is kept."""
        linkage = Linkage(self.correlations, self.variances[traits])
        linkage._decomposition = self.decomposition
        return linkage

    def select(self, rows: np.ndarray) -> "Linkage":
        """Linkage of a subset of the genes (the right blocks, not rows of a factor)."""
        genes = self.correlations.genes["GENE"].to_numpy()[rows]
        return Linkage(self.correlations.select(list(genes)), self.variances)


@dataclass(frozen=True)
class Problem:
    """One regression with chromosomes left out.

    Attributes
    ----------
    z
        Targets, float64 [gene, trait].
    covariates
        Covariates of the null model, float64 [gene, covariate].
    features
        Embedding, float64 [gene, dimension]; no columns for the null model.
    folds
        Fold of each gene, int [gene], numbered from 0; a chromosome is never divided.
    linkage
        Covariance of the genes, or None when nothing is projected.
    projection
        ``whiten``, ``none`` or ``paper``.
    near
        From a column of genes to the mean over each gene's neighbours, sparse [gene, gene]
        (:func:`cistron.evaluation.gwas.near.mean_over_neighbours`); None where neighbours do not count.
    """

    z: np.ndarray
    covariates: np.ndarray
    features: np.ndarray
    folds: np.ndarray
    linkage: Linkage | None = None
    projection: str = "none"
    near: sparse.csr_array | None = None

    def __post_init__(self) -> None:
        rows = {len(self.z), len(self.covariates), len(self.features), len(self.folds)}
        assert len(rows) == 1, rows
        assert (self.linkage is None) == (self.projection == "none")

    def with_features(self, features: np.ndarray) -> "Problem":
        """The same problem with other features."""
        return replace(self, features=features)

    def select(self, rows: np.ndarray) -> "Problem":
        """The problem on a subset of the genes, given by row numbers; folds are renumbered without gaps."""
        _, folds = np.unique(self.folds[rows], return_inverse=True)
        linkage = None if self.linkage is None else self.linkage.select(rows)
        near = None if self.near is None else self.near[rows][:, rows]
        arrays = (self.z[rows], self.covariates[rows], self.features[rows])
        return Problem(*arrays, folds, linkage, self.projection, near)

    def intercept_and_covariates(self) -> np.ndarray:
        """Columns that are not penalised, float64 [gene, 1 + covariate]."""
        return np.hstack([np.ones((len(self.z), 1)), self.covariates])
