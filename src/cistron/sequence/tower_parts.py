"""Parts of the tower's output, exactly as a whole pass gives them, from only the DNA that they depend on.

A base pair reaches no further than the kernels of the seven stages do: 259 bp on either side, at most 6 bins of 128 bp. So
the tower of a window that differs from another in a few letters is that of the other but for the bins that these letters
reach; and where an insertion or deletion moves the rest by whole bins, the moved bins are those of the other as well.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from cistron.sequence.enformer import Enformer
from cistron.sequence.settings import BIN
from cistron.sequence.tower import Stage

_CHUNK = 128  # bins computed at once: bounds memory; their margins cost 5% more
_GAP = 5  # bins between two runs that cost less to compute than the margins of two runs
_WHOLE = 0.9  # share of bins from which a whole pass is as cheap

Run = tuple[int, int]  # first bin and the one behind the last


def _stages(model: Enformer) -> list[Stage]:
    return [model.stem, *model.tower]


def reach(model: Enformer) -> int:
    """Give how many base pairs beyond a bin, on either side, its value in the tower depends on (259)."""
    return sum(stage.halo << level for level, stage in enumerate(_stages(model)))


def convolve_bins(model: Enformer, one_hot: Tensor, first: int, last: int) -> Tensor:
    """Give bins ``first`` to ``last`` of ``model.convolve(one_hot)``.

    Parameters
    ----------
    model
        Model in evaluation mode.
    one_hot
        The whole window, float [batch, length, 4].
    first, last
        Bins, 0-based, half-open.

    Returns
    -------
    Tensor
        float32 [batch, last - first, channels]; gradients reach ``one_hot`` where they are enabled.
    """
    if last - first > _CHUNK and not torch.is_grad_enabled():
        starts = range(first, last, _CHUNK)
        return torch.cat(
            [convolve_bins(model, one_hot, start, min(start + _CHUNK, last)) for start in starts], dim=1
        )
    stages = _stages(model)
    size = one_hot.shape[1] >> len(stages)  # bins of the whole window
    # of each stage, from the last to the first: what it must read of its input, and what of that lies beyond the window
    steps: list[tuple[int, int, int, int]] = []
    low, high = first, last
    for stage in reversed(stages):
        size *= 2
        low, high = 2 * low - stage.halo, 2 * high + stage.halo
        before, behind = max(0, -low), max(0, high - size)
        low, high = low + before, high - behind
        steps.append((low, high, before, behind))
    x = one_hot[:, low:high]
    for stage, (_, _, before, behind) in zip(stages, reversed(steps)):
        x = stage(x, (before, behind))
    return x  # [B, last - first, C]


def changed_bins(model: Enformer, before: np.ndarray, after: np.ndarray) -> list[Run]:
    """Find the runs of bins whose value in the tower may differ between two windows.

    Parameters
    ----------
    model
        The model.
    before, after
        Codes of both windows, uint8 [length].

    Returns
    -------
    list of tuple of int
        First bin and the one behind the last of each run, in order.
    """
    return bins_reached(model, np.flatnonzero(before != after), len(before))


def bins_reached(model: Enformer, places: np.ndarray, length: int) -> list[Run]:
    """Find the runs of bins that base pairs reach.

    Parameters
    ----------
    model
        The model.
    places
        Positions within the window, int64.
    length
        Base pairs of the window.
    """
    margin, bins = reach(model), length // BIN
    mask = np.zeros(bins + 1, np.int64)
    np.add.at(mask, np.maximum(0, (places - margin) // BIN), 1)
    np.add.at(mask, np.minimum(bins, (places + margin) // BIN + 1), -1)
    return _runs(np.cumsum(mask[:-1]) > 0)


def _runs(wanted: np.ndarray) -> list[Run]:
    """Join the bins of a mask into runs; small gaps between runs are computed as well."""
    chosen = np.flatnonzero(wanted)
    if len(chosen) == 0:
        return []
    cuts = np.flatnonzero(np.diff(chosen) > _GAP)
    firsts, lasts = chosen[np.r_[0, cuts + 1]], chosen[np.r_[cuts, len(chosen) - 1]] + 1
    return list(zip(firsts.tolist(), lasts.tolist()))


def moved_bins(model: Enformer, before: np.ndarray, after: np.ndarray, moved: int) -> np.ndarray:
    """Find the bins of a window that are those of another, moved by whole bins.

    Parameters
    ----------
    model
        The model.
    before, after
        Codes of both windows, uint8 [length].
    moved
        Base pairs by which ``after`` lies to the right, a multiple of 128; may be negative.

    Returns
    -------
    ndarray
        bool [bins]: bin b of ``after`` is bin ``b - moved / 128`` of ``before``.
    """
    length, margin = len(before), reach(model)
    source = np.arange(length) - moved
    inside = (source >= 0) & (source < length)
    equal = inside & (after == before[np.clip(source, 0, length - 1)])
    wrong = np.concatenate([[0], np.cumsum(~equal)])
    low = np.arange(length // BIN) * BIN - margin
    high = low + BIN + 2 * margin
    # A bin that reads beyond either window is left out: what stands there as padding is no DNA.
    whole = (low >= max(0, moved)) & (high <= length + min(0, moved))
    return whole & (wrong[np.clip(high, 0, length)] == wrong[np.clip(low, 0, length)])


def alternative_tower(
    model: Enformer,
    tower: Tensor,
    before: np.ndarray,
    after: np.ndarray,
    one_hot: Tensor,
    moves: Sequence[int] = (),
) -> Tensor:
    """Give ``model.convolve(one_hot)`` of a window that differs little from one whose tower is known.

    Parameters
    ----------
    model
        Model in evaluation mode.
    tower
        Of the known window, [T, channels].
    before, after
        Codes of the known and of the new window, uint8 [length].
    one_hot
        The new window, float [1, length, 4].
    moves
        Base pairs by which parts of the new window may be moved; those that are no multiples of 128 are of no use.

    Returns
    -------
    Tensor
        float32 [T, channels].
    """
    bins = len(before) // BIN
    wanted = np.zeros(bins, bool)
    for first, last in changed_bins(model, before, after):
        wanted[first:last] = True
    result = tower.clone()
    for moved in moves:
        if moved == 0 or moved % BIN:
            continue
        kept = np.flatnonzero(wanted & moved_bins(model, before, after, moved))
        for first, last in _runs_without_gaps(kept):
            shift = moved // BIN
            result[first:last] = tower[first - shift : last - shift]
        wanted[kept] = False
    runs = _runs(wanted)
    if sum(last - first for first, last in runs) > _WHOLE * bins:
        return model.convolve(one_hot)[0]
    for first, last in runs:
        result[first:last] = convolve_bins(model, one_hot, first, last)[0]
    return result


def _runs_without_gaps(chosen: np.ndarray) -> list[Run]:
    cuts = [0, *(np.flatnonzero(np.diff(chosen) > 1) + 1).tolist(), len(chosen)]
    return [(int(chosen[low]), int(chosen[high - 1]) + 1) for low, high in pairwise(cuts) if high > low]
