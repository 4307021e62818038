"""Losses of predicted tracks: Poisson (Enformer) and Poisson-multinomial (Borzoi)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cistron.sequence.enformer import Enformer
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training_batches import one_hot_codes

EPSILON = 1e-7


def poisson_loss(predicted: Tensor, observed: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of p - y log(p + e) over sequences, bins and tracks.

    Parameters
    ----------
    predicted, observed
        [batch, bin, track]; predictions are positive.
    weights
        [track], by which the loss of each is multiplied.

    Returns
    -------
    Tensor
        A scalar.
    """
    loss = predicted - torch.xlogy(observed, predicted + EPSILON)
    if weights is not None:
        loss = loss * weights
    return loss.mean()


def poisson_multinomial_loss(
    predicted: Tensor, observed: Tensor, total_weight: float = 1.0, weights: Tensor | None = None
) -> Tensor:
    """Multinomial loss of the shape of each track and Poisson loss of its total (Linder et al. 2025).

    Mean over sequences and tracks of ``sum over bins of -y log((p + e) / sum p) / L + w (sum p - sum y log sum p) / L``; the total is
    divided by the bins too, so that both are per bin.

    Parameters
    ----------
    predicted, observed
        [batch, bin, track].
    total_weight
        w.
    weights
        [track].

    Returns
    -------
    Tensor
        A scalar.
    """
    bins = predicted.shape[1]
    totals = predicted.sum(dim=1)  # [B, track]
    counts = observed.sum(dim=1)
    share = (predicted + EPSILON) / (totals[:, None] + EPSILON * bins)
    shape = -torch.xlogy(observed, share).sum(dim=1) / bins
    total = (totals - torch.xlogy(counts, totals + EPSILON)) / bins
    loss = shape + total_weight * total
    if weights is not None:
        loss = loss * weights
    return loss.mean()


class TrackLoss:
    """Loss of one batch: ``{organism: (codes, targets)}``.

    Parameters
    ----------
    settings
        Resolved settings.
    means
        Organism to the mean of each track.
    frozen
        Whether only the heads learn.
    still
        Whether averages of batches and dropout of the trunk stay as they are.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        means: Mapping[str, np.ndarray],
        frozen: bool = False,
        still: bool = False,
    ) -> None:
        self._settings, self._frozen, self._still = settings, frozen, frozen or still
        self._weights = {
            organism: torch.as_tensor(_track_weights(mean), dtype=torch.float32)
            for organism, mean in means.items()
        }

    def of(self, organism: str, predicted: Tensor, observed: Tensor) -> Tensor:
        """Loss of predictions.

        Parameters
        ----------
        organism
            Organism.
        predicted, observed
            [batch, bin, track].
        """
        weights = self._weights[organism].to(predicted.device) if self._settings.balance_tracks else None
        if self._settings.loss == "poisson":
            return poisson_loss(predicted, observed, weights)
        return poisson_multinomial_loss(predicted, observed, self._settings.total_weight, weights)

    def __call__(self, model: nn.Module, batch: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Any]:
        """Loss of a batch of one organism."""
        assert isinstance(model, Enformer)
        ((organism, (codes, observed)),) = batch.items()
        one_hot = one_hot_codes(codes)
        if self._still:
            for name, part in model.named_children():
                if name != "heads":
                    part.eval()
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._frozen):
            embedding = model.embed(one_hot)
        predicted = model.predict(embedding, [organism])[organism]
        loss = self.of(organism, predicted, observed)
        # heads of the other organisms take part with nothing, so that several devices agree on what is learned
        unused = sum(
            parameter.sum() * 0.0
            for name, head in model.heads.items()
            if name != organism
            for parameter in head.parameters()
        )
        return {"loss": loss + unused, f"loss_{organism}": loss, "count": float(len(codes))}


def _track_weights(mean: np.ndarray) -> np.ndarray:
    weights = 1 / np.maximum(mean, 0.05 * max(float(mean.max()), 1e-6))
    found: np.ndarray = weights / weights.mean()
    return found
