"""Models that are linear in a few cell factors: mean of a gene + loadings of the gene x factors of the cell.

What differs between methods is where means and loadings come from, and how the factors of a cell are read off the
genes that are visible in it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from cistron.cells.normalisation import Normalisation


@dataclass(frozen=True)
class LinearModel:
    """A fitted model. Genes: first the training genes (T of them), then all others that have features.

    Attributes
    ----------
    mean
        float64 [gene]; NaN where the model knows nothing of a gene.
    loadings
        float64 [gene, factor].
    anchors
        Loadings by which factors are read off, float64 [T, factor].
    anchor_mean
        Means of the training genes over training cells, float64 [T].
    noise
        Variance of a training gene that factors do not explain, float64 [T].
    share
        Share of each training gene in the counts, float64 [T].
    fold
        Fold of each training gene, int [T]; a fold is predicted from the others.
    rule
        How the factors of a cell are found: ``posterior`` (their mean given the visible genes, with a standard normal
        prior), ``nearest`` (1 for the most correlated anchor), ``depth`` (mean of the visible genes), ``none``.
    """

    mean: np.ndarray
    loadings: np.ndarray
    anchors: np.ndarray
    anchor_mean: np.ndarray
    noise: np.ndarray
    share: np.ndarray
    fold: np.ndarray
    rule: str

    def factors(
        self, block: sparse.csr_matrix, normalisation: Normalisation, hidden: int | None, measured: np.ndarray
    ) -> np.ndarray:
        """Find the factors of cells from their visible training genes.

        Parameters
        ----------
        block
            Values as they came, sparse [cell, T].
        normalisation
            Of training genes.
        hidden
            Fold that is hidden; nothing when ``None``.
        measured
            Whether the data set measures each training gene, bool [T].

        Returns
        -------
        ndarray
            float64 [cell, factor].
        """
        visible = measured if hidden is None else measured & (self.fold != hidden)
        library = normalisation.library(block, np.flatnonzero(visible)) / max(self.share[visible].sum(), 1e-9)
        expression = normalisation.expression(block, library)
        weight = visible.astype(np.float64)
        mean = self.anchor_mean * weight
        if self.rule == "none":
            return np.zeros((block.shape[0], self.loadings.shape[1]))
        if self.rule == "depth":
            return ((expression @ weight) / weight.sum())[:, None]
        if self.rule == "nearest":
            return self._nearest(expression, weight, mean)
        precision = self.anchors * (weight / self.noise)[:, None]  # (T, K)
        inner = precision.T @ self.anchors + np.eye(self.anchors.shape[1])
        right = expression @ precision - mean @ precision
        return np.linalg.solve(inner, right.T).T

    def _nearest(self, expression: sparse.csr_matrix, weight: np.ndarray, mean: np.ndarray) -> np.ndarray:
        anchors = self.anchors * weight[:, None]
        anchors = anchors - weight[:, None] * anchors.sum(axis=0) / weight.sum()
        anchors /= np.maximum(np.linalg.norm(anchors, axis=0), 1e-12)
        similarity = expression @ anchors - mean @ anchors  # (cell, K): correlation up to the cell's own norm
        return np.eye(anchors.shape[1])[similarity.argmax(axis=1)]

    def predict(
        self, block: sparse.csr_matrix, normalisation: Normalisation, measured: np.ndarray
    ) -> np.ndarray:
        """Predict all genes of cells; no value of a gene takes part in its own prediction.

        Parameters
        ----------
        block
            Values of the training genes as they came, sparse [cell, T].
        normalisation
            Of training genes.
        measured
            Whether the data set measures each training gene, bool [T].

        Returns
        -------
        ndarray
            float32 [cell, gene]; NaN where a gene is undefined.
        """
        predicted = np.empty((block.shape[0], len(self.mean)), dtype=np.float32)
        training = len(self.fold)
        for hidden in np.unique(self.fold):
            genes = np.flatnonzero(self.fold == hidden)
            factors = self.factors(block, normalisation, int(hidden), measured)
            predicted[:, genes] = self.mean[genes] + factors @ self.loadings[genes].T
        if training < len(self.mean):
            factors = self.factors(block, normalisation, None, measured)
            predicted[:, training:] = self.mean[training:] + factors @ self.loadings[training:].T
        return predicted

    def with_genes(self, outputs: np.ndarray) -> "LinearModel":
        """Add genes whose mean and loadings, or loadings only, were mapped from features, float64 [gene, output]."""
        width = self.loadings.shape[1]
        mean = outputs[:, 0] if outputs.shape[1] == width + 1 else np.zeros(len(outputs))
        return replace(
            self, mean=np.r_[self.mean, mean], loadings=np.vstack([self.loadings, outputs[:, -width:]])
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """What must be saved, by name."""
        names = ("mean", "loadings", "anchors", "anchor_mean", "noise", "share", "fold")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], rule: str) -> "LinearModel":
        """Build it from what :meth:`arrays` gave."""
        return cls(**arrays, rule=rule)
