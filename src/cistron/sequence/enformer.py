"""Enformer: DNA to tracks (Avsec et al., Nature Methods 2021), exact at every length.

The architecture, its equations and how this differs from other ports: ``docs/wings/sequence.md``.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from cistron.errors import InputError
from cistron.sequence.attention import RelativeAttention, product
from cistron.sequence.dilated import dilated_trunk
from cistron.sequence.recomputing import statistics_kept
from cistron.sequence.settings import EnformerSettings, check_length
from cistron.sequence.tower import AttentionPool, Convolution, ConvolutionBlock, Stage, apply_in_pieces, gelu

_ROBUST = ("value", "output", "expand", "contract")
_PIECE = 2048  # positions of a stage at a time on a CPU


def _again() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Contexts of a checkpointed pass and of its repetition, which must not move averages a second time."""
    return nullcontext(), statistics_kept()


class TransformerBlock(nn.Module):
    """Attention and perceptron, each normalised first and added to its input."""

    def __init__(self, settings: EnformerSettings) -> None:
        super().__init__()
        channels = settings.channels
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = RelativeAttention(
            channels,
            settings.heads,
            settings.key_size,
            settings.value_size,
            settings.attention_dropout,
            settings.positional_dropout,
            settings.reach,
        )
        self.perceptron_norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, 2 * channels)
        self.contract = nn.Linear(2 * channels, channels)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, maps: list[Tensor] | None = None, rows: slice | None = None) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        x
            [batch, T, channels].
        maps
            Where given, the attention matrix is appended.
        rows
            Positions of the result that are wanted, ``slice(first, last)``; all when absent.

        Returns
        -------
        Tensor
            [batch, rows, channels].
        """
        shortcut = x if rows is None else x[:, rows]
        x = shortcut + self.dropout(self.attention(self.attention_norm(x), maps, rows))  # [B, rows, C]
        hidden = product(self.expand, self.perceptron_norm(x))  # [B, T, 2C]
        hidden = self.dropout(functional.relu(hidden, inplace=not torch.is_grad_enabled()))
        return x + self.dropout(product(self.contract, hidden))  # [B, T, C]


class Enformer(nn.Module):
    """DNA to tracks.

    Parameters
    ----------
    settings
        Shape of the model; those of the publication when absent (251,221,292 parameters).

    Examples
    --------
    >>> import torch
    >>> from cistron.sequence import PRESETS, Enformer
    >>> model = Enformer(PRESETS["small"]).eval()
    >>> one_hot = torch.zeros(1, 16_384, 4)
    >>> model(one_hot)["human"].shape
    torch.Size([1, 96, 8])
    """

    def __init__(self, settings: EnformerSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or EnformerSettings()
        widths = settings.widths
        self.stem = Stage(4, widths[0], 15, normalised=False, pooling=settings.pooling)
        self.tower = nn.ModuleList(
            Stage(inputs, outputs, 5, pooling=settings.pooling) for inputs, outputs in pairwise(widths)
        )
        self.transformer = (
            nn.ModuleList(TransformerBlock(settings) for _ in range(settings.depth))
            if settings.trunk == "transformer"
            else dilated_trunk(settings.channels, settings.dropout)
        )
        self.tail = ConvolutionBlock(settings.channels, 2 * settings.channels, 1)
        self.tail_dropout = nn.Dropout(settings.tail_dropout)
        self.heads = nn.ModuleDict(
            {
                organism: nn.Linear(2 * settings.channels, tracks)
                for organism, tracks in settings.tracks.items()
            }
        )
        self.piece = _PIECE
        self.initialise()

    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights as the official code does.

        Linear and convolution: normal, cut at two standard deviations, 1 / sqrt(fan in); biases zero; pooling
        2 I. Attention: query, key, value and position of variance 2 / fan in, content and position bias of
        variance 2 / heads; output zero, so that a new block changes nothing.
        """

        def scaled(weight: Tensor, fan_in: int) -> None:
            # .8796 is the standard deviation of a standard normal cut at two, which this initialiser makes up for
            deviation = math.sqrt(2 / fan_in) / 0.87962566
            nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)

        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | Convolution):
                fan_in = math.prod(module.weight.shape[1:])
                if name.rpartition(".")[2] in ("query", "key", "value", "position"):
                    scaled(module.weight, fan_in)
                else:
                    deviation = 1 / math.sqrt(fan_in)
                    nn.init.trunc_normal_(
                        module.weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator
                    )
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, AttentionPool):
                nn.init.eye_(module.weight)
                with torch.no_grad():
                    module.weight.mul_(2)
            elif isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
                module.reset_parameters()
            elif isinstance(module, RelativeAttention):
                scaled(module.content_bias, module.heads)
                scaled(module.position_bias, module.heads)
        for module in self.modules():
            if isinstance(module, RelativeAttention):  # after its parts were drawn
                nn.init.zeros_(module.output.weight)

    def matrices_to(self, dtype: torch.dtype, part: Literal["all", "robust"] = "all") -> "Enformer":
        """Convert matrices to ``dtype`` in place and return the model; normalisation stays in float32.

        With bfloat16 the products are made in it (accumulated in float32 by the hardware); residuals,
        normalisation and softplus stay in float32.

        Parameters
        ----------
        dtype
            Type of the matrices.
        part
            ``all``, or ``robust``: only those whose rounding is not amplified by what follows. These are value, output
            and perceptron of the transformer, the heads, and pooling behind the stem, but for the diagonal of its weights.
            Rounding in the convolutions and in the logits of attention is amplified.
        """
        for name, module in self.named_modules():
            if part == "all":
                if isinstance(module, nn.Linear | Convolution | AttentionPool):
                    module.to(dtype)
            elif isinstance(module, AttentionPool) and not name.startswith("stem"):
                module.round_off_diagonal(dtype)
            elif name.startswith("heads.") or name.rpartition(".")[2] in _ROBUST:
                module.to(dtype)
        return self

    def _check(self, one_hot: Tensor) -> None:
        if one_hot.ndim != 3 or one_hot.shape[-1] != 4 or not one_hot.is_floating_point():
            raise InputError(
                "the model reads one-hot DNA, float [batch, length, 4] in the order A, C, G, T. "
                f"Given: {str(one_hot.dtype).removeprefix('torch.')} {list(one_hot.shape)}"
            )
        check_length(one_hot.shape[1], self.settings.crop)

    def convolve(self, one_hot: Tensor) -> Tensor:
        """Apply stem and tower: one-hot [batch, length, 4] to [batch, length / 128, channels]."""
        x = one_hot
        pieces = not torch.is_grad_enabled() and not self.training and x.device.type == "cpu"
        for stage in (self.stem, *self.tower):
            if pieces:
                x = apply_in_pieces(stage, x, self.piece)
            elif self.settings.checkpoint_tower and torch.is_grad_enabled():
                x = checkpoint(stage, x, use_reentrant=False, context_fn=_again)
            else:
                x = stage(x)  # [B, n/2, outputs]
        return x

    def transform(self, x: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """Apply the transformer to [batch, T, channels]."""
        for block in self.transformer:
            x = block(x, maps)
        return x

    def crop_and_widen(self, x: Tensor) -> Tensor:
        """Crop, and apply the tail: [batch, T, channels] to [batch, bins, 2 x channels]."""
        crop = self.settings.crop
        x = x[:, crop : x.shape[1] - crop]  # [B, bins, C]
        return gelu(self.tail_dropout(self.tail(x)))  # [B, bins, 2C]

    def read_out(self, x: Tensor, bins: slice | None = None) -> Tensor:
        """Turn the output of :meth:`convolve` into that of :meth:`embed`, [batch, T, channels] to [batch, bins, 2 x channels].

        The last block computes only the bins that are given, which changes nothing but the time. ``bins`` counts in all T; those that
        are left after cropping when absent.
        """
        crop = self.settings.crop
        rows = bins or slice(crop, x.shape[1] - crop)
        *blocks, last = self.transformer
        for block in blocks:
            x = block(x)
        x = last(x, None, rows)  # [B, bins, C]
        return gelu(self.tail_dropout(self.tail(x)))  # [B, bins, 2C]

    def embed(self, one_hot: Tensor) -> Tensor:
        """Give the trunk's output, which both organisms share: float32 [batch, bins, 2 x channels].

        Parameters
        ----------
        one_hot
            float [batch, length, 4]; length any multiple of 128 that leaves bins after cropping.

        Raises
        ------
        InputError
            If the shape or the length does not fit.
        """
        self._check(one_hot)
        return self.crop_and_widen(self.transform(self.convolve(one_hot)))

    def predict(
        self,
        embedding: Tensor,
        organisms: Iterable[str] | None = None,
        tracks: Mapping[str, Sequence[int] | Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Apply the heads to the trunk's output.

        Parameters
        ----------
        embedding
            [batch, bins, 2 x channels].
        organisms
            Heads to compute; all when absent.
        tracks
            Tracks to compute for an organism, by number; all when absent.

        Returns
        -------
        dict of str to Tensor
            Organism to float32 [batch, bins, tracks], not negative.

        Raises
        ------
        InputError
            If an organism or a track does not exist.
        """
        chosen = list(self.heads) if organisms is None else list(organisms)
        unknown = [name for name in (*chosen, *(tracks or {})) if name not in self.heads]
        if unknown:
            raise InputError(f"the model has no head {unknown[0]!r}; it has {', '.join(self.heads)}")
        result = {}
        for organism in chosen:
            head = self.heads[organism]
            assert isinstance(head, nn.Linear)
            weight: Tensor = head.weight
            bias: Tensor = head.bias
            if tracks is not None and organism in tracks:
                index = torch.as_tensor(tracks[organism], dtype=torch.long, device=weight.device)
                if index.numel() == 0 or index.min() < 0 or index.max() >= len(bias):
                    raise InputError(
                        f"tracks of {organism} are numbered 0 to {len(bias) - 1:,}. "
                        f"Given: {index.tolist()[:5] if index.numel() else 'none'}"
                    )
                weight, bias = weight[index], bias[index]
            logit = functional.linear(embedding.to(weight.dtype), weight, bias)  # [B, bins, tracks]
            result[organism] = functional.softplus(logit.float())
        return result

    def forward(
        self,
        one_hot: Tensor,
        organisms: Iterable[str] | None = None,
        tracks: Mapping[str, Sequence[int] | Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Predict tracks from one-hot DNA.

        Parameters
        ----------
        one_hot
            As of :meth:`embed`.
        organisms, tracks
            As of :meth:`predict`.

        Returns
        -------
        dict of str to Tensor
            Organism to float32 [batch, bins, tracks].
        """
        return self.predict(self.embed(one_hot), organisms, tracks)

    def attention_maps(self, one_hot: Tensor) -> Tensor:
        """Give the attention matrices of all blocks, float32 [batch, depth, heads, T, T]; each row sums to 1.

        At full length and depth they take 830 MB a sequence.
        """
        self._check(one_hot)
        maps: list[Tensor] = []
        self.transform(self.convolve(one_hot), maps)
        return torch.stack(maps, dim=1)


def parameter_count(settings: EnformerSettings | None = None) -> int:
    """Count the parameters of a model without making one (251,221,292 for the publication's)."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Enformer(settings).parameters())
