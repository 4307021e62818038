"""Networks of others, as methods beside ours: DeepChrome's and Chromoformer's form. Each sees one cell type at a time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.chromatin.dense_trunk import LinearHead
from cistron.chromatin.layers import CellTypeRows
from cistron.chromatin.network import ChromatinNetwork, ExpressionNetwork
from cistron.chromatin.settings import NetworkSettings
from cistron.chromatin.settings_peers import ChromoformerSettings, DeepChromeSettings, SingleCellTypeSettings


class DeepChrome(ExpressionNetwork):
    """A convolution over all marks, the largest of neighbouring positions, two layers (Singh et al. 2016, section 3).

    Parameters
    ----------
    marks, bins
        Shape of the input.
    settings
        Shape of the network.
    """

    def __init__(self, marks: int, bins: int, settings: DeepChromeSettings) -> None:
        super().__init__(marks)
        first, second = settings.hidden
        positions = (bins - settings.filter_bins + 1) // settings.pool
        self.pool = settings.pool
        self.convolution = nn.Conv1d(marks, settings.filters, settings.filter_bins)
        self.missing = nn.Linear(marks, settings.filters, bias=False)
        self.dropout = nn.Dropout(settings.dropout)
        self.hidden = nn.Sequential(
            nn.Linear(settings.filters * positions, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()
        )
        self.head = LinearHead(second)

    def trunk(self, values: Tensor, known: Tensor, rows: CellTypeRows) -> tuple[Tensor, Tensor | None]:
        """Features [row, unit].

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
        added = self.missing(rows.fold((~known).to(x.dtype)))
        h = functional.max_pool1d(torch.relu(self.convolution(x) + added.unsqueeze(2)), self.pool)
        return self.hidden(self.dropout(h.flatten(1))), None


class Chromoformer(ExpressionNetwork):
    """A transformer for each of several resolutions, read at the start site (Lee et al. 2022), without the distal elements.

    Parameters
    ----------
    marks, bins
        Shape of the input.
    settings
        Shape of the network.
    """

    def __init__(self, marks: int, bins: int, settings: ChromoformerSettings) -> None:
        super().__init__(marks)
        self.resolutions = settings.resolutions
        self.tokens = nn.ModuleList(nn.Linear(2 * marks, settings.width) for _ in settings.resolutions)
        self.places = nn.ParameterList(
            nn.Parameter(0.02 * torch.randn(bins // size, settings.width)) for size in settings.resolutions
        )
        self.transformers = nn.ModuleList(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(
                    settings.width,
                    settings.heads,
                    settings.feed_forward,
                    settings.dropout,
                    batch_first=True,
                    norm_first=True,
                ),
                settings.blocks,
                enable_nested_tensor=False,
            )
            for _ in settings.resolutions
        )
        self.hidden = nn.Linear(settings.width * len(settings.resolutions), settings.hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = LinearHead(settings.hidden)

    def trunk(self, values: Tensor, known: Tensor, rows: CellTypeRows) -> tuple[Tensor, Tensor | None]:
        """Features [row, unit].

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
        absent = rows.fold((~known).to(x.dtype)).unsqueeze(1)
        read = []
        for size, token, place, transformer in zip(
            self.resolutions, self.tokens, self.places, self.transformers
        ):
            coarse = functional.avg_pool1d(x, size).transpose(1, 2)  # [row, position, mark]
            h = token(torch.cat([coarse, absent.expand(-1, coarse.shape[1], -1)], dim=2)) + place
            read.append(transformer(h)[:, coarse.shape[1] // 2])
        return self.dropout(torch.relu(self.hidden(torch.cat(read, dim=1)))), None


def make_network(
    marks: int, bins: int, settings: NetworkSettings | SingleCellTypeSettings
) -> ExpressionNetwork:
    """Build the network that settings belong to, with random weights.

    Parameters
    ----------
    marks, bins
        Shape of the input.
    settings
        Shape of the network.
    """
    if isinstance(settings, DeepChromeSettings):
        return DeepChrome(marks, bins, settings)
    if isinstance(settings, ChromoformerSettings):
        return Chromoformer(marks, bins, settings)
    assert isinstance(settings, NetworkSettings)
    return ChromatinNetwork(marks, bins, settings)
