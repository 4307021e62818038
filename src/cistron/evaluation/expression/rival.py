"""Expression of unseen genes from trivial columns alone, and beside a prediction: what a method must beat."""

import numpy as np

from cistron.evaluation.expression.alignment import Aligned
from cistron.evaluation.expression.strata import Stratum
from cistron.evaluation.rivals import Rivals

RIVAL_METHOD = "least squares on trivial columns of genes, per cell"
FULL_METHOD = "trivial columns + prediction"
_PARTS = 5
_VALUES_AT_ONCE = 1 << 23


class TrivialRival:
    """Each cell's observed seen genes regressed on trivial columns of genes, and applied to unseen genes.

    It uses what a method may use: observed values of seen genes, in training cells and in the cell that is predicted.

    Parameters
    ----------
    aligned
        Files that are compared.
    rivals
        Trivial columns by gene.
    """

    def __init__(self, aligned: Aligned, rivals: Rivals) -> None:
        genes = rivals.of(aligned.genes.index)
        self.names = list(genes.columns)
        columns = np.column_stack([np.ones(len(genes)), genes.to_numpy(np.float64)])
        seen = np.flatnonzero(aligned.genes["split"].astype(str).to_numpy() == "train")
        self.usable = bool(self.names) and len(seen) > 10 * columns.shape[1]
        self._columns = columns
        self._slopes = np.zeros((len(aligned.observations), columns.shape[1]))
        if not self.usable:
            return
        solver = np.linalg.pinv(columns[seen])  # (column, gene)
        step = max(1, _VALUES_AT_ONCE // len(seen))
        for start in range(0, len(aligned.observations), step):
            cells = np.arange(start, min(start + step, len(aligned.observations)))
            values = aligned.values(0, "observed", cells, seen).astype(np.float64)
            known = np.isfinite(values)
            total, number = np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1)
            filled = np.where(known, values, (total / np.maximum(number, 1))[:, None])
            self._slopes[cells] = np.where(number > 0, 1.0, np.nan)[:, None] * (filled @ solver.T)

    def predict(self, stratum: Stratum) -> np.ndarray | None:
        """Prediction for a stratum of unseen genes, float32 [cell, gene]; ``None`` where genes were seen or nothing is known."""
        if not self.usable or stratum.genes_seen:
            return None
        predicted: np.ndarray = self._slopes[stratum.cells] @ self._columns[stratum.genes].T
        return predicted.astype(np.float32)


def beside(rival: np.ndarray, predicted: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The best linear mixture of the trivial prediction and a prediction, never fitted on the genes that it is applied to.

    Two weights are fitted over all cells on four fifths of the genes and applied to the rest. Genes that the prediction
    leaves out, or entries, are left out.

    Parameters
    ----------
    rival, predicted, observed
        float32 [cell, gene]; the genes are in random order.

    Returns
    -------
    ndarray
        float32 [cell, gene]; NaN where ``predicted`` is.
    """
    mixed = np.full(predicted.shape, np.nan, dtype=np.float32)
    part = np.arange(predicted.shape[1]) % _PARTS
    known = np.isfinite(rival) & np.isfinite(predicted) & np.isfinite(observed)
    moments = [_moments(rival, predicted, observed, known, part == one) for one in range(_PARTS)]
    for one in range(_PARTS):
        gram, cross = (
            sum(each[place] for other, each in enumerate(moments) if other != one) for place in (0, 1)
        )
        weights = np.linalg.pinv(gram, hermitian=True) @ cross
        own = part == one
        mixed[:, own] = weights[0] + weights[1] * rival[:, own] + weights[2] * predicted[:, own]
    return mixed


def _moments(
    rival: np.ndarray, predicted: np.ndarray, observed: np.ndarray, known: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    used = known[:, own]
    columns = np.stack(
        [np.ones(int(used.sum())), rival[:, own][used], predicted[:, own][used]], dtype=np.float64
    )
    return columns @ columns.T, columns @ observed[:, own][used].astype(np.float64)
