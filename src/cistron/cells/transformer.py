"""Transformer over the genes of a cell: visible genes are encoded, and hidden genes are predicted by attending to them.

A token is a gene's vector (its own where it was seen, else from its features) and, for visible genes, its expression.
The encoder attends among visible genes; the decoder attends from a hidden gene's vector to them (rosa, Sofroniew 2023).
"""

import torch
from torch import nn

from cistron.cells.attention import Attention, FeedForward, Layer
from cistron.cells.expression_heads import parameters_of
from cistron.cells.settings import TransformerSettings


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
        Columns of the gene features, where vectors are a linear layer of them; 0 where they are not.
    training
        Number of training genes, where each has a vector of its own; 0 where they have not.
    factors
        Number of factors of a cell that come from the bilinear model; 0 where there are none.
    settings
        Width, depth, attention and head.
    """

    def __init__(self, columns: int, training: int, factors: int, settings: TransformerSettings) -> None:
        super().__init__()
        width = settings.dimension
        performer = settings.attention == "performer"
        self.settings = settings
        self.project = nn.Linear(columns, width) if columns else None
        self.own = nn.Embedding(training, width) if training else None
        self.expression = ExpressionEmbedding(width)
        self.gain = nn.Linear(width, width, bias=False) if settings.interaction else None
        self.summary = nn.Linear(width, width) if settings.interaction else None
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
        outputs = parameters_of(settings.head, settings.bins)
        self.cell = nn.Linear(factors, width) if factors else None
        self.low_rank = nn.Linear(factors, width, bias=False) if factors else None
        if self.low_rank is not None:
            nn.init.zeros_(self.low_rank.weight)
        # of classes, the higher ones gain; of counts, the logarithmic rate
        slope = torch.linspace(-1, 1, outputs) if settings.head == "bins" else torch.eye(outputs)[0]
        self.register_buffer("slope", slope, persistent=False)
        self.slope: torch.Tensor
        self.output = nn.Linear(width, outputs)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def encode(
        self,
        vectors: torch.Tensor,
        expression: torch.Tensor,
        deviation: torch.Tensor,
        present: torch.Tensor | None,
        factors: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Encode visible genes.

        Parameters
        ----------
        vectors
            [cell, gene, channel].
        expression, deviation
            Expression and how far it is from the gene's mean, in standard deviations, [cell, gene].
        present
            Whether a place is filled, bool [cell, gene].
        factors
            Factors of the cells, [cell, factor].

        Returns
        -------
        Tensor
            Memory [cell, place, channel].
        Tensor or None
            Whether a place of it is filled.
        """
        tokens = vectors + self.expression(expression)
        if self.gain is not None:
            tokens = tokens + deviation[..., None] * self.gain(vectors)
        if self.cell is not None and factors is not None:
            tokens = torch.cat([tokens, self.cell(factors)[:, None, :]], dim=1)
            if present is not None:
                present = nn.functional.pad(present, (0, 1), value=True)
        tokens = self.dropout(self.token_norm(tokens))
        if self.latents is not None:
            latents = self.latents.expand(len(tokens), -1, -1)
            tokens, present = latents + self.read(latents, tokens, present), None
        for layer in self.layers:
            tokens = layer(tokens, present)
        return self.memory_norm(tokens), present

    def decode(
        self,
        vectors: torch.Tensor,
        memory: torch.Tensor,
        present: torch.Tensor | None,
        factors: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Predict hidden genes from the memory of each cell.

        Parameters
        ----------
        vectors
            Vectors of the hidden genes, [gene, channel].
        memory, present
            Of :meth:`encode`.
        factors
            Factors of the cells, [cell, factor].

        Returns
        -------
        Tensor
            Parameters of the head, [cell, gene, parameter].
        """
        query = vectors.expand(len(memory), -1, -1)
        tokens = query + self.ask(query, memory, present)
        if self.summary is not None:
            tokens = tokens + query * self.summary(_mean(memory, present))[:, None, :]
        tokens = self.ask_norm(tokens)
        tokens = self.output_norm(tokens + self.feed_forward(tokens))
        raw = self.output(tokens)
        if self.low_rank is None or factors is None:
            return raw
        return raw + (self.low_rank(factors) @ vectors.T)[..., None] * self.slope


def _mean(memory: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
    """Mean over the filled places, [cell, channel]."""
    if present is None:
        return memory.mean(dim=1)
    weight = present.to(memory.dtype)[..., None]
    return (memory * weight).sum(dim=1) / weight.sum(dim=1)
