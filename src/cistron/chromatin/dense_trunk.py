"""The dense form of the network: a convolution within each mark, then layers over all places at once, in which cell types mix.

What a mark does depends on where it stands, and signal saturates; so each mark is filtered and passed through a nonlinearity at
each place first, and layers that see all places learn what counts where. No convolution over all marks is needed, which is most of
the arithmetic of the convolutional form.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.chromatin.layers import CellTypeRows
from cistron.chromatin.settings import NetworkSettings


class MixingLayer(nn.Module):
    """h_c + GELU(A h_c + B h̄ + C (h_c h̄)), with h̄ the mean or maximum of the features over the cell types of a gene.

    The product lets what a cell type has count the less, or the more, the more cell types have it.

    Parameters
    ----------
    size
        Units.
    settings
        Settings of the network; ``merge`` and ``pooling`` are used.
    """

    def __init__(self, size: int, settings: NetworkSettings) -> None:
        super().__init__()
        self.own = nn.Linear(size, size)
        self.pooling = settings.pooling
        self.mixes = settings.merge != "none"
        if self.mixes:
            self.shared, self.product = (nn.Linear(size, size, bias=False) for _ in range(2))
            for layer in (self.shared, self.product):
                nn.init.zeros_(layer.weight)  # it begins as if cell types were alone

    def forward(self, h: Tensor, rows: CellTypeRows) -> Tensor:
        """[row, unit]; the shape stays."""
        z = self.own(h)
        if self.mixes:
            pooled = rows.pool(h, self.pooling)
            z = rows.add_tiled(z, self.shared(pooled)) + self.product(h * rows.tile(pooled))
        return h + functional.gelu(z)


class DenseTrunk(nn.Module):
    """From coarse standardised signal to features.

    Parameters
    ----------
    marks
        Number of marks.
    positions
        Positions of the coarse signal.
    settings
        Settings of the network.
    """

    def __init__(self, marks: int, positions: int, settings: NetworkSettings) -> None:
        super().__init__()
        filters, kernel = marks * settings.channels, settings.kernel
        self.within = nn.Conv1d(marks, filters, kernel, padding=kernel // 2, groups=marks)
        self.places = nn.Linear(filters * positions, settings.hidden)
        self.missing = nn.Linear(marks, settings.hidden, bias=False)
        self.layers = nn.ModuleList(
            MixingLayer(settings.hidden, settings) for _ in range(settings.layers - 1)
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, absent: Tensor, rows: CellTypeRows) -> Tensor:
        """Features [row, unit].

        Parameters
        ----------
        x
            Coarse standardised signal, float [row, mark, position].
        absent
            1 where a mark is missing, float [row, mark].
        rows
            Which row is which gene.
        """
        h = functional.gelu(self.within(x)).flatten(1)
        h = self.dropout(functional.gelu(self.places(h) + self.missing(absent)))
        for layer in self.layers:
            h = self.dropout(layer(h, rows))
        return h


class LinearHead(nn.Module):
    """A linear layer on features that are ready.

    Parameters
    ----------
    size
        Features.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.last = nn.Linear(size, 1)

    def features(self, h: Tensor) -> Tensor:
        """What the last linear layer sees, [row, feature]."""
        return h

    def forward(self, h: Tensor) -> Tensor:
        """Give [row]."""
        return torch.squeeze(self.last(h), 1)
