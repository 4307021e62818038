"""Average precision and its like, with weights for bootstrap samples, ties taken as one step."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """Pairs in the order of a score; pairs of one score are one step.

    Attributes
    ----------
    order
        Pairs from the highest score to the lowest, int64 [pair].
    last
        Place of the last pair of each step, int64 [step].
    """

    order: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray) -> "Ranking":
        """Rank a score [pair]; -inf stands for none."""
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        return cls(order, np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]))

    def curve(self, positive: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Give recall and precision after each step.

        Parameters
        ----------
        positive
            bool [pair].
        weights
            Times that each pair is taken, [pair]; once each when absent.
        """
        weight = np.ones(len(positive)) if weights is None else weights
        hits = np.cumsum((weight * positive)[self.order])[self.last]
        taken = np.cumsum(weight[self.order])[self.last]
        precision = np.divide(hits, taken, out=np.ones_like(hits), where=taken > 0)
        return hits / max(hits[-1], 1e-300), precision

    def average_precision(self, positive: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Sum of precision times the gain of recall over steps; NaN where nothing is positive."""
        recall, precision = self.curve(positive, weights)
        if recall[-1] < 0.5:
            return float("nan")
        return float((np.diff(recall, prepend=0.0) * precision).sum())

    def precision_at(self, recall: float, positive: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Precision at the first step that reaches a recall.

        Parameters
        ----------
        recall
            Between 0 and 1.
        positive, weights
            As of :meth:`curve`.
        """
        reached, precision = self.curve(positive, weights)
        return (
            float(precision[int(np.searchsorted(reached, recall - 1e-12))])
            if reached[-1] >= 0.5
            else float("nan")
        )
