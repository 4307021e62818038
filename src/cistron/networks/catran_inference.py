"""CaTran from cells to a network: batches, losses, training, readout. What is mended is on the wing's page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cistron.errors import InputError
from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.network import Network
from cistron.runtime.seeds import random_generator, seed_for

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

    dimension: int = 40
    steps: int | None = 600
    epochs: int = 25
    batch_cells: int = 256
    batch_genes: int = 500
    hidden_share: float = 0.8
    shuffle: str = "cells"
    hidden_weight: float = 0.7
    intervention_weight: float = 30.0
    log_input: bool = True
    separate: bool = True
    mask_self: bool = True
    inverted_ratio: bool = True
    relative_scores: bool = True
    spread: float = 0.1
    learning_rate: float = 1e-3
    weight_decay: float = 0.05

    def __post_init__(self) -> None:
        if self.shuffle not in ("cells", "genes"):
            raise InputError(f"shuffle must be 'cells' or 'genes'. Given: {self.shuffle!r}")
        if not 0 < self.hidden_share < 1:
            raise InputError(f"hidden_share must be between 0 and 1. Given: {self.hidden_share}")

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


class CatranLoss:
    """The three terms of the loss; keeps what it has seen of perturbed genes' errors.

    Parameters
    ----------
    settings
        Of the model.
    genes
        Number of genes.
    """

    def __init__(self, settings: CatranSettings, genes: int) -> None:
        import torch

        self.settings = settings
        self.error = torch.zeros(
            genes, genes
        )  # mean error of a target in cells where the source is perturbed
        self.rest = torch.zeros(genes)  # mean error of a target in all cells
        self.seen = torch.zeros(genes)  # cells behind a row of ``error``, discounted
        self.decay = 0.98

    def __call__(self, model: Any, batch: Any) -> dict[str, "torch.Tensor"]:
        """Give ``loss`` and its parts."""
        from torch.nn.functional import huber_loss

        shown, true, hidden, position, genes = batch
        predicted, attention = model(shown, None if len(genes) == len(self.rest) else genes)
        errors = huber_loss(predicted, true, reduction="none")
        hidden_loss, visible_loss = errors[:, hidden].mean(), errors[:, ~hidden].mean()
        weight = self.settings.hidden_weight
        loss = weight * hidden_loss + (1 - weight) * visible_loss
        penalty = errors.new_zeros(())
        if self.settings.intervention_weight and bool((position >= 0).any()):
            penalty = (
                self._relative(errors.detach(), attention, position, genes)
                if self.settings.relative_scores
                else self._printed(errors, attention, position)
            )
            loss = loss + self.settings.intervention_weight * penalty
        return {
            "loss": loss,
            "hidden": hidden_loss.detach(),
            "visible": visible_loss.detach(),
            "interventional": penalty.detach(),
        }

    def _printed(
        self, errors: "torch.Tensor", attention: "torch.Tensor", position: "torch.Tensor"
    ) -> "torch.Tensor":
        """The published term: attention of a perturbed gene's column against a sigmoid of the ratio of errors."""
        import torch

        perturbed, place = torch.unique(position[position >= 0], return_inverse=True)
        member = torch.nn.functional.one_hot(place, len(perturbed)).to(errors.dtype)  # (cells, P)
        inside = member.T @ errors[position >= 0]  # (P, T)
        count = member.sum(dim=0)[:, None]
        outside = (errors.sum(dim=0) - inside) / (len(errors) - count).clamp_min(1)
        ratio = (outside, inside / count) if not self.settings.inverted_ratio else (inside / count, outside)
        importance = torch.sigmoid(ratio[0] / (ratio[1] + 1e-8) - 1)
        return torch.nn.functional.huber_loss(attention.T[perturbed], importance)

    def _relative(
        self,
        errors: "torch.Tensor",
        attention: "torch.Tensor",
        position: "torch.Tensor",
        genes: "torch.Tensor",
    ) -> "torch.Tensor":
        """The mended term: both sides relative to the mean of the source, importance averaged over batches."""
        import torch

        perturbed, place = torch.unique(position[position >= 0], return_inverse=True)
        member = torch.nn.functional.one_hot(place, len(perturbed)).to(errors.dtype)
        count = member.sum(dim=0)
        rows = genes[perturbed]
        old, added = self.seen[rows] * self.decay, count
        mean = (member.T @ errors[position >= 0]) / count[:, None]
        share = (added / (old + added))[:, None]
        block = self.error[rows[:, None], genes[None, :]]
        block = block + share * (mean - block)
        self.error[rows[:, None], genes[None, :]] = block
        self.seen[rows] = old + added
        fresh = self.rest[genes] == 0
        average = errors.mean(dim=0)
        self.rest[genes] = torch.where(fresh, average, torch.lerp(self.rest[genes], average, 0.05))
        ratio = block / (self.rest[genes] + 1e-8)
        if not self.settings.inverted_ratio:
            ratio = 1 / (ratio + 1e-8)
        importance = torch.sigmoid(ratio - 1)
        importance[torch.arange(len(perturbed)), perturbed] = (
            0  # the gene's own error says that it was perturbed
        )
        importance = importance / importance.mean(dim=1, keepdim=True)
        column = attention.T[perturbed]
        column = column / column.mean(dim=1, keepdim=True)
        return torch.nn.functional.huber_loss(column, importance)


def prepare_values(cells: PerturbedCells, settings: CatranSettings) -> tuple["torch.Tensor", np.ndarray]:
    """Give the values that the model reads, float32 [cell, gene], and the perturbed gene of each cell."""
    import torch

    used = np.flatnonzero(cells.perturbation >= -1)
    values = log_normalise(cells.values, cells.scale) if settings.log_input else cells.values
    dense = values[used].toarray().astype(np.float32)
    if settings.log_input:
        deviation = dense.std(axis=0)
        dense /= np.where(deviation > 0, deviation, 1)
    return torch.from_numpy(dense), cells.perturbation[used]


def infer_catran(cells: PerturbedCells, settings: CatranSettings, seed: int) -> Network:
    """Fit CaTran and read the network and the gene embedding out of it."""
    import torch

    from cistron.networks.catran import Catran
    from cistron.training import FitSettings, fit
    from cistron.training.lion import Lion

    values, perturbation = prepare_values(cells, settings)
    genes = len(cells.genes)
    with torch.random.fork_rng():
        torch.manual_seed(seed_for(seed, "catran weights"))
        model = Catran(
            genes,
            settings.dimension,
            separate=settings.separate,
            mask_self=settings.mask_self,
            spread=settings.spread,
        )
    # One epoch of all steps: the weights of the last step are wanted, and nothing is done between epochs.
    report = fit(
        model,
        CatranLoss(settings, genes),
        CellBatches(values, perturbation, settings, seed),
        settings=FitSettings(epochs=1, patience=None, accelerator="cpu"),
        optimiser=lambda network: Lion(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        ),
        seed=seed,
        description="CaTran",
    )
    with torch.no_grad():
        attention = model.attention().numpy().T.astype(np.float32)  # [source, target]
    if settings.relative_scores:
        off = attention.sum(axis=1, keepdims=True) - np.diag(attention)[:, None]
        attention = attention / np.maximum(off / (genes - 1), 1e-12)
    np.fill_diagonal(attention, np.nan)
    return Network(
        cells.genes,
        attention,
        gene_embedding=model.embedding.detach().numpy().copy(),
        details={"loss": round(report.best_loss, 6), "seconds": report.seconds},
    )
