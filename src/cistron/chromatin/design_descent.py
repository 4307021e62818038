"""The descent behind a design: which edit of the marks reaches the wanted expression at the least cost."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cistron.chromatin.design_penalties import blocks_of, edit_size, profile_distance, shrink, total_variation
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.settings import DesignSettings
from cistron.chromatin.training import QUANTILES

_FLOOR = 0.1  # expression below which a fold change counts from here: 100 times nothing is nothing
_PATIENCE, _CHEAPER = 8, 0.8  # steps at a price, and what the next is of it
_SETTLED = 16  # steps without a smaller edit, once all genes reach their target


class DesignDescent:
    """Proximal descent on the edits of a batch of genes.

    Parameters
    ----------
    model
        Model whose training data say which values are plausible.
    networks
        Networks that are optimised.
    values
        Marks to start from, float32 [gene, cell type, mark, bin].
    measured
        Which tracks were measured, bool [cell type, mark].
    target
        Cell types that are to reach the wanted expression, bool [cell type].
    editable
        Where an edit may be, bool [cell type, mark, bin].
    bin_size
        Base pairs of a bin.
    settings
        What is wanted and what it costs.
    """

    def __init__(
        self,
        model: ChromatinModel,
        networks: list[Any],
        values: np.ndarray,
        measured: np.ndarray,
        target: np.ndarray,
        editable: np.ndarray,
        bin_size: int,
        settings: DesignSettings,
    ) -> None:
        self.networks, self.settings = networks, settings
        self.original = torch.from_numpy(values)
        self.mask = torch.from_numpy(measured).expand(len(values), -1, -1)
        self.target = torch.from_numpy(target).float()
        self.editable = torch.from_numpy(editable)
        self.block = max(1, 1000 // bin_size)
        self.limit = _upper(model, self.original, settings.quantile)
        self.mean, self.precision = (
            torch.from_numpy(np.asarray(model.summary[name], np.float32))
            for name in ("profile_mean", "profile_precision")
        )
        with torch.no_grad():
            self.start = self.predict(self.original)
            self.typical = profile_distance(self.original, self.mean, self.precision)
        self.allowed = torch.full((len(values),), torch.inf)
        self.wanted = torch.where(self.target.bool(), _wanted(self.start, settings), self.start)
        # the descent heads for a little more than what must be reached, because near its aim the squared error no longer pulls
        beyond = 1 + settings.slack / settings.tolerance
        self.aim = self.start + beyond * (self.wanted - self.start)
        self.goal = torch.full((len(values),), settings.tolerance + settings.slack)

    def predict(self, values: Tensor) -> Tensor:
        """Mean of the optimised networks, [gene, cell type]."""
        return torch.stack(
            [network(values, self.mask[:1].expand(len(values), -1, -1)) for network in self.networks]
        ).mean(dim=0)

    def share(self, predicted: Tensor, rows: Tensor | None = None) -> Tensor:
        """Share of the wanted change, [gene]."""
        start, wanted = (self.start, self.wanted) if rows is None else (self.start[rows], self.wanted[rows])
        change = (wanted - start) * self.target
        return ((predicted - start) * change).sum(dim=1) / change.square().sum(dim=1).clamp(min=1e-12)

    def reached(self, edit: Tensor, gene: int) -> Tensor:
        """Whether edits [edit, cell type, mark, bin] of one gene reach what is wanted, bool [edit]."""
        rows = torch.full((len(edit),), gene)
        with torch.no_grad():
            predicted = self.predict(self.original[gene] + edit)
        return (self.share(predicted, rows) >= self.goal[gene]) & (
            self._drift(predicted, rows) <= self.allowed[gene]
        )

    def _drift(self, predicted: Tensor, rows: Tensor) -> Tensor:
        """Largest change in a held cell type, [gene]."""
        return ((predicted - self.start[rows]).abs() * (1 - self.target)).amax(dim=1)

    def settle(self, edit: Tensor) -> None:
        """From now on ask of each gene no more than this edit reaches, where that is within the slack."""
        with torch.no_grad():
            share = self.share(self.predict(self.original + edit))
        within = share >= self.settings.tolerance
        self.goal = torch.where(within, torch.minimum(self.goal, share - 1e-4), self.goal)

    def allow_drift(self, edit: Tensor) -> None:
        """From now on allow held cell types to change by 1.05 times what this edit changes them."""
        with torch.no_grad():
            drift = self._drift(self.predict(self.original + edit), torch.arange(len(edit)))
        self.allowed = 1.05 * drift + 1e-3

    def error(self, predicted: Tensor) -> Tensor:
        """Squared error of the target and, weighted, of the held cell types, [gene], each a mean over its cell types."""
        square = (predicted - self.aim).square()
        held = 1 - self.target
        lacking = (square * self.target).sum(dim=1) / self.target.sum().clamp(min=1)
        return lacking + self.settings.hold * (square * held).sum(dim=1) / held.sum().clamp(min=1)

    def solve(self) -> tuple[Tensor, Tensor]:
        """Lower the price of edits step by step (proximal descent), and keep for each gene the smallest edit that reaches the target.

        It begins at the price at which no edit pays, as a path of the lasso does, and the price falls while the target is out
        of reach. A step is as long as lets the largest change of a bin be ``learning_rate``.
        """
        settings = self.settings
        edit = torch.zeros_like(self.original)
        price = torch.full((len(edit),), settings.price)
        searching = not settings.price and settings.l1 + settings.group > 0
        best, best_share = torch.zeros_like(edit), torch.full((len(edit),), -torch.inf)
        best_size = torch.full((len(edit),), torch.inf)
        improved = 0
        for step in range(settings.steps):
            gradient, share = self._gradient(edit, price)
            before = best_size.clone()
            self._keep(edit, share, best, best_share, best_size)
            reached = bool(torch.isfinite(best_size).all())
            improved = step if not reached or bool((best_size < 0.99 * before).any()) else improved
            if step - improved > _SETTLED:
                break
            if searching and step == 0:
                steepest = blocks_of(gradient, self.block).square().mean(dim=-1).sqrt().amax(dim=(1, 2, 3))
                price = steepest / (settings.l1 + settings.group)
            if searching and step % _PATIENCE == _PATIENCE - 1:
                price = torch.where(share < self.goal, price * _CHEAPER, price)
            length = settings.learning_rate / gradient.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8)
            moved = edit - length[:, None, None, None] * gradient
            scale = price * length
            moved = shrink(moved, scale * settings.l1, scale * settings.group, self.block)
            edit = ((self.original + moved * self.editable).clamp(min=0).minimum(self.limit)) - self.original
        with torch.no_grad():
            share = self.share(self.predict(self.original + edit))
        self._keep(edit, share, best, best_share, best_size)
        return best, price

    def _gradient(self, edit: Tensor, price: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient of the smooth part of the objective where editing is allowed, and the share that is reached."""
        settings = self.settings
        edit = edit.detach().requires_grad_()
        values = self.original + edit
        predicted = self.predict(values)
        loss = self.error(predicted)
        if settings.total_variation or settings.distance:
            uneven = settings.total_variation * total_variation(edit, self.block)
            away = (profile_distance(values, self.mean, self.precision) - self.typical).clamp(min=0)
            loss = loss + price * (uneven + settings.distance * away.sum(dim=1))
        (gradient,) = torch.autograd.grad(loss.sum(), edit)
        return gradient * self.editable, self.share(predicted.detach())

    def _keep(self, edit: Tensor, share: Tensor, best: Tensor, best_share: Tensor, best_size: Tensor) -> None:
        """Keep the smallest edit that reaches the target; until one does, keep the edit that comes closest."""
        enough = share >= self.goal
        size = edit_size(edit, self.block)
        better = torch.where(enough, size < best_size, torch.isinf(best_size) & (share > best_share))
        best[better], best_share[better] = edit[better], share[better]
        taken = better & enough
        best_size[taken] = size[taken]


def _upper(model: ChromatinModel, original: Tensor, quantile: float) -> Tensor:
    """Largest value of each mark, [gene, cell type, mark, bin]: the training quantile, or the gene's own value."""
    if not quantile:
        return torch.full_like(original, torch.inf)
    table = np.asarray(model.summary["quantiles"])  # [quantile, mark]
    limit = [np.interp(quantile, QUANTILES, table[:, mark]) for mark in range(table.shape[1])]
    return torch.maximum(original, torch.tensor(limit, dtype=torch.float32)[:, None])


def _wanted(start: Tensor, settings: DesignSettings) -> Tensor:
    """Wanted expression on the scale of the data (log1p)."""
    if settings.level is not None:
        return torch.full_like(start, settings.level)
    return torch.log1p(settings.fold * torch.expm1(start).clamp(min=_FLOOR))
