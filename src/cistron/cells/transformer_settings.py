"""Settings of the transformer: the published configuration and the mended default."""

from dataclasses import dataclass, field

from cistron.errors import InputError
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
    bins
        Classes of ``bins``.
    dropout
        After the tokens.
    own
        Whether a seen gene has a learned vector beside its features; left out now and then in training, so that the
        model can do without it for genes never seen.
    own_dropout
        Share of the genes whose own vector is left out in a batch.
    gene_mean
        Whether predictions start from what :class:`GeneMap` says of a gene's mean (and the seen gene's own mean).
    context, targets
        Visible genes that a cell is encoded from, and hidden genes that are predicted, in a batch; as published these are
        80% and 20% of all training genes.
    steps_per_epoch
        Batches an epoch.
    batch_cells
        Cells in a batch.
    fit
        How it is fitted.
    """

    attention: str = "exact"
    head: str = "negative-binomial"
    dimension: int = 64
    depth: int = 2
    heads: int = 4
    latents: int = 64
    bins: int = 8
    dropout: float = 0.1
    own: bool = True
    own_dropout: float = 0.5
    gene_mean: bool = True
    context: int = 512
    targets: int = 512
    steps_per_epoch: int = 50
    batch_cells: int = 32
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            epochs=30,
            learning_rate=2e-3,
            weight_decay=0.01,
            schedule="cosine",
            warmup_steps=50,
            patience=8,
            gradient_clip=1.0,
        )
    )

    def __post_init__(self) -> None:
        if self.attention not in ATTENTIONS:
            raise InputError(f"attention must be one of {', '.join(ATTENTIONS)}. Given: {self.attention!r}")
        if self.head not in HEADS:
            raise InputError(f"head must be one of {', '.join(HEADS)}. Given: {self.head!r}")
        if self.dimension % self.heads or self.depth < 1 or self.bins < 2:
            raise InputError(
                "dimension must be a multiple of heads, depth 1 or more, bins 2 or more. Given: "
                f"{self.dimension}, {self.heads}, {self.depth}, {self.bins}"
            )

    @classmethod
    def paper(cls) -> "TransformerSettings":
        """Give the published model: Performer of 4 layers, 10 heads of 32, 8 bins, AdamW 5e-4 to 40,000 steps."""
        return cls(
            attention="performer",
            head="bins",
            dimension=320,
            depth=4,
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
