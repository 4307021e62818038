"""CaTran from cells to a network: losses, training, readout. What is mended is on the wing's page."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.catran_batches import CatranBatches
from cistron.networks.network import Network
from cistron.networks.settings import CatranSettings
from cistron.runtime.seeds import seed_for

if TYPE_CHECKING:
    import torch


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
    """Fit CaTran and read the network and the gene embedding out of it.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Settings of CaTran.
    seed
        Seed of everything random.
    """
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
        CatranBatches(values, perturbation, settings, seed),
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
