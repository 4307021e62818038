"""Transformer over the genes of a cell: visible genes are encoded, hidden genes ask them.

A token is a gene's vector (from its features, and its own where it was seen) and, for visible genes, its expression.
The encoder attends among visible genes; the decoder attends from a hidden gene's vector to them (rosa, Sofroniew 2023).
"""

import torch
from torch import nn

from cistron.cells.attention import Attention, FeedForward, Layer
from cistron.cells.expression_heads import parameters_of
from cistron.cells.transformer_settings import TransformerSettings


class ExpressionEmbedding(nn.Module):
    """Sines and cosines of a value, through a linear layer."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        half = dimension // 2
        self.register_buffer("frequencies", torch.logspace(1, -2, half), persistent=False)
        self.frequencies: torch.Tensor
        self.linear = nn.Linear(2 * half, dimension)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """[cell, gene] to [cell, gene, channel]."""
        angles = values[..., None] * self.frequencies
        return self.linear(torch.cat([angles.sin(), angles.cos()], dim=-1))


class ExpressionTransformer(nn.Module):
    """Encoder of visible genes and decoder of hidden ones.

    Parameters
    ----------
    columns
        Columns of the gene features; 0 for one-hot alone.
    training
        Number of training genes, which may have vectors of their own.
    settings
        Width, depth, attention and head.
    own
        Whether training genes have vectors of their own.
    """

    def __init__(self, columns: int, training: int, settings: TransformerSettings, own: bool) -> None:
        super().__init__()
        width = settings.dimension
        performer = settings.attention == "performer"
        self.settings = settings
        self.project = nn.Linear(columns, width) if columns else None
        self.own = nn.Embedding(training, width) if own else None
        if self.own is not None:
            nn.init.normal_(self.own.weight, 0.0, 0.1)
        self.expression = ExpressionEmbedding(width)
        self.token_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(settings.dropout)
        self.latents = None
        if settings.attention == "perceiver":
            self.latents = nn.Parameter(torch.randn(settings.latents, width) * 0.1)
            self.read = Attention(width, settings.heads)
        self.layers = nn.ModuleList(Layer(width, settings.heads, performer) for _ in range(settings.depth))
        self.memory_norm = nn.LayerNorm(width)
        self.ask = Attention(width, settings.heads, performer)
        self.ask_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, settings.widening)
        self.output_norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, parameters_of(settings.head, settings.bins))
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def vectors(self, features: torch.Tensor, numbers: torch.Tensor | None) -> torch.Tensor:
        """Vectors of genes, [gene, channel].

        Parameters
        ----------
        features
            [gene, column], scaled to unit variance.
        numbers
            Number of each gene among the training genes, -1 to leave its own vector out; none has one when ``None``.
        """
        result = torch.zeros(len(features), self.settings.dimension, device=features.device)
        if self.project is not None:
            result = self.project(features)
        if self.own is not None and numbers is not None:
            known = (numbers >= 0).to(result.dtype)[:, None]
            result = result + known * self.own(numbers.clamp_min(0))
        return result

    def encode(
        self, vectors: torch.Tensor, expression: torch.Tensor, present: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Encode visible genes.

        Parameters
        ----------
        vectors
            [cell, gene, channel].
        expression
            [cell, gene].
        present
            Whether a place is filled, bool [cell, gene].

        Returns
        -------
        Tensor
            Memory [cell, place, channel].
        Tensor or None
            Whether a place of it is filled.
        """
        tokens = self.dropout(self.token_norm(vectors + self.expression(expression)))
        if self.latents is not None:
            latents = self.latents.expand(len(tokens), -1, -1)
            tokens, present = latents + self.read(latents, tokens, present), None
        for layer in self.layers:
            tokens = layer(tokens, present)
        return self.memory_norm(tokens), present

    def decode(
        self, vectors: torch.Tensor, memory: torch.Tensor, present: torch.Tensor | None
    ) -> torch.Tensor:
        """Ask the memory: vectors of hidden genes [gene, channel] to outputs [cell, gene, parameter]."""
        query = vectors.expand(len(memory), -1, -1)
        tokens = self.ask_norm(query + self.ask(query, memory, present))
        tokens = self.output_norm(tokens + self.feed_forward(tokens))
        return self.output(tokens)
