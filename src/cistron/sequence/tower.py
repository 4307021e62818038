"""The convolutions of Enformer: blocks, attention pooling, and the stages of the tower.

All tensors are [batch, position, channel]: pointwise convolutions and pooling are then plain matrix products.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.sequence.recomputing import normalised
from cistron.sequence.short_convolution import OUTPUTS, WIDTH, convolve_tiles, transform_weights

_SLOPE = 1.702
_TILED = 64  # positions from which tiles pay


def gelu(x: Tensor) -> Tensor:
    """Give x * sigmoid(1.702 x), the approximation of GELU that Enformer was trained with."""
    return functional.silu(x * _SLOPE) * (1 / _SLOPE)


class Convolution(nn.Module):
    """Convolution over positions; of width 1 a matrix product.

    Parameters
    ----------
    inputs, outputs
        Channels.
    width
        Positions of the kernel, odd.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        shape = (outputs, inputs) if width == 1 else (outputs, inputs, width)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.width = width
        self._cached: tuple[tuple[object, ...], Tensor] | None = None

    def can_be_tiled(self, x: Tensor, padding: tuple[int, int] = (0, 0)) -> bool:
        """Whether :meth:`in_tiles` takes [batch, n, inputs] with these zeros on either side: where tiles pay, and no gradient is asked for."""
        positions = x.shape[1] + sum(padding) - self.width + 1
        return (
            self.width == WIDTH
            and positions >= _TILED
            and positions % OUTPUTS == 0
            and x.dtype == torch.float32
            and x.device.type == "cpu"
            and not torch.is_grad_enabled()
        )

    def _transformed(self) -> Tensor:
        """Give the weights of the tiled convolution; kept between calls while the weights do not change."""
        version = 0 if self.weight.is_inference() else self.weight._version
        tag = (self.weight.data_ptr(), version)
        if self._cached is None or self._cached[0] != tag:
            self._cached = (tag, transform_weights(self.weight))
        return self._cached[1]

    def in_tiles(self, x: Tensor, padding: tuple[int, int], bias: Tensor, factor: float = 1.0) -> Tensor:
        """Convolve without the bias of this convolution, times ``factor``, plus ``bias``.

        Parameters
        ----------
        x
            [batch, n, inputs].
        padding
            Zeros on either side.
        bias
            [outputs].
        factor
            As of :func:`cistron.sequence.short_convolution.convolve_tiles`.
        """
        if padding != (0, 0):
            x = functional.pad(x, (0, 0, *padding))
        transformed = self._transformed()
        found = [convolve_tiles(sample, transformed, bias, factor) for sample in x.contiguous()]
        return found[0][None] if len(found) == 1 else torch.stack(found)

    def forward(self, x: Tensor, padding: tuple[int, int] = (0, 0)) -> Tensor:
        """Convolve [batch, n, inputs], padded with zeros, to [batch, n + padding - width + 1, outputs], float32."""
        x = x.to(self.weight.dtype)
        if self.can_be_tiled(x, padding):
            return self.in_tiles(x, padding, self.bias)
        if self.width == 1:
            return functional.linear(x, self.weight, self.bias).float()
        if padding != (0, 0):
            x = functional.pad(x, (0, 0, *padding))
        if x.shape[-1] == 4:  # one-hot: unfolding is cheaper than a convolution with four channels
            patches = x.flatten(1).unfold(1, 4 * self.width, 4)  # [B, n, width x 4]
            kernel = self.weight.transpose(1, 2).flatten(1)  # [outputs, width x 4]
            return functional.linear(patches, kernel, self.bias).float()
        # as an image of height 1 whose channels come last, which is how it lies in memory
        image = x.transpose(1, 2).unsqueeze(2)  # [B, inputs, 1, n]
        result = functional.conv2d(image, self.weight.unsqueeze(2), self.bias)
        return result.squeeze(2).transpose(1, 2).float()


class ConvolutionBlock(nn.Module):
    """Batch normalisation, GELU, convolution.

    Parameters
    ----------
    inputs, outputs
        Channels.
    width
        Positions of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inputs)
        self.convolution = Convolution(inputs, outputs, width)

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """What normalisation and the slope of GELU make of a channel in evaluation mode: ``scale * x + shift``, [inputs] each."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps) * _SLOPE
        return scale, norm.bias * _SLOPE - norm.running_mean * scale

    def activate(self, x: Tensor) -> Tensor:
        """Normalise and apply GELU, [batch, n, inputs]."""
        if self.norm.training:
            return normalised(self.norm, x, lambda values, _: gelu(values))
        scale, shift = self.scale_and_shift()
        x = torch.addcmul(shift, x, scale)
        # In place where no gradient needs it: a pass over memory less.
        return functional.silu(x, inplace=not torch.is_grad_enabled()).mul_(1 / _SLOPE)

    def forward(self, x: Tensor, padding: tuple[int, int] = (0, 0)) -> Tensor:
        """Apply the block to [batch, n, inputs]; zeros are added after the activation."""
        return self.convolution(self.activate(x), padding)


class AttentionPool(nn.Module):
    """Halve the positions: each pair is averaged with softmax weights, a channel at a time.

    A softmax over two is a sigmoid of the difference, so one product of half the size does:
    w = sigmoid((b - a) W), result a + w (b - a).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels))  # [out, in]; 2 I in a new model
        self.register_buffer("off_diagonal", None, persistent=False)

    def round_off_diagonal(self, dtype: torch.dtype) -> None:
        """Make the product in ``dtype``, but for the diagonal, by which training starts and which weighs most."""
        weight = self.weight.detach()
        self.off_diagonal = (weight - torch.diag(weight.diagonal())).to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Pool [batch, n, channels] to [batch, n / 2, channels]."""
        first, second = x.unflatten(1, (-1, 2)).unbind(2)  # [B, n/2, C] each
        difference = second - first
        if self.off_diagonal is None:
            logit = functional.linear(difference.to(self.weight.dtype), self.weight).float()
        else:
            logit = functional.linear(difference.to(self.off_diagonal.dtype), self.off_diagonal).float()
            logit = torch.addcmul(logit, difference, self.weight.diagonal())
        return torch.addcmul(first, torch.sigmoid(logit), difference)


