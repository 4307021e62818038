"""Batches of cells that CaTran is fitted on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cistron.networks.settings import CatranSettings
from cistron.runtime.seeds import random_generator

if TYPE_CHECKING:
    import torch


class CatranBatches:
    """Batches of cells with a part of the genes hidden; can be gone through again with equal draws.

    Each is ``(hidden input [cell, gene], true values, hidden [gene], perturbed position [cell], gene numbers)``;
    the perturbed position is that of the perturbed gene among the batch's genes, -1 where there is none.

    Parameters
    ----------
    values
        What the model reads, float32 [cell, gene].
    perturbation
        Perturbed gene of each cell, -1 where there is none.
    settings
        Size of a batch, hidden share and how it is shuffled.
    seed
        Seed of the draws.
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


CellBatches = CatranBatches  # its name until 0.3
