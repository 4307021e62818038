"""Batch normalisation and what follows it position by position, computed again in the backward pass instead of being kept.

Between two wide convolutions everything but the means and variances of the batch is done position by position: normalisation, GELU, the pointwise
convolution with its shortcut, pooling of pairs. Plain autograd keeps five tensors of the size of the input for it. Here only the input is kept; the
backward pass goes through it in pieces that stay in the cache.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

PIECE = 4096  # positions at a time on a CPU; a multiple of 2, for pooling
Tail = Callable[[Tensor, Tensor], Tensor]
_STATE = threading.local()


@contextmanager
def statistics_kept() -> Iterator[None]:
    """Leave moving averages as they are: for a forward pass that is only done again for its gradient."""
    before = getattr(_STATE, "kept", False)
    _STATE.kept = True
    try:
        yield
    finally:
        _STATE.kept = before


def several_processes() -> bool:
    """Whether this process is one of several that train together."""
    distributed = torch.distributed
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _sum_over_processes(x: Tensor) -> Tensor:
    if several_processes():
        torch.distributed.all_reduce(x)
    return x


def batch_statistics(norm: nn.BatchNorm1d, x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of a batch, of all processes together, and the number of rows; moving averages are updated.

    torch's SyncBatchNorm does the same and runs on GPUs only.

    Parameters
    ----------
    norm
        Batch normalisation.
    x
        [row, channel], as many rows in every process.

    Returns
    -------
    mean, variance : Tensor
        [channel].
    count : int
        Rows of all processes.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    momentum = 0.1 if norm.momentum is None else norm.momentum
    averages = norm.running_mean, norm.running_var
    if getattr(_STATE, "kept", False):
        averages = averages[0].clone(), averages[1].clone()
    else:
        norm.num_batches_tracked.add_(1)
    if not several_processes():
        mean, variance = torch.batch_norm_update_stats(x, *averages, momentum)
        return mean, variance, len(x)
    ranks = torch.distributed.get_world_size()
    sums = _sum_over_processes(torch.stack([x.mean(0), x.square().mean(0)])) / ranks  # [2, C]
    mean, variance = sums[0], sums[1] - sums[0].square()
    count = len(x) * ranks
    averages[0].lerp_(mean, momentum)
    averages[1].lerp_(variance * (count / (count - 1)), momentum)
    return mean, variance, count


class _Recomputed(torch.autograd.Function):
    """``tail(norm(x), x)``; see :func:`normalised`."""

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: nn.BatchNorm1d,
        tail: Tail,
        *parameters: Tensor,
    ) -> Tensor:
        flat = x.flatten(0, 1)  # [B x n, C]
        mean, variance, context.count = batch_statistics(norm, flat)
        inverse = torch.rsqrt(variance + norm.eps)
        context.save_for_backward(x, weight, bias, mean, inverse, *parameters)
        context.tail = tail
        context.autocast = (
            torch.is_autocast_enabled(x.device.type),
            torch.get_autocast_dtype(x.device.type),
        )
        parts = []
        for piece in flat.split(_piece(flat)):
            normalised = ((piece - mean).mul_(inverse * weight)).add_(bias)
            parts.append(tail(normalised[None], piece[None])[0])
        return torch.cat(parts).unflatten(0, (x.shape[0], -1))

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, inverse, *parameters = context.saved_tensors
        flat, gradient = x.flatten(0, 1), gradient.flatten(0, 1)
        wanted = [one for one in parameters if one.requires_grad]
        sums = [torch.zeros_like(one) for one in wanted]
        by_input = torch.empty_like(flat)  # through the shortcut
        by_norm = torch.empty_like(flat)  # through the normalised values
        weight_sum, bias_sum = torch.zeros_like(mean), torch.zeros_like(mean)
        size = _piece(flat)
        step = size * len(gradient) // len(flat)
        enabled, dtype = context.autocast
        for number, piece in enumerate(flat.split(size)):
            rows = slice(number * size, number * size + len(piece))
            standard = (piece - mean).mul_(inverse)
            with torch.enable_grad(), torch.autocast(x.device.type, dtype, enabled):
                leaves = (
                    torch.addcmul(bias, standard, weight)[None].requires_grad_(),
                    piece[None].detach().requires_grad_(),
                )
                result = context.tail(*leaves)
            given = gradient[number * step : number * step + result.shape[1]][None]
            found = torch.autograd.grad(result, [*leaves, *wanted], given, allow_unused=True)
            by_norm[rows] = found[0][0]
            by_input[rows] = 0.0 if found[1] is None else found[1][0]
            for total, one in zip(sums, found[2:]):
                total += one
            bias_sum += found[0][0].sum(0)
            weight_sum += standard.mul_(found[0][0]).sum(0)
        everywhere = _sum_over_processes(torch.stack([bias_sum, weight_sum])) / context.count
        scale = weight * inverse
        for start in range(0, len(flat), size):  # d x = scale (d n - mean(d n) - standard mean(d n standard))
            rows = slice(start, start + size)
            standard = (flat[rows] - mean).mul_(inverse * everywhere[1]).add_(everywhere[0])
            by_input[rows].add_((by_norm[rows] - standard).mul_(scale))
        given_to = iter(sums)
        rest = [next(given_to) if one.requires_grad else None for one in parameters]
        return by_input.view_as(x), weight_sum, bias_sum, None, None, *rest


def _piece(flat: Tensor) -> int:
    return PIECE if flat.device.type == "cpu" else len(flat)


def normalised(norm: nn.BatchNorm1d, x: Tensor, tail: Tail, parameters: Sequence[Tensor] = ()) -> Tensor:
    """Normalise by the statistics of the batch and apply what follows, keeping nothing but ``x`` for the gradient.

    Parameters
    ----------
    norm
        Batch normalisation in training mode; its moving averages are updated.
    x
        [batch, position, channel].
    tail
        ``tail(normalised, x)``, both [1, position, channel]: works on each position, or on each pair of them, by itself.
    parameters
        Parameters that ``tail`` uses.

    Returns
    -------
    Tensor
        [batch, position or half of them, channel].
    """
    result: Tensor = _Recomputed.apply(x.contiguous(), norm.weight, norm.bias, norm, tail, *parameters)
    return result
