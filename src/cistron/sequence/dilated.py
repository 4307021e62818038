"""The trunk of Basenji2 in place of the transformer: residual dilated convolutions (Kelley 2020), a baseline."""

from torch import Tensor, nn
from torch.nn import functional

from cistron.sequence.tower import ConvolutionBlock

LAYERS, RATE = 11, 1.5  # of Basenji2; bins seen grow with each layer, to 171 on either side


class DilatedConvolution(nn.Module):
    """Normalisation, GELU, and a convolution of width 3 whose taps are ``dilation`` positions apart.

    Parameters
    ----------
    inputs, outputs
        Channels.
    dilation
        Positions between two taps.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.block = ConvolutionBlock(inputs, outputs, 3)
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """Convolve [batch, T, inputs] to [batch, T, outputs]."""
        x = self.block.activate(x).transpose(1, 2)  # [B, inputs, T]
        convolution = self.block.convolution
        x = functional.conv1d(
            x, convolution.weight, convolution.bias, padding=self.dilation, dilation=self.dilation
        )
        return x.transpose(1, 2)


class DilatedBlock(nn.Module):
    """x + dropout(pointwise(dilated(x))), with half the channels in between.

    Parameters
    ----------
    channels
        Width.
    dilation
        Positions between two taps.
    dropout
        Behind the pointwise convolution.
    """

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dilated = DilatedConvolution(channels, channels // 2, dilation)
        self.pointwise = ConvolutionBlock(channels // 2, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, maps: list[Tensor] | None = None, rows: slice | None = None) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        x
            [batch, T, channels].
        maps
            Left as it is: there are no attention matrices.
        rows
            Positions of the result; all when absent.
        """
        added: Tensor = self.dropout(self.pointwise(self.dilated(x)))
        return (x + added)[:, rows or slice(None)]


def dilations() -> list[int]:
    """Dilation of each layer."""
    return [max(1, round(RATE**layer)) for layer in range(LAYERS)]


def dilated_trunk(channels: int, dropout: float) -> nn.ModuleList:
    """Make the eleven blocks.

    Parameters
    ----------
    channels
        Width.
    dropout
        Behind each block; Basenji2 has 0.3.
    """
    return nn.ModuleList(DilatedBlock(channels, dilation, dropout) for dilation in dilations())
