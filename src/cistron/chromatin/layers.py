"""Pieces of the permutation-equivariant network. Cell types are folded into the batch: a row is a gene in a cell type."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class CellTypeRows:
    """Gene of each row of a folded batch; absent cell types have no row, so they cannot influence the others.

    Attributes
    ----------
    present
        bool [gene, cell type].
    gene
        Gene of each row, int [row].
    count
        Rows of each gene, float [gene].
    full
        Whether every cell type of every gene is present.
    """

    present: Tensor
    gene: Tensor
    count: Tensor
    full: bool

    @classmethod
    def of(cls, present: Tensor) -> "CellTypeRows":
        """Number the rows of a mask bool [gene, cell type]."""
        gene = present.nonzero()[:, 0]
        return cls(present, gene, present.sum(dim=1).clamp(min=1), bool(present.all()))

    def fold(self, values: Tensor) -> Tensor:
        """Rows [row, ...] of [gene, cell type, ...]."""
        return values.flatten(0, 1) if self.full else values[self.present]

    def pool(self, rows: Tensor, kind: str = "mean") -> Tensor:
        """Mean or maximum over the cell types of each gene: [gene, ...] of [row, ...]."""
        if self.full:
            grouped = rows.unflatten(0, self.present.shape)
            return grouped.mean(dim=1) if kind == "mean" else grouped.amax(dim=1)
        shape = (len(self.count), *rows.shape[1:])
        if kind == "mean":
            total = rows.new_zeros(shape).index_add_(0, self.gene, rows)
            return total / self.count.to(rows.dtype).view(-1, *[1] * (rows.dim() - 1))
        place = self.gene.view(-1, *[1] * (rows.dim() - 1)).expand_as(rows)
        return rows.new_zeros(shape).scatter_reduce(0, place, rows, "amax", include_self=False)

    def tile(self, genes: Tensor) -> Tensor:
        """Give each row what its gene has: [row, ...] of [gene, ...]."""
        return genes.repeat_interleave(self.present.shape[1], dim=0) if self.full else genes[self.gene]

    def add_tiled(self, rows: Tensor, genes: Tensor) -> Tensor:
        """``rows + tile(genes)``, without the tiled copy where all cell types are present."""
        if not self.full:
            return rows + genes[self.gene]
        return (rows.unflatten(0, self.present.shape) + genes.unsqueeze(1)).flatten(0, 1)

    def unfold(self, rows: Tensor, absent: float = 0.0) -> Tensor:
        """[gene, cell type] of [row]; absent cell types get ``absent``."""
        if self.full:
            return rows.unflatten(0, self.present.shape)
        return rows.new_full(self.present.shape, absent).masked_scatter(self.present, rows)


Rows = CellTypeRows  # its name until 0.3


def convolution(inputs: int, outputs: int, kernel: int, dilation: int = 1, bias: bool = True) -> nn.Conv2d:
    """A convolution of 1 x kernel that keeps the number of positions.

    Two-dimensional, because memory laid out with channels last, which oneDNN runs about twice as fast, is known there only.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel, dilation
        Positions that it sees, odd, and their distance.
    bias
        Whether it has one.
    """
    return nn.Conv2d(
        inputs, outputs, (1, kernel), padding=(0, dilation * (kernel // 2)), dilation=(1, dilation), bias=bias
    )


class GroupNormalisation(nn.GroupNorm):
    """Group normalisation that stays in bfloat16 where its input is; autocast would turn it to float32 and back."""

    def forward(self, x: Tensor) -> Tensor:
        """[row, channel, 1, position]."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x)


def normalisation(kind: str, channels: int) -> nn.Module:
    """Group normalisation (8 channels a group), batch normalisation or none."""
    if kind == "group":
        return GroupNormalisation(max(1, channels // 8), channels)
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.Identity()


class PlainBlock(nn.Module):
    """Convolution, normalisation, ReLU, applied to each row (a gene in a cell type, or a gene) on its own.

    Parameters
    ----------
    inputs, channels
        Channels of the input and of the output.
    kernel
        Width of the convolution in positions.
    dilation
        Positions between its taps.
    norm
        ``group``, ``batch`` or ``none``; see :func:`normalisation`.
    """

    def __init__(self, inputs: int, channels: int, kernel: int, dilation: int, norm: str) -> None:
        super().__init__()
        self.convolution = convolution(inputs, channels, kernel, dilation)
        self.norm = normalisation(norm, channels)
        self.residual = inputs == channels

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """[row, channel, 1, position]; ``added`` [row, channel, 1, 1] goes in before the normalisation."""
        h = self.convolution(x)
        if added is not None:
            h = h + added
        h = torch.relu(self.norm(h))
        return h + x if self.residual else h


class MixingBlock(nn.Module):
    """Convolution of a cell type's features joined with their mean or maximum over cell types (Zaheer et al. 2017, equation 4).

    Convolving the concatenation [h, tile(pool(h))] is convolving both and adding; so the pool is convolved once a gene.

    Parameters
    ----------
    inputs, channels
        Channels of the input and of the output.
    kernel
        Width of the convolutions in positions.
    dilation
        Positions between their taps.
    norm
        ``group``, ``batch`` or ``none``; see :func:`normalisation`.
    pooling
        Masked ``mean`` or ``max`` over cell types.
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, dilation: int, norm: str, pooling: str
    ) -> None:
        super().__init__()
        self.own = convolution(inputs, channels, kernel, dilation)
        self.shared = convolution(inputs, channels, kernel, dilation, bias=False)
        nn.init.zeros_(
            self.shared.weight
        )  # it begins as if cell types were alone, and learns what of the others helps
        self.norm = normalisation(norm, channels)
        self.pooling = pooling
        self.residual = inputs == channels

    def forward(self, x: Tensor, rows: CellTypeRows, added: Tensor | None = None) -> Tensor:
        """Mix the features of each cell type with their mean over cell types; the shape stays.

        Parameters
        ----------
        x
            float [row, channel, 1, position].
        rows
            Which row is which gene.
        added
            float [row, channel, 1, 1]; goes in before the normalisation.
        """
        h = rows.add_tiled(self.own(x), self.shared(rows.pool(x, self.pooling)))
        if added is not None:
            h = h + added
        h = torch.relu(self.norm(h))
        return h + x if self.residual else h