class MaxPool(nn.Module):
    """Halve the positions: the larger of each pair, a channel at a time; the baseline of attention pooling."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool [batch, n, channels] to [batch, n / 2, channels]."""
        return x.unflatten(1, (-1, 2)).amax(2)


class Stage(nn.Module):
    """A wide convolution, a pointwise one with a shortcut, a pooling: the stem and each stage of the tower.

    Parameters
    ----------
    inputs, outputs
        Channels.
    width
        Positions of the wide kernel.
    normalised
        Whether normalisation and GELU stand before the wide convolution; not in the stem.
    pooling
        ``attention``, or ``max``.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, normalised: bool = True, pooling: str = "attention"
    ) -> None:
        super().__init__()
        self.wide = (
            ConvolutionBlock(inputs, outputs, width) if normalised else Convolution(inputs, outputs, width)
        )
        self.pointwise = ConvolutionBlock(outputs, outputs, 1)
        self.pool: nn.Module = AttentionPool(outputs) if pooling == "attention" else MaxPool()
        self.halo = width // 2
        self.outputs = outputs

    def forward(self, x: Tensor, padding: tuple[int, int] | None = None) -> Tensor:
        """Apply the stage.

        Parameters
        ----------
        x
            [batch, n, inputs], with ``halo`` neighbours on either side where there are any.
        padding
            Zeros that stand for absent neighbours; ``halo`` on either side when absent.

        Returns
        -------
        Tensor
            [batch, m / 2, outputs], m being the positions without the halo.
        """
        padding = (self.halo, self.halo) if padding is None else padding
        if self._can_be_fused(x, padding):
            return self._fused(x, padding)
        x = self.wide(x, padding)  # [B, m, outputs]
        if self.pointwise.norm.training:
            convolution = self.pointwise.convolution
            parameters = (*convolution.parameters(), *self.pool.parameters())
            return normalised(
                self.pointwise.norm, x, lambda values, x: self.pool(x + convolution(gelu(values))), parameters
            )
        pooled: Tensor = self.pool(x + self.pointwise(x))  # [B, m/2, outputs]
        return pooled

    def _can_be_fused(self, x: Tensor, padding: tuple[int, int]) -> bool:
        """Whether this is plain inference in float32 on a CPU, with nobody who looks at the parts (hooks)."""
        parts = [self.wide, self.pointwise, self.pool]
        return (
            not (torch.is_grad_enabled() or self.training)
            and x.device.type == "cpu"
            and isinstance(self.pool, AttentionPool)
            and self.pool.off_diagonal is None
            and (
                not isinstance(self.wide, ConvolutionBlock) or self.wide.convolution.can_be_tiled(x, padding)
            )
            and all(weight.dtype == torch.float32 for weight in (x, self.pool.weight, *self.parameters()))
            and not any(part._forward_pre_hooks or part._forward_hooks for part in parts)
        )

    def _fused(self, x: Tensor, padding: tuple[int, int]) -> Tensor:
        """The same in half the passes over memory: what multiplies or is added to a whole activation goes into a matrix product.

        Behind silu a factor of 1 / 1.702 is due; it is a factor of the product that follows. The shortcut is what that product is added
        to, in place; and its bias is added with that of the wide convolution before, which normalisation is told of.
        """
        convolution, late = self.pointwise.convolution, self.pointwise.convolution.bias
        if isinstance(self.wide, ConvolutionBlock):
            scale, shift = self.wide.scale_and_shift()
            x = functional.silu(torch.addcmul(shift, x, scale), inplace=True)
            wide = self.wide.convolution
            x = wide.in_tiles(x, padding, wide.bias + late, 1 / _SLOPE)
        else:
            x = self.wide(x, padding).add_(late)
        scale, shift = self.pointwise.scale_and_shift()
        h = functional.silu(torch.addcmul(shift - late * scale, x, scale), inplace=True)
        flat = x.view(-1, self.outputs)  # [B m, outputs]
        torch.addmm(flat, h.view(-1, self.outputs), convolution.weight.t(), alpha=1 / _SLOPE, out=flat)
        first, second = flat.view(len(x), -1, 2, self.outputs).unbind(2)  # [B, m/2, outputs] each
        difference = second - first
        weight = functional.linear(difference, self.pool.weight).sigmoid_()  # type: ignore[arg-type]
        return torch.addcmul(first, weight, difference)


def apply_in_pieces(stage: Stage, x: Tensor, size: int) -> Tensor:
    """Apply a stage piece by piece; the result is that of ``stage(x)``, the memory that of one piece.

    Neighbouring pieces share ``halo`` input positions, which are read and not recomputed.

    Parameters
    ----------
    stage
        Stage in evaluation mode (batch statistics would need all positions).
    x
        [batch, n, inputs].
    size
        Positions of a piece, even.
    """
    length = x.shape[1]
    result = torch.empty(x.shape[0], length // 2, stage.outputs, device=x.device)
    for start in range(0, length, size):
        stop = min(start + size, length)
        low, high = max(0, start - stage.halo), min(length, stop + stage.halo)
        padding = (stage.halo - (start - low), stage.halo - (high - stop))
        result[:, start // 2 : stop // 2] = stage(x[:, low:high], padding)
    return result
