"""Settings of CaTran and the batches that it is fitted on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cistron.methods import Count, NotNegative, OpenShare, Positive, Share, check_settings
from cistron.runtime.seeds import random_generator

if TYPE_CHECKING:
    import torch


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


class CellBatches:
    """Batches of cells with a part of the genes hidden; can be gone through again with equal draws.

    Each is ``(hidden input [cell, gene], true values, hidden [gene], perturbed position [cell], gene numbers)``;
    the perturbed position is that of the perturbed gene among the batch's genes, -1 where there is none.
    """

    def __init__(
        self, values: "torch.Tensor", perturbation: np.ndarray, settings: CatranSettings, seed: int
    ) -> None:
        self.values, self.perturbation = values, perturbation
        self.settings, self.seed = settings, seed

    def __len__(self) -> int:
        if self.settings.steps is not None:
            return self.settings.steps
        size = min(self.settings.batch_cells, len(self.perturbation))
        return self.settings.epochs * max(1, -(-len(self.perturbation) // size))

    def __iter__(self) -> Iterator[Any]:
        random = random_generator(self.seed, "catran batches")
        order = np.empty(0, dtype=np.int64)
        size = min(self.settings.batch_cells, len(self.perturbation))
        for _ in range(len(self)):
            if not len(order):
                order = random.permutation(len(self.perturbation))
            rows, order = order[:size], order[size:]
            yield self._batch(rows, random)

    def _batch(self, rows: np.ndarray, random: np.random.Generator) -> tuple["torch.Tensor", ...]:
        import torch

        genes = self.values.shape[1]
        count = min(self.settings.batch_genes, genes)
        columns = np.arange(genes) if count == genes else np.sort(random.choice(genes, count, replace=False))
        true = self.values[torch.from_numpy(rows)]
        if count < genes:
            true = true[:, torch.from_numpy(columns)]
        hidden = np.zeros(count, dtype=bool)
        hidden[random.permutation(count)[: max(1, round(self.settings.hidden_share * count))]] = True
        chosen = torch.from_numpy(np.flatnonzero(hidden))
        shown = true.clone()
        shape = (len(rows), len(chosen))
        keys = torch.from_numpy(random.random(shape, dtype=np.float32))
        if self.settings.shuffle == "cells":
            shown[:, chosen] = torch.gather(true[:, chosen], 0, keys.argsort(dim=0))
        else:
            shown[:, chosen] = torch.gather(true[:, chosen], 1, keys.argsort(dim=1))
        place = np.full(genes, -1, dtype=np.int64)
        place[columns] = np.arange(count)
        labels = self.perturbation[rows]
        position = np.where(labels >= 0, place[np.maximum(labels, 0)], -1)
        return shown, true, torch.from_numpy(hidden), torch.from_numpy(position), torch.from_numpy(columns)
