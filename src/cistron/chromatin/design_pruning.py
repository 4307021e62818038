"""Take back what a design does not need: greedily, smallest edit first, while the target stays reached."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from cistron.chromatin.design_penalties import blocks_of
from cistron.runtime import track


def prune_edits(edit: Tensor, reached: Callable[..., Tensor], size: int) -> Tensor:
    """Prune the edits of each gene.

    Parameters
    ----------
    edit
        float [gene, cell type, mark, bin].
    reached
        ``reached(edits, gene=number)``: which of some edits [edit, cell type, mark, bin] of a gene reach its target.
    size
        Bins of a block, the unit that is taken back.

    Returns
    -------
    Tensor
        What is left; a gene whose target is not reached stays as it is.
    """
    pruned = [
        _prune_one(one, partial(reached, gene=gene), size)
        for gene, one in enumerate(track(edit, "taking edits back", total=len(edit), unit="genes"))
    ]
    return torch.stack(pruned)


def _prune_one(edit: Tensor, reached: Callable[[Tensor], Tensor], size: int) -> Tensor:
    if not bool(reached(edit[None])[0]):
        return edit
    weight = blocks_of(edit[None], size)[0].abs().sum(dim=-1)  # [cell type, mark, block]
    touched = weight.flatten().nonzero()[:, 0]
    order = touched[weight.flatten()[touched].argsort()]
    kept = torch.ones(weight.numel(), dtype=torch.bool)
    # at first as many of the smallest as can go together ...
    low, high = 0, len(order)
    while low < high:
        middle = (low + high + 1) // 2
        candidate = kept.clone()
        candidate[order[:middle]] = False
        low, high = (
            (middle, high)
            if bool(reached(_masked(edit, candidate, weight, size)[None])[0])
            else (low, middle - 1)
        )
    kept[order[:low]] = False
    # ... then one by one, in the same order
    for block in order[low:]:
        candidate = kept.clone()
        candidate[block] = False
        if bool(reached(_masked(edit, candidate, weight, size)[None])[0]):
            kept = candidate
    return _masked(edit, kept, weight, size)


def _masked(edit: Tensor, kept: Tensor, weight: Tensor, size: int) -> Tensor:
    """The edit in the kept blocks."""
    mask = kept.view_as(weight).repeat_interleave(size, dim=-1)[..., : edit.shape[-1]]
    return edit * mask
