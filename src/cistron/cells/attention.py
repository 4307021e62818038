"""Attention between the genes of a cell: exact, or through random features in linear time."""

import math

import torch
from torch import nn


def exact_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, present: torch.Tensor | None
) -> torch.Tensor:
    """Softmax attention by torch's fused kernel.

    Parameters
    ----------
    query
        [cell, head, target, channel].
    key, value
        [cell, head, source, channel].
    present
        Whether a source is there, bool [cell, source]; all when ``None``.

    Returns
    -------
    Tensor
        [cell, head, target, channel].
    """
    mask = None if present is None else present[:, None, None, :]
    return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def orthogonal_features(features: int, channels: int, generator: torch.Generator) -> torch.Tensor:
    """Random directions in orthogonal blocks with the norms of Gaussian vectors.

    Parameters
    ----------
    features
        Number of directions.
    channels
        Channels of a head.
    generator
        Source of randomness.

    Returns
    -------
    Tensor
        float32 [feature, channel].
    """
    blocks = [
        torch.linalg.qr(torch.randn(channels, channels, generator=generator))[0]
        for _ in range(math.ceil(features / channels))
    ]
    norms = torch.randn(features, channels, generator=generator).norm(dim=1, keepdim=True)
    return torch.cat(blocks)[:features] * norms


def performer_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    present: torch.Tensor | None,
    directions: torch.Tensor,
) -> torch.Tensor:
    """Softmax attention estimated by positive random features (Choromanski et al. 2021, FAVOR+).

    Time and memory grow with targets + sources, not with their product.

    Parameters
    ----------
    query, key, value, present
        As of :func:`exact_attention`.
    directions
        Of :func:`orthogonal_features`, [feature, channel].

    Returns
    -------
    Tensor
        [cell, head, target, channel].
    """
    scale = query.shape[-1] ** -0.25
    query, key = query * scale, key * scale
    to_query = query @ directions.T - query.square().sum(dim=-1, keepdim=True) / 2
    to_key = key @ directions.T - key.square().sum(dim=-1, keepdim=True) / 2
    if present is not None:
        to_key = to_key.masked_fill(~present[:, None, :, None], -torch.inf)
    # Subtracting a number a target, or one for all sources, cancels between numerator and denominator.
    query_features = torch.exp(to_query - to_query.amax(dim=-1, keepdim=True).detach()) + 1e-6
    key_features = torch.exp(to_key - to_key.amax(dim=(-1, -2), keepdim=True).detach())
    summed = key_features.transpose(-1, -2) @ value  # (cell, head, feature, channel)
    total = key_features.sum(dim=-2)  # (cell, head, feature)
    return (query_features @ summed) / (query_features @ total[..., None])


class Attention(nn.Module):
    """Several heads of attention from targets to sources.

    Parameters
    ----------
    dimension
        Width of targets and sources.
    heads
        Number of heads.
    performer
        Random features instead of the exact softmax.
    """

    def __init__(self, dimension: int, heads: int, performer: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dimension, dimension, bias=False)
        self.key_value = nn.Linear(dimension, 2 * dimension, bias=False)
        self.output = nn.Linear(dimension, dimension)
        self.directions: torch.Tensor | None
        if performer:
            channels = dimension // heads
            generator = torch.Generator().manual_seed(0)
            features = int(channels * math.log(max(channels, 3)))
            self.register_buffer("directions", orthogonal_features(features, channels, generator))
        else:
            self.directions = None

    def _split(self, tokens: torch.Tensor) -> torch.Tensor:
        cells, length, width = tokens.shape
        return tokens.view(cells, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(
        self, targets: torch.Tensor, sources: torch.Tensor, present: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Attend from targets to sources.

        Parameters
        ----------
        targets
            [cell, target, channel].
        sources
            [cell, source, channel].
        present
            Whether a source is there, bool [cell, source]; all when ``None``.

        Returns
        -------
        Tensor
            [cell, target, channel].
        """
        query = self._split(self.query(targets))
        key, value = (self._split(part) for part in self.key_value(sources).chunk(2, dim=-1))
        if self.directions is None:
            attended = exact_attention(query, key, value, present)
        else:
            attended = performer_attention(query, key, value, present, self.directions)
        cells, heads, length, channels = attended.shape
        return self.output(attended.transpose(1, 2).reshape(cells, length, heads * channels))


class FeedForward(nn.Module):
    """Gated linear unit: ``W3 (GELU(W1 x) * W2 x)``."""

    def __init__(self, dimension: int, widening: int = 4) -> None:
        super().__init__()
        self.inner = nn.Linear(dimension, 2 * widening * dimension)
        self.output = nn.Linear(widening * dimension, dimension)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Apply to every token [..., channel]."""
        gate, value = self.inner(tokens).chunk(2, dim=-1)
        return self.output(nn.functional.gelu(gate) * value)


class Layer(nn.Module):
    """Self-attention and feed-forward, each after a norm and added to what came in.

    Parameters
    ----------
    dimension, heads, performer
        As of :class:`Attention`.
    """

    def __init__(self, dimension: int, heads: int, performer: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dimension)
        self.attention = Attention(dimension, heads, performer)
        self.forward_norm = nn.LayerNorm(dimension)
        self.feed_forward = FeedForward(dimension)

    def forward(self, tokens: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
        """Apply to tokens [cell, gene, channel]."""
        normed = self.attention_norm(tokens)
        tokens = tokens + self.attention(normed, normed, present)
        return tokens + self.feed_forward(self.forward_norm(tokens))
