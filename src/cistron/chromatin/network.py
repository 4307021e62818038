"""The permutation-equivariant network: histone marks of all cell types to the expression of a gene in each of them.

Permuting the cell types of the input permutes the output (Batra, Spence and Song, section 2.2). The default form is dense
(``dense_trunk.py``). Of convolutions there are two: ``late``, two
towers that meet in the linear head, and ``interleaved``, where every block mixes. With a late linear merge the invariant
tower adds the same number to all cell types of a gene, so it cannot change their order; interleaved can.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.chromatin.dense_trunk import DenseTrunk, LinearHead
from cistron.chromatin.layers import CellTypeRows, MixingBlock, PlainBlock
from cistron.chromatin.settings import NetworkSettings

HEAD_POSITIONS = 6


class EquivariantLinear(nn.Module):
    """The linear path: y_c = (x_c - x̄) A + x̄ B + b, with x the standardised mean signal in coarse bins, x̄ its mean over cell types.

    Its weights are buffers: they are fitted in closed form (``linear_path.py``) and held.
    """

    centre: Tensor
    scale: Tensor
    difference: Tensor
    level: Tensor
    intercept: Tensor

    def __init__(self, marks: int, bins: int) -> None:
        super().__init__()
        self.bins = bins
        size = marks * bins
        for name in ("centre", "difference", "level"):
            self.register_buffer(name, torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("intercept", torch.zeros(()))

    def features(self, values: Tensor, measured: Tensor) -> Tensor:
        """Standardised coarse signal [gene, cell type, mark x bin]; 0, the mean, where a mark is missing."""
        flat = coarse_signal(values, self.bins)
        known = measured.repeat_interleave(self.bins, dim=-1)
        return torch.where(known, (flat - self.centre) / self.scale, 0.0)

    def forward(self, values: Tensor, measured: Tensor, present: Tensor) -> Tensor:
        """Give [gene, cell type] of values [gene, cell type, mark, bin] and two masks.

        Parameters
        ----------
        values
            float [gene, cell type, mark, bin].
        measured
            bool [gene, cell type, mark].
        present
            Which cell types have a mark, bool [gene, cell type].
        """
        x = self.features(values, measured)
        weight = present.unsqueeze(-1).to(x.dtype)
        mean = (x * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True).clamp(min=1)
        return (x - mean) @ self.difference + mean @ self.level + self.intercept


def coarse_signal(values: Tensor, bins: int) -> Tensor:
    """Mean signal in ``bins`` equal parts of the window, [..., mark x part]."""
    flat = functional.adaptive_avg_pool1d(values.flatten(0, -2), bins)
    return flat.unflatten(0, values.shape[:-1]).flatten(-2)


class ExpressionNetwork(nn.Module, ABC):
    """What all networks of this wing share: masks, the mean expression, the linear path. The rest is ``trunk`` and ``head``.

    Parameters
    ----------
    marks
        Number of marks.
    """

    mark_centre: Tensor
    mark_scale: Tensor
    expression_mean: Tensor
    head: Any  # a module with ``features``; of the late form there is ``invariant_head`` as well
    invariant_head: Any
    linear: EquivariantLinear | None = None

    def __init__(self, marks: int) -> None:
        super().__init__()
        self.register_buffer("mark_centre", torch.zeros(marks))
        self.register_buffer("mark_scale", torch.ones(marks))
        self.register_buffer("expression_mean", torch.zeros(()))

    def forward(self, values: Tensor, measured: Tensor, present: Tensor | None = None) -> Tensor:
        """Predict.

        Parameters
        ----------
        values
            log1p signal, float [gene, cell type, mark, bin]; anything finite or not where it was not measured.
        measured
            bool [gene, cell type, mark].
        present
            Which cell types exist, bool [gene, cell type]; those with a mark when absent.

        Returns
        -------
        Tensor
            float [gene, cell type]; 0 for absent cell types.
        """
        present = measured.any(dim=-1) if present is None else present
        known = measured & present.unsqueeze(-1)
        values = torch.where(known.unsqueeze(-1), values, 0.0)
        rows = CellTypeRows.of(present)
        h, pooled = self.trunk(values, known, rows)
        y = self.head(h)
        if pooled is not None:
            y = rows.add_tiled(y, self.invariant_head(pooled))
        y = rows.unfold(y.to(self.expression_mean.dtype) + self.expression_mean)
        if self.linear is not None:
            # the intercept of the linear path stands in for the mean
            y = y - self.expression_mean + self.linear(values, known, present)
        return torch.where(present, y, 0.0)

    def standardised(self, values: Tensor, known: Tensor, rows: CellTypeRows) -> Tensor:
        """Rows [row, mark, bin] of standardised signal; 0, the mean, where a mark is missing.

        Parameters
        ----------
        values
            float [gene, cell type, mark, bin].
        known
            bool [gene, cell type, mark].
        rows
            Which row is which gene.
        """
        x = (values - self.mark_centre[:, None]) / self.mark_scale[:, None]
        return rows.fold(torch.where(known.unsqueeze(-1), x, 0.0))

    @abstractmethod
    def trunk(self, values: Tensor, known: Tensor, rows: CellTypeRows) -> tuple[Tensor, Tensor | None]:
        """Features in front of the head, a row a gene in a cell type; of the late form those of the invariant tower too.

        Parameters
        ----------
        values
            float [gene, cell type, mark, bin].
        known
            bool [gene, cell type, mark].
        rows
            Which row is which gene.
        """


class ChromatinNetwork(ExpressionNetwork):
    """Predict the expression of genes in cell types from histone marks around their start sites.

    Parameters
    ----------
    marks
        Number of marks.
    bins
        Bins of a window.
    settings
        Shape of the network.
    """

    def __init__(self, marks: int, bins: int, settings: NetworkSettings) -> None:
        super().__init__(marks)
        self.settings = settings
        channels, kernel, norm = settings.channels, settings.kernel, settings.norm
        if settings.linear_bins:
            self.linear = EquivariantLinear(marks, settings.linear_bins)
        self.dense = DenseTrunk(marks, self.positions(bins), settings) if settings.form == "dense" else None
        if self.dense is not None:
            self.head = LinearHead(settings.hidden)
        else:
            # mask channels: constant along positions, so their convolution is a number a channel
            self.missing = nn.Linear(marks, channels, bias=False)
            sizes = [marks] + [channels] * (len(settings.dilations) - 1)
            if settings.merge == "interleaved":
                self.blocks = nn.ModuleList(
                    MixingBlock(n, channels, kernel, d, norm, settings.pooling)
                    for n, d in zip(sizes, settings.dilations)
                )
            else:
                self.blocks = _tower(sizes, settings)
            if settings.merge == "late":
                self.invariant = _tower(sizes, settings)
                self.invariant_missing = nn.Linear(marks, channels, bias=False)
            self.head = Head(channels, self.positions(bins), settings)
            if settings.merge == "late":
                self.invariant_head = Head(channels, self.positions(bins), settings)
        if settings.linear_bins:
            nn.init.zeros_(self.head.last.weight)  # the blocks begin with nothing to add to the linear path

    def positions(self, bins: int) -> int:
        """Positions that reach the head (``convolutional``) or the dense layers."""
        bins //= self.settings.coarse
        return bins // 2 if self.settings.halve and self.settings.form == "convolutional" else bins

    def trunk(self, values: Tensor, known: Tensor, rows: CellTypeRows) -> tuple[Tensor, Tensor | None]:
        """Features in front of the head, [row, channel, 1, position]; of the late form those of the invariant tower too, a row a gene.

        Parameters
        ----------
        values
            float [gene, cell type, mark, bin].
        known
            bool [gene, cell type, mark].
        rows
            Which row is which gene.
        """
        x = self.standardised(values, known, rows)
        if self.settings.coarse > 1:
            x = functional.avg_pool1d(x, self.settings.coarse)
        if self.dense is not None:
            return self.dense(x, rows.fold((~known).to(x.dtype)), rows), None
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        absent = rows.fold((~known).to(x.dtype))
        h = x
        for number, block in enumerate(self.blocks):
            added = self.missing(absent)[:, :, None, None] if number == 0 else None
            h = block(h, rows, added) if isinstance(block, MixingBlock) else block(h, added)
            h = self._halved(h, number)
        if self.settings.merge != "late":
            return h, None
        # behind the first pool all cell types of a gene are equal: one row a gene is enough
        first = self.invariant[0](x, self.invariant_missing(absent)[:, :, None, None])
        pooled = self._halved(rows.pool(first, self.settings.pooling), 0)
        for block in self.invariant[1:]:
            pooled = block(pooled)
        return h, pooled

    def _halved(self, h: Tensor, number: int) -> Tensor:
        return functional.avg_pool2d(h, (1, 2)) if self.settings.halve and number == 0 else h


def _tower(sizes: list[int], settings: NetworkSettings) -> nn.ModuleList:
    return nn.ModuleList(
        PlainBlock(n, settings.channels, settings.kernel, d, settings.norm)
        for n, d in zip(sizes, settings.dilations)
    )


class Head(nn.Module):
    """Last layer: turns features [row, channel, 1, position] into one number per row.

    In the late form the head is linear, as is the published last layer, which convolves the concatenation of both towers: a
    linear map of a concatenation is the sum of two, so each tower has its own.

    Parameters
    ----------
    channels
        Channels of the features.
    positions
        Positions of the features.
    settings
        Settings of the network; ``merge``, ``dropout`` and ``head`` are used.
    """

    def __init__(self, channels: int, positions: int, settings: NetworkSettings) -> None:
        super().__init__()
        self.linear = settings.merge == "late"
        self.dropout = nn.Dropout(settings.dropout)
        self.wide: nn.Conv2d | None = None
        size = channels
        if settings.head == "wide":
            width = max(1, positions // HEAD_POSITIONS)
            self.wide = nn.Conv2d(channels, channels, (1, width), stride=(1, width))
            size = channels * (positions // width)
        self.last = nn.Linear(size, 1)

    def features(self, h: Tensor) -> Tensor:
        """What the last linear layer sees, [row, feature]."""
        if self.wide is None:
            return h.mean(dim=(2, 3))
        h = self.wide(h)
        return (h if self.linear else torch.relu(h)).flatten(1)

    def forward(self, h: Tensor) -> Tensor:
        """Give [row]."""
        return self.last(self.dropout(self.features(h))).squeeze(1)
