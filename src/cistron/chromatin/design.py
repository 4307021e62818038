"""Design an epigenome: the smallest plausible change of the marks at which the networks predict a wanted expression.

Batra, Spence and Song minimise ||f(W) - y||^2 from the gene's own marks W0 by gradient descent (equation 1). Here
W = W0 + D with D sparse and W inside what the training data show; some cell types are held; the ensemble is optimised
and one network of it only judges; edits that are not needed are taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cistron.chromatin.design_penalties import (
    blocks_of,
    edit_size,
    profile_distance,
    shrink,
    total_variation,
)
from cistron.chromatin.estimator import read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.prune import prune_edits
from cistron.chromatin.settings import DesignSettings
from cistron.chromatin.training import QUANTILES
from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks

_FLOOR = 0.1  # expression below which a fold change counts from here: 100 times nothing is nothing
_PATIENCE, _CHEAPER = 8, 0.8  # steps at a price, and what the next is of it
_SETTLED = 16  # steps without a smaller edit, once all genes reach their target


@dataclass(frozen=True)
class Design:
    """Designed marks of some genes.

    Attributes
    ----------
    genes
        Rows of the genes in the store.
    original, designed
        Marks before and after, float32 [gene, cell type, mark, bin], in the order of the model's marks.
    measured
        bool [cell type, mark].
    start, wanted, achieved, judged
        Expression predicted for the original, wanted, predicted by the optimised networks, and by the judge (NaN without one),
        float32 [gene, cell type].
    target
        Which cell types were to reach it, bool [cell type].
    price
        Price of an edit at the end, float32 [gene].
    settings
        What was asked for.
    """

    genes: np.ndarray
    original: np.ndarray
    designed: np.ndarray
    measured: np.ndarray
    start: np.ndarray
    wanted: np.ndarray
    achieved: np.ndarray
    judged: np.ndarray
    target: np.ndarray
    price: np.ndarray
    settings: DesignSettings

    def share(self, predicted: np.ndarray) -> np.ndarray:
        """Share of the wanted change that a prediction shows, mean over the target cell types, [gene]."""
        wanted = (self.wanted - self.start)[:, self.target]
        moved = (predicted - self.start)[:, self.target]
        return (moved * wanted).sum(axis=1) / np.maximum((wanted**2).sum(axis=1), 1e-12)

    @property
    def size(self) -> np.ndarray:
        """Sum of absolute changes, kb x log signal, [gene] (bins of 100 bp)."""
        return np.abs(self.designed - self.original).sum(axis=(1, 2, 3)) / 10


def design_epigenome(
    model: ChromatinModel, store: GeneTracks, genes: np.ndarray, settings: DesignSettings | None = None
) -> Design:
    """Design the marks of some genes, each on its own, all at once.

    Parameters
    ----------
    model
        Networks.
    store
        Marks to start from.
    genes
        Rows of the genes.
    settings
        What is wanted, what may be touched, what it costs.

    Returns
    -------
    Design
        Marks and predictions, also where the target was not reached (:meth:`Design.share` tells).

    Raises
    ------
    InputError
        If a name is unknown, or nothing may be edited.
    """
    settings = settings or DesignSettings()
    networks = list(model.require_networks("design"))
    judge = networks.pop() if settings.judge and len(networks) > 1 else None
    values, measured = read_marks(model, store, np.asarray(genes))
    target = named(store.cell_types, settings.cell_types, "cell type")
    editable = _editable(model, store, measured, target, settings)
    problem = _Problem(model, networks, values, measured, target, editable, store.tracks.bin_size, settings)
    edit, price = problem.solve()
    if settings.prune:
        problem.allow_drift(edit)
        edit = prune_edits(edit, problem.reached, problem.block)
    designed = problem.original + edit
    with torch.no_grad():
        mask = problem.mask
        judged = judge(designed, mask) if judge is not None else torch.full_like(problem.start, torch.nan)
        achieved = problem.predict(designed)
        if judge is not None:
            # the judge has its own view of where the gene starts; what counts is by how much it sees it move
            judged = problem.start + judged - judge(problem.original, mask)
    return Design(
        genes=np.asarray(genes),
        original=values,
        designed=designed.numpy(),
        measured=measured,
        start=problem.start.numpy(),
        wanted=problem.wanted.numpy(),
        achieved=achieved.numpy(),
        judged=judged.numpy(),
        target=target,
        price=price.numpy(),
        settings=settings,
    )


def named(names: Sequence[str], chosen: Sequence[str], what: str) -> np.ndarray:
    """Mask of the chosen names, bool; all where none is chosen."""
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise InputError(f"there is no {what} {unknown[0]!r}; there are {', '.join(names)}")
    return np.isin(names, list(chosen)) if chosen else np.ones(len(names), bool)


def _editable(
    model: ChromatinModel,
    store: GeneTracks,
    measured: np.ndarray,
    target: np.ndarray,
    settings: DesignSettings,
) -> np.ndarray:
    """Where an edit may be, bool [cell type, mark, bin]: never in a track that was not measured."""
    cells = (
        named(store.cell_types, settings.edit_cell_types, "cell type") if settings.edit_cell_types else target
    )
    marks = named(model.marks, settings.marks, "mark")
    place = store.positions()
    inside = (place >= settings.region[0]) & (place < settings.region[1])
    mask = (cells[:, None] & marks[None] & measured)[:, :, None] & inside
    if not mask.any():
        raise InputError(
            f"nothing may be edited: no measured track of the marks and cell types lies in {settings.region[0]:,} to "
            f"{settings.region[1]:,} bp; allow more"
        )
    return mask


class _Problem:
    """The optimisation of a batch of genes."""

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
        return (self.share(predicted, rows) >= self.settings.tolerance) & (
            self._drift(predicted, rows) <= self.allowed[gene]
        )

    def _drift(self, predicted: Tensor, rows: Tensor) -> Tensor:
        """Largest change in a held cell type, [gene]."""
        return ((predicted - self.start[rows]).abs() * (1 - self.target)).amax(dim=1)

    def allow_drift(self, edit: Tensor) -> None:
        """Let held cell types move by what this edit moves them, and a twentieth more, in all that follows."""
        with torch.no_grad():
            drift = self._drift(self.predict(self.original + edit), torch.arange(len(edit)))
        self.allowed = 1.05 * drift + 1e-3

    def error(self, predicted: Tensor) -> Tensor:
        """Squared error of the target and, weighted, of the held cell types, [gene], each a mean over its cell types."""
        square = (predicted - self.wanted).square()
        held = 1 - self.target
        lacking = (square * self.target).sum(dim=1) / self.target.sum().clamp(min=1)
        return lacking + self.settings.hold * (square * held).sum(dim=1) / held.sum().clamp(min=1)

    def solve(self) -> tuple[Tensor, Tensor]:
        """Proximal descent along falling prices; the smallest edit that reaches the target is kept, gene by gene.

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
                price = torch.where(share < settings.tolerance, price * _CHEAPER, price)
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
        """Keep the smallest edit that reaches the target, before that the one that comes closest."""
        enough = share >= self.settings.tolerance
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


def edited_blocks(design: Design, size: int = 10) -> np.ndarray:
    """Number of mark x kilobase x cell type that an edit touches, [gene]."""
    parts = blocks_of(torch.from_numpy(design.designed - design.original), size)
    return (parts.abs().amax(dim=-1) > 1e-6).sum(dim=(1, 2, 3)).numpy()
