"""Settings of the transformer: the published configuration and the mended default."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings
from cistron.training.settings import FitSettings

ATTENTIONS = ("exact", "perceiver", "performer")
HEADS = ("negative-binomial", "zero-inflated", "poisson", "bins")
COUNT_HEADS = ("negative-binomial", "zero-inflated", "poisson")


@dataclass(frozen=True)
class TransformerSettings:
    """Settings of ``transformer``; the defaults are the mended model, :meth:`paper` the published one.

    Attributes
    ----------
    attention
        ``exact`` (torch's scaled dot product), ``perceiver`` (latents attend to genes and genes to latents) or
        ``performer`` (random features of the softmax kernel, as published).
    head
        ``negative-binomial``, ``zero-inflated`` (negative binomial), ``poisson``, or ``bins`` (classes of halving quantiles).
    dimension, depth, heads
        Width of a token, number of encoder layers, attention heads.
    latents
        Latents of ``perceiver``.
    widening
        Width of the decoder's feed-forward layer over that of a token.
    bins
        Classes of ``bins``.
    weighted_bins
        Weigh classes by their inverse frequency, as published.
    interaction
        Products beside sums: a visible gene's vector times how far the gene is from its mean, and a hidden gene's vector
        times the mean of the memory, so that a low-rank model is learned in few steps.
    dropout
        After the tokens.
    own
        Whether a seen gene has a vector of its own, which starts from its loadings on principal components; the vectors of
        genes never seen are then mapped from their features in closed form. Without it (as published) all vectors are
        one linear layer of the features.
    gene_mean
        Whether predictions start from what :class:`GeneMap` says of a gene's mean (and the seen gene's own mean).
    context
        Visible genes that a cell is encoded from: those that stand out most in it. 0 takes all of them, as published.
    targets
        Hidden genes in a batch; 0 takes a fifth of all training genes, as published.
    steps_per_epoch
        Batches an epoch.
    batch_cells
        Cells in a batch.
    fit
        How it is fitted.
    """

    attention: Literal["exact", "perceiver", "performer"] = "exact"
    head: Literal["negative-binomial", "zero-inflated", "poisson", "bins"] = "negative-binomial"
    dimension: Count = 64
    depth: Count = 2
    heads: Count = 4
    latents: Count = 64
    bins: Annotated[int, Range(2)] = 8
    weighted_bins: bool = False
    widening: Count = 2
    interaction: bool = True
    dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.1
    own: bool = True
    gene_mean: bool = True
    context: CountOrZero = 192
    targets: CountOrZero = 192
    steps_per_epoch: Count = 50
    batch_cells: Count = 32
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            epochs=20,
            learning_rate=3e-3,
            weight_decay=0.01,
            schedule="cosine",
            warmup_steps=50,
            patience=8,
            gradient_clip=1.0,
        )
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.dimension % self.heads:
            raise InputError(
                f"dimension must be a multiple of heads. Given: {self.dimension} and {self.heads}"
            )

    @classmethod
    def paper(cls) -> "TransformerSettings":
        """Give the published model: Performer of 4 layers, 10 heads of 32, 8 bins, AdamW 5e-4 to 40,000 steps."""
        return cls(
            attention="performer",
            head="bins",
            dimension=320,
            depth=4,
            widening=4,
            interaction=False,
            weighted_bins=True,
            heads=10,
            dropout=0.2,
            own=False,
            gene_mean=False,
            context=0,
            targets=0,
            steps_per_epoch=1600,
            batch_cells=2,
            fit=FitSettings(
                epochs=200,
                learning_rate=5e-4,
                weight_decay=0.01,
                schedule="cosine",
                accumulate=8,
                patience=None,
            ),
        )
