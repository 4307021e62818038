"""ESM-2: a protein language model, as an encoder of residues (Lin et al., Science 2023, doi:10.1126/science.ade2574).

The encoder alone, in the layout that Hugging Face stores; equal to transformers' ``EsmModel`` (a stored golden in the
tests). Heads for masked residues and contacts are not read.
"""

import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cistron.sequence.settings import Esm2Settings

TOKENS = (
    "<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>",
)  # fmt: skip
START, PAD, END = TOKENS.index("<cls>"), TOKENS.index("<pad>"), TOKENS.index("<eos>")
# In training 15% of residues were chosen and 80% of these masked; embeddings of unmasked sequences are scaled for it.
_UNMASKED_IN_TRAINING = 1 - 0.15 * 0.8


def _rotated(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position encoding (Su et al. 2021), halves of a head paired: [B, heads, T, d]."""
    first, second = values.chunk(2, dim=-1)
    return values * cosine + torch.cat((-second, first), dim=-1) * sine


class _Block(nn.Module):
    """Pre-norm transformer block: x + attention(norm x), then x + perceptron(norm x)."""

    def __init__(self, settings: Esm2Settings) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.attention_norm = nn.LayerNorm(width, settings.norm_epsilon)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.perceptron_norm = nn.LayerNorm(width, settings.norm_epsilon)
        self.widen = nn.Linear(width, settings.hidden)
        self.narrow = nn.Linear(settings.hidden, width)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], seen: Tensor | None) -> Tensor:
        """Transform [B, T, width]; ``seen`` is bool [B, 1, 1, T], ``None`` where nothing is padding."""
        normed = self.attention_norm(x)
        query, key, value = (
            layer(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, d]
            for layer in (self.query, self.key, self.value)
        )
        query, key = (_rotated(part, *rotation).to(value.dtype) for part in (query, key))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.widen(self.perceptron_norm(x))))


class Esm2(nn.Module):
    """Encoder of residues.

    Parameters
    ----------
    settings
        Shape.
    """

    def __init__(self, settings: Esm2Settings) -> None:
        super().__init__()
        self.settings = settings
        self.tokens = nn.Embedding(len(TOKENS), settings.width, padding_idx=PAD)
        self.blocks = nn.ModuleList(_Block(settings) for _ in range(settings.layers))
        self.final_norm = nn.LayerNorm(settings.width, settings.norm_epsilon)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode token numbers.

        Parameters
        ----------
        tokens
            Numbers in :data:`TOKENS`, int64 [B, T], with start and end, padded at the end.

        Returns
        -------
        Tensor
            Output of the last block after the final normalisation, [B, T, width].
        """
        seen = tokens != PAD
        x = self.tokens(tokens)  # [B, T, width]
        if self.settings.token_dropout:
            x = x * _UNMASKED_IN_TRAINING
        mask = None if bool(seen.all()) else seen[:, None, None, :]  # attention is faster without one
        x = x * seen.unsqueeze(-1)
        rotation = self._rotation(tokens.shape[1], x.device)
        for block in self.blocks:
            x = block(x, rotation, mask)
        return self.final_norm(x)

    def _rotation(self, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the angle of each position and channel of a head, [T, d]."""
        size = self.settings.width // self.settings.heads
        frequency = 10_000.0 ** (-torch.arange(0, size, 2, device=device).float() / size)
        angle = torch.outer(torch.arange(length, device=device).float(), frequency).repeat(1, 2)
        return angle.cos(), angle.sin()


def __getattr__(name: str) -> Any:
    # Functions that read weights have moved to ``saving_esm2``; their old place is understood until 0.3.
    if name in ("load_esm2", "read_settings", "their_names"):
        return getattr(importlib.import_module("cistron.sequence.saving_esm2"), name)
    raise AttributeError(f"module 'cistron.sequence.esm2' has no attribute {name!r}")
