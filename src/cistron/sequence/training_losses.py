"""Losses of predicted tracks: Poisson (Enformer) and Poisson-multinomial (Borzoi)."""

import torch
from torch import Tensor

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
