"""The fewest base changes that move predicted tracks to a target: proposals by gradient or by Ledidi, then changes taken back one by one.

Sequence editing by a model's gradient: Schreiber et al. (Ledidi, 2020), an optional package. Without it proposals are made one change at
a time: the gradient of the error ranks all changes, the best of them are predicted exactly, and the best one is kept.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cistron.errors import InputError
from cistron.genome import one_hot
from cistron.sequence.settings_edits import BaseEditSettings

LETTERS = "ACGT"
_PAIRED = 12  # best single changes of which pairs are tried


@dataclass(frozen=True)
class BaseEdits:
    """Changes of one sequence.

    Attributes
    ----------
    codes
        The edited sequence, uint8 [base pair].
    positions
        Places that changed, int [edit].
    share
        Share of the wanted change that is predicted: 1 - the error after over the error before, in root mean squares.
    """

    codes: np.ndarray
    positions: np.ndarray
    share: float


class TargetError:
    """Distance of predictions from their target.

    Parameters
    ----------
    predict
        From one-hot DNA [sequence, base pair, letter] to values [sequence, value].
    codes
        The sequence, uint8 [base pair].
    change
        Wanted change of each value, float [value].
    """

    def __init__(self, predict: Callable[[Tensor], Tensor], codes: np.ndarray, change: np.ndarray) -> None:
        self.predict = predict
        with torch.no_grad():
            self.start = predict(torch.from_numpy(one_hot(codes))[None])[0]
        self.target = self.start + torch.from_numpy(np.asarray(change, np.float32)).to(self.start.device)
        self.before = float((self.target - self.start).square().mean())
        if self.before <= 0:
            raise InputError(
                "the design wants no change in what the model predicts; there is nothing to edit"
            )

    def error(self, sequences: Tensor) -> Tensor:
        """Mean squared error of each sequence, [sequence]."""
        return (self.predict(sequences) - self.target).square().mean(dim=1)

    def share(self, codes: np.ndarray) -> float:
        """Share of the wanted change; see :class:`BaseEdits`."""
        with torch.no_grad():
            error = float(self.error(torch.from_numpy(one_hot(codes))[None])[0])
        return 1.0 - float(np.sqrt(error / self.before))


def edit_bases(
    predict: Callable[[Tensor], Tensor],
    codes: np.ndarray,
    change: np.ndarray,
    editable: np.ndarray,
    settings: BaseEditSettings | None = None,
    *,
    seed: int = 0,
) -> BaseEdits:
    """Find few base changes after which the predictions have moved as wanted.

    Parameters
    ----------
    predict
        From one-hot DNA float32 [sequence, base pair, 4] to values [sequence, value]; differentiable.
    codes
        The sequence, uint8 [base pair]: 0 to 3 are A, C, G, T, 4 is N.
    change
        Wanted change of each value, float [value].
    editable
        Base pairs that may change, bool [base pair]; N never does.
    settings
        How to search.
    seed
        Seed of Ledidi's draws.

    Raises
    ------
    InputError
        If no base may change, or Ledidi is asked for and absent.
    """
    settings = settings or BaseEditSettings()
    editable = np.asarray(editable, bool) & (codes < 4)
    if not editable.any():
        raise InputError("no base may change: widen --window, or protect less")
    goal = TargetError(predict, codes, change)
    found = (_by_ledidi if settings.search == "ledidi" else _by_gradient)(
        goal, codes, editable, settings, seed
    )
    found = _pruned(goal, codes, found, settings)
    return BaseEdits(found, np.flatnonzero(found != codes), goal.share(found))


def _by_gradient(
    goal: TargetError, codes: np.ndarray, editable: np.ndarray, settings: BaseEditSettings, seed: int
) -> np.ndarray:
    """Keep the best change, again and again, until the target is reached or nothing helps; where no single one does, two at once."""
    found, share = codes.copy(), 0.0
    while share < settings.tolerance and (found != codes).sum() < settings.maximum_edits:
        encoded = torch.from_numpy(one_hot(found))[None].requires_grad_()
        (gradient,) = torch.autograd.grad(goal.error(encoded).sum(), encoded)
        slope = gradient[0].cpu().numpy()
        standing = np.take_along_axis(slope, np.minimum(found, 3)[:, None].astype(np.int64), axis=1)
        gain = np.where(editable[:, None] & (np.arange(4) != found[:, None]), standing - slope, -np.inf)
        order = np.argsort(gain, axis=None)[::-1][: settings.candidates]
        order = order[np.isfinite(gain.ravel()[order])]
        places, letters = np.unravel_index(order, gain.shape)
        tried = np.repeat(found[None], len(order), axis=0)
        tried[np.arange(len(order)), places] = letters
        shares = _shares(goal, tried, settings.batch_size)
        if (
            shares.max() < share + settings.least_gain
        ):  # a motif that lacks two letters shows only when it has both
            best = np.argsort(-shares, kind="stable")[:_PAIRED]
            pairs = [(a, b) for a, b in combinations(best.tolist(), 2) if places[a] != places[b]]
            first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
            both = tried[first]
            both[np.arange(len(pairs)), places[second]] = letters[second]
            tried, shares = (
                np.concatenate([tried, both]),
                np.concatenate([shares, _shares(goal, both, settings.batch_size)]),
            )
        if shares.max() < share + settings.least_gain:
            break
        found, share = tried[int(shares.argmax())], float(shares.max())
    return found


def _shares(goal: TargetError, sequences: np.ndarray, batch_size: int) -> np.ndarray:
    """Share of the wanted change by each sequence, float64 [sequence]."""
    found = []
    for start in range(0, len(sequences), batch_size):
        with torch.no_grad():
            errors = goal.error(torch.from_numpy(one_hot(sequences[start : start + batch_size])))
        found.append(1.0 - (errors / goal.before).sqrt().cpu().numpy())
    return np.concatenate(found) if found else np.zeros(0)


class _Oracle(nn.Module):
    """The prediction in Ledidi's layout, [sequence, letter, base pair]."""

    def __init__(self, predict: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.predict = predict

    def forward(self, sequences: Tensor) -> Tensor:
        return self.predict(sequences.transpose(1, 2))


def _by_ledidi(
    goal: TargetError, codes: np.ndarray, editable: np.ndarray, settings: BaseEditSettings, seed: int
) -> np.ndarray:
    """Draw sequences from Ledidi, and take the one with the fewest changes of those that reach the target, else the closest."""
    try:
        package: Any = importlib.import_module("ledidi")
    except ModuleNotFoundError as error:
        raise InputError("--search ledidi needs ledidi: pip install ledidi") from error
    encoded = torch.from_numpy(one_hot(codes)).T[None].contiguous()
    drawn = package.ledidi(
        _Oracle(goal.predict),
        encoded,
        goal.target[None],
        device=str(goal.start.device),
        l=settings.edit_price * goal.before,
        max_iter=settings.steps,
        batch_size=settings.batch_size,
        input_mask=torch.from_numpy(~editable),
        random_state=seed,
        verbose=False,
    )
    drawn = drawn.argmax(dim=1).cpu().numpy().astype(np.uint8)
    drawn[:, ~editable] = codes[~editable]
    shares = np.array([goal.share(one) for one in drawn])
    reached = shares >= settings.tolerance
    if reached.any():
        return np.asarray(drawn[np.where(reached, (drawn != codes).sum(axis=1), np.inf).argmin()])
    return np.asarray(drawn[shares.argmax()])


def _pruned(
    goal: TargetError, codes: np.ndarray, found: np.ndarray, settings: BaseEditSettings
) -> np.ndarray:
    """Take changes back, the least needed first: while the target stays reached, or, where it is not, those that add too little."""
    while True:
        places, share = np.flatnonzero(found != codes), goal.share(found)
        least = settings.tolerance if share >= settings.tolerance else share - settings.least_gain
        best, kept = None, least - 1e-6
        for place in places:
            tried = found.copy()
            tried[place] = codes[place]
            without = goal.share(tried)
            if without >= kept:
                best, kept = tried, without
        if best is None:
            return found
        found = best
