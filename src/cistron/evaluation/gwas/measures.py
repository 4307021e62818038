"""Agreement of held-out predictions with z, and how it moves when chromosomes are drawn again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cistron.evaluation.gwas.tasks import Task
from cistron.statistics import BlockSums, block_draws, signed_square


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model on its genes, one entry a design.

    Attributes
    ----------
    rows
        Row numbers of the genes in each design, int [row]; None where the design was not fitted.
    values
        Predictions, float [row, trait].
    """

    rows: tuple[np.ndarray | None, ...]
    values: tuple[np.ndarray | None, ...]


@dataclass(frozen=True)
class Agreement:
    """Correlation of predictions with z over some genes.

    Attributes
    ----------
    sums
        Sums by chromosome; traits of designs that were not fitted have none.
    weights
        Times that each bootstrap sample takes each chromosome, float64 [draw, chromosome].
    """

    sums: BlockSums
    weights: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Genes behind each trait, float64 [trait]."""
        return self.sums.count

    @cached_property
    def r(self) -> np.ndarray:
        """Pearson correlation [trait]; a prediction that does not vary has 0."""
        return np.nan_to_num(self.sums.correlation())

    @cached_property
    def r2(self) -> np.ndarray:
        """Signed squared correlation [trait]."""
        return signed_square(self.r)

    @cached_property
    def sampled_r2(self) -> np.ndarray:
        """Signed squared correlation under the bootstrap [draw, trait]."""
        return signed_square(np.nan_to_num(self.sums.correlation(self.weights)))


class Agreements:
    """Makes :class:`Agreement` from predictions; chromosomes have one order and one set of draws.

    Parameters
    ----------
    tasks
        The designs.
    draws
        Bootstrap samples.
    seed
        Seed of the run.
    """

    def __init__(self, tasks: Sequence[Task], draws: int, seed: int) -> None:
        self.tasks, self.draws, self.seed = tasks, draws, seed
        self.chromosomes = sorted({name for task in tasks for name in task.design.genes["CHR"]})
        index = {name: number for number, name in enumerate(self.chromosomes)}
        self.blocks = [
            np.array([index[name] for name in task.design.genes["CHR"]], dtype=np.int64) for task in tasks
        ]
        self.odd = np.array([name.isdigit() and int(name) % 2 == 1 for name in self.chromosomes])

    def sums(
        self, predictions: Predictions, among: Callable[[int, np.ndarray], np.ndarray] | None = None
    ) -> BlockSums:
        """Sums of one model.

        Parameters
        ----------
        predictions
            The model.
        among
            From the number of a design and its rows to a mask of the rows to use, bool [row]; all when absent.
        """
        parts = []
        for number, task in enumerate(self.tasks):
            found = np.zeros((6, len(self.chromosomes), task.design.z.shape[1]))
            rows, values = predictions.rows[number], predictions.values[number]
            if rows is not None and values is not None:
                if among is not None:
                    mask = among(number, rows)
                    rows, values = rows[mask], values[mask]
                if len(rows):
                    sums = BlockSums.collect(values, task.design.z[rows], self.blocks[number][rows]).sums
                    found[:, : sums.shape[1]] = sums
            parts.append(found)
        return BlockSums(np.concatenate(parts, axis=2))

    def agreement(self, sums: BlockSums, chromosomes: np.ndarray | None = None) -> Agreement:
        """Agreement over all chromosomes, or over some (bool [chromosome])."""
        if chromosomes is not None:
            sums = BlockSums(sums.sums * chromosomes[None, :, None])
        present = sums.sums[0].sum(axis=1) > 0
        weights = np.zeros((self.draws, len(present)))
        weights[:, present] = block_draws(int(present.sum()), self.draws, self.seed)
        return Agreement(sums, weights)
