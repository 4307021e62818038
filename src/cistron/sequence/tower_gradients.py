"""Gradients of a score with regard to the DNA, in the memory of a small part of the model.

The transformer goes backward once a window, block by block; the tower only for the bins that are asked for. The gradient at a
base pair is whole once all bins that it reaches are among them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from cistron.sequence.enformer import Enformer
from cistron.sequence.tower import gelu
from cistron.sequence.tower_parts import Run, convolve_bins

_CHUNK = 64  # bins of the tower that go backward at once


def _predict(model: Enformer, x: Tensor, organism: str, tracks: Tensor, bins: slice | None) -> Tensor:
    """Predicted tracks [bins, tracks] of a tower [1, T, channels]; blocks are computed again on the way back."""
    crop = model.settings.crop
    rows = bins or slice(crop, x.shape[1] - crop)
    *blocks, last = model.transformer
    for block in blocks:
        x = checkpoint(block, x, use_reentrant=False)
    x = checkpoint(last, x, None, rows, use_reentrant=False)
    head: Any = model.heads[organism]
    trunk = gelu(model.tail(x))[0]
    logit = functional.linear(trunk.to(head.weight.dtype), head.weight[tracks], head.bias[tracks])
    return functional.softplus(logit.float())


def tower_gradient(
    model: Enformer,
    tower: Tensor,
    organism: str,
    tracks: Tensor,
    scores: Sequence[Callable[[Tensor], Tensor]],
    bins: slice | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Give gradients of scores with regard to the output of the tower.

    Parameters
    ----------
    model
        Model in evaluation mode whose weights need no gradient.
    tower
        Of one window, [T, channels].
    organism, tracks
        Tracks that are predicted, int64 [track].
    scores
        Each turns predicted tracks [bins, tracks] into one number.
    bins
        Bins that are predicted, counted in all T; those that are left after cropping when absent.

    Returns
    -------
    gradients : list of Tensor
        One a score, float32 [T, channels].
    predicted : Tensor
        [bins, tracks].
    """
    with torch.enable_grad():
        x = tower.detach().clone()[None].requires_grad_()
        predicted = _predict(model, x, organism, tracks, bins)
        found = []
        for number, score in enumerate(scores, 1):
            (gradient,) = torch.autograd.grad(score(predicted), x, retain_graph=number < len(scores))
            found.append(gradient[0])
    return found, predicted.detach()


def input_gradients(
    model: Enformer, one_hot: Tensor, gradients: Sequence[Tensor], runs: Sequence[Run]
) -> list[Tensor]:
    """Carry gradients through the tower, from the bins of some runs to the DNA.

    Parameters
    ----------
    model
        Model in evaluation mode whose weights need no gradient.
    one_hot
        The window, float [1, length, 4].
    gradients
        With regard to the output of the tower, each [T, channels].
    runs
        Bins to go through, disjoint.

    Returns
    -------
    list of Tensor
        Of each gradient, float32 [length, 4]; whole where every bin that a base pair reaches is in a run.
    """
    totals = [torch.zeros_like(one_hot[0]) for _ in gradients]
    pieces = [(low, min(low + _CHUNK, last)) for first, last in runs for low in range(first, last, _CHUNK)]
    for low, high in pieces:
        with torch.enable_grad():
            x = one_hot.detach().clone().requires_grad_()
            bins = convolve_bins(model, x, low, high)[0]
            for number, (gradient, total) in enumerate(zip(gradients, totals), 1):
                (found,) = torch.autograd.grad(
                    bins, x, gradient[low:high], retain_graph=number < len(gradients)
                )
                total += found[0]
    return totals
