"""References for every method: an additive null model, and the highest correlation that noise allows for pseudobulks."""

import numpy as np

from cistron.evaluation.expression.alignment import RESERVED, Aligned
from cistron.evaluation.expression.comparison import compare
from cistron.evaluation.expression.strata import Stratum, pool

NULL_METHOD = "gene mean + size factor"
NULL_NAME, CEILING_NAME = RESERVED[:2]
CEILING_METHOD = "split halves of the cells"


class AdditiveNull:
    """Gene means over training cells plus a size factor: what is known without any model.

    The size factor of a cell is the mean of its observed seen genes, less their mean over training cells. A gene
    that was not seen gets the size factor alone, so its across-gene correlation is undefined.
    """

    def __init__(self, aligned: Aligned) -> None:
        parts = [
            frame["split"].astype(str).to_numpy() == "train"
            for frame in (aligned.observations, aligned.genes)
        ]
        self.seen_genes = np.flatnonzero(parts[1])
        train = np.flatnonzero(parts[0])
        self.gene_mean = np.full(len(aligned.genes), np.nan)
        self.size_factor = np.full(len(aligned.observations), np.nan)
        if not len(self.seen_genes):
            return
        everyone = np.arange(len(aligned.observations))
        total = np.zeros(len(self.seen_genes))
        number = np.zeros(len(self.seen_genes))
        step = max(1, (1 << 23) // len(self.seen_genes))
        for start in range(0, len(everyone), step):
            cells = everyone[start : start + step]
            values = aligned.values(0, "observed", cells, self.seen_genes)
            measured = np.isfinite(values)
            values = np.where(measured, values, 0.0)
            counted = measured.sum(axis=1)
            self.size_factor[cells] = np.where(
                counted > 0, values.sum(axis=1) / np.maximum(counted, 1), np.nan
            )
            own = np.isin(cells, train)
            total += values[own].sum(axis=0)
            number += measured[own].sum(axis=0)
        if len(train):
            self.gene_mean[self.seen_genes] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
            known = self.size_factor[train][np.isfinite(self.size_factor[train])]
            self.size_factor -= known.mean() if len(known) else 0.0

    def predict(self, stratum: Stratum) -> np.ndarray:
        """Prediction for a stratum, float32 [cell, gene]; NaN where nothing was seen to learn from."""
        gene = self.gene_mean[stratum.genes] if stratum.genes_seen else np.zeros(len(stratum.genes))
        return (self.size_factor[stratum.cells][:, None] + gene[None, :]).astype(np.float32)


def ceiling(
    observed: np.ndarray,
    members: np.ndarray,
    logarithm: bool,
    generator: np.random.Generator,
    repeats: int,
    threads: int,
) -> dict[str, float]:
    """Correlation that a perfect prediction would reach with observed pseudobulks, from halves of their cells.

    The correlation r of two halves gives the reliability 2 r / (1 + r) of the whole (Spearman 1910, Brown 1910); its
    root is the correlation of the whole with its expectation. Applied to the mean r of each metric.

    Parameters
    ----------
    observed
        float32 [cell, gene].
    members
        Cells of each pseudobulk, of :func:`pool_matrix`.
    logarithm
        As of :func:`pool`.
    generator, repeats
        Halvings are averaged.
    threads
        As of :func:`compare`.

    Returns
    -------
    dict
        By metric; NaN where halves do not correlate.
    """
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        half = np.zeros_like(members)
        for row, own in zip(half, members):
            cells = generator.permutation(np.flatnonzero(own))
            row[cells[: len(cells) // 2]] = 1
        first, second = (pool(observed, part, logarithm) for part in (half, members - half))
        for metric, value in compare(first, second, threads=threads).values.items():
            found.setdefault(metric, []).append(value)
    mean = {metric: float(np.mean(values)) for metric, values in found.items()}
    return {
        metric: float(np.sqrt(2 * value / (1 + value))) if value > 0 else float("nan")
        for metric, value in mean.items()
    }
