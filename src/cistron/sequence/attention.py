"""Attention with relative positions, as in Enformer: the positional basis, the shift, the layer.

Equations and symbols: ``docs/wings/sequence.md``.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

_ROWS = 256  # queries at a time without gradients: a block of logits stays in the cache


@lru_cache(maxsize=8)
def _half_basis(length: int, features: int) -> Tensor:
    """Give exponential, mask and gamma functions of ``|d|``, float64 [length, 3 x features]."""
    distance = torch.arange(length, dtype=torch.float64)[:, None]  # [T, 1]
    half_life = 2.0 ** torch.linspace(3.0, math.log2(length), features, dtype=torch.float64)
    exponential = torch.exp2(-distance / half_life)  # [T, F]

    width = 2.0 ** torch.arange(1, features + 1, dtype=torch.float64)
    mask = (width - 1 > distance).double()  # [T, F]

    mean = torch.linspace(length / features, length, features, dtype=torch.float64)
    deviation = length / (2 * features)
    concentration, rate = (mean / deviation) ** 2, mean / deviation**2
    log_density = torch.special.xlogy(concentration - 1, distance) - rate * distance
    log_density = log_density - torch.lgamma(concentration) + concentration * rate.log()
    density = log_density.exp() + 1e-8
    # Over positions, as in the official code. Over features, as several ports do, is another function.
    gamma = density / density.amax(dim=0, keepdim=True)  # [T, F]
    return torch.cat([exponential, mask, gamma], dim=1)


def positional_basis(length: int, features: int) -> Tensor:
    """Give the positional features of all relative positions of a sequence.

    Parameters
    ----------
    length
        Positions T.
    features
        Number of features, a multiple of 6.

    Returns
    -------
    Tensor
        float32 [2 T - 1, features]; row r belongs to the distance d = r - (T - 1). Columns: exponential, mask
        and gamma functions of abs(d), then the same times sign(d).
    """
    half = _half_basis(length, features // 6)  # [T, features / 2]
    distance = torch.arange(-length + 1, length)
    symmetric = half[distance.abs()]  # [2T-1, features / 2]
    return torch.cat([symmetric, distance.sign()[:, None] * symmetric], dim=1).float()


def relative_shift(logits: Tensor, length: int) -> Tensor:
    """Turn logits by relative position into logits by key.

    Row a of a block of b queries reads ``logits[a, (b - 1 - a) + j]`` for key j. Written as slices of the flat
    matrix, it copies nothing.

    Parameters
    ----------
    logits
        [..., b, T + b - 1].
    length
        Number of keys T.

    Returns
    -------
    Tensor
        [..., b, T], a view.
    """
    rows = logits.shape[-2]
    if rows == 1:  # nothing to shift
        return logits
    stride = length + rows - 2
    flat = logits.flatten(-2)[..., rows - 1 : rows - 1 + rows * stride]
    return flat.unflatten(-1, (rows, stride))[..., :length]


def product(linear: nn.Linear, x: Tensor) -> Tensor:
    """Apply a linear layer in the type of its weights."""
    return linear(x.to(linear.weight.dtype))


class RelativeAttention(nn.Module):
    """Multi-head attention whose logits know the distance between query and key.

    Parameters
    ----------
    channels
        Width of input and output.
    heads
        Number of heads.
    key_size
        Width of a query and a key of one head.
    value_size
        Width of a value of one head; also the number of positional features.
    attention_dropout
        Dropout on the attention matrix.
    positional_dropout
        Dropout on the positional basis.
    reach
        Bins on either side that a query sees; all when absent.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        key_size: int,
        value_size: int,
        attention_dropout: float = 0.0,
        positional_dropout: float = 0.0,
        reach: int | None = None,
    ) -> None:
        super().__init__()
        self.reach = reach
        self.heads, self.key_size, self.value_size = heads, key_size, value_size
        self.attention_dropout, self.positional_dropout = attention_dropout, positional_dropout
        self.query = nn.Linear(channels, heads * key_size, bias=False)
        self.key = nn.Linear(channels, heads * key_size, bias=False)
        self.value = nn.Linear(channels, heads * value_size, bias=False)
        self.position = nn.Linear(value_size, heads * key_size, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, key_size))  # u, "r_w_bias"
        self.position_bias = nn.Parameter(torch.zeros(heads, 1, key_size))  # v, "r_r_bias"
        self.output = nn.Linear(heads * value_size, channels)
        self._cached: tuple[tuple[object, ...], Tensor] | None = None

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)  # [..., H, T, size]

    def _position_keys(self, length: int) -> Tensor:
        """Give r_k [H, 2T-1, key]; kept between calls while neither the weights nor the length change."""
        weight = self.position.weight
        keep = not torch.is_grad_enabled()
        version = 0 if weight.is_inference() else weight._version
        tag = (length, weight.data_ptr(), version, weight.dtype, weight.device)
        if keep and not self.training and self._cached is not None and self._cached[0] == tag:
            return self._cached[1]
        basis = positional_basis(length, self.value_size).to(weight)
        if self.training:
            basis = functional.dropout(basis, self.positional_dropout)
        keys = self._split(self.position(basis))  # [H, 2T-1, key]
        self._cached = (tag, keys.contiguous()) if keep and not self.training else None
        return keys

    def _within_reach(self, logits: Tensor, start: int) -> Tensor:
        """Take keys out of reach away from logits [..., query, key] of queries from ``start`` on."""
        if self.reach is None:
            return logits
        query = torch.arange(start, start + logits.shape[-2], device=logits.device)
        key = torch.arange(logits.shape[-1], device=logits.device)
        return logits.masked_fill((query[:, None] - key).abs() > self.reach, -torch.inf)

    def forward(self, x: Tensor, maps: list[Tensor] | None = None, rows: slice | None = None) -> Tensor:
        """Attend.

        Parameters
        ----------
        x
            [batch, T, channels].
        maps
            Where given, the attention matrix [batch, H, rows, T] is appended.
        rows
            Queries, as ``slice(first, last)``; all T when absent. Keys and values are those of all positions.

        Returns
        -------
        Tensor
            [batch, rows, channels].
        """
        length = x.shape[1]
        first, last, _ = (rows or slice(None)).indices(length)
        query = self._split(product(self.query, x[:, first:last])) * self.key_size**-0.5  # [B, H, rows, key]
        key = self._split(product(self.key, x))  # [B, H, T, key]
        value = self._split(product(self.value, x))  # [B, H, T, value]
        positions = self._position_keys(length)  # [H, 2T-1, key]
        positions = positions[:, length - last : 2 * length - 1 - first]  # [H, T + rows - 1, key]
        content = query + self.content_bias.to(query.dtype)
        relative = query + self.position_bias.to(query.dtype)
        if maps is None and not torch.is_grad_enabled() and x.device.type == "cpu":
            attended = self._attend_in_blocks(content, relative, key, value, positions, first)
        else:
            value = value.to(key.dtype)
            bias = relative_shift(relative @ positions.transpose(-1, -2), length)  # [B, H, rows, T]
            bias = self._within_reach(bias, first)
            if maps is None:
                attended = functional.scaled_dot_product_attention(
                    content,
                    key,
                    value,
                    attn_mask=bias,
                    dropout_p=self.attention_dropout if self.training else 0.0,
                    scale=1.0,
                )
            else:
                weights = torch.softmax((content @ key.transpose(-1, -2) + bias).float(), dim=-1)
                maps.append(weights)
                weights = functional.dropout(weights, self.attention_dropout, self.training)
                attended = weights.to(value.dtype) @ value  # [B, H, rows, value]
        merged = attended.transpose(-2, -3).flatten(-2)  # [B, rows, H x value]
        return product(self.output, merged)

    def weights(self, x: Tensor, rows: slice) -> Tensor:
        """Give the attention of some queries alone, float32 [batch, H, rows, T]: a whole matrix is never made.

        Parameters
        ----------
        x
            [batch, T, channels], normalised.
        rows
            Queries, ``slice(first, last)``.
        """
        maps: list[Tensor] = []
        self(x, maps, rows)
        return maps[0]

    def _attend_in_blocks(
        self, content: Tensor, relative: Tensor, key: Tensor, value: Tensor, positions: Tensor, first: int
    ) -> Tensor:
        """Attend block by block of queries and head by head, so that logits never leave the cache.

        A block of b queries needs T + b - 1 of the 2 T - 1 relative positions: half the work is saved too.
        """
        batch, heads, queries, _ = content.shape
        length = key.shape[2]
        attended = value.new_empty(batch, queries, heads, self.value_size)
        for sample in range(batch):
            for head in range(heads):
                keys, values = key[sample, head].T, value[sample, head]
                for start in range(0, queries, _ROWS):
                    stop = min(start + _ROWS, queries)
                    rows = slice(start, stop)
                    near = positions[head, queries - stop : queries + length - 1 - start]  # [T+b-1, key]
                    shifted = relative_shift(relative[sample, head, rows] @ near.T, length)
                    shifted = self._within_reach(shifted, first + start)
                    logits = torch.addmm(shifted, content[sample, head, rows], keys)  # [b, T]
                    weights = torch.softmax(logits, dim=-1).to(value.dtype)
                    attended[sample, rows, head] = weights @ values
        return attended.transpose(1, 2)
