"""Settings of the methods, of the split, and of the two jobs: train on files, predict a file."""

from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, NotNegative, Range, Share, check_settings
from cistron.training.settings import FitSettings

AttentionName = Literal["exact", "perceiver", "performer"]
HeadName = Literal["negative-binomial", "zero-inflated", "poisson", "bins"]
ATTENTIONS, HEADS = get_args(AttentionName), get_args(HeadName)
COUNT_HEADS = ("negative-binomial", "zero-inflated", "poisson")
GeneSplit = Literal["random", "chromosome", "group", "regions"]
CellGroups = Literal["random", "donor", "cell-type", "none"]
ONE_HOT = "one-hot"  # in place of an embedding: seen genes are told apart, nothing else is known of them


@dataclass(frozen=True)
class BilinearSettings:
    """Settings of ``bilinear``.

    Attributes
    ----------
    factors
        Cell factors at most; the number is chosen among its halvings on the validation cells, where there are any: too
        many factors of few cells are noise.
    kernel
        Gaussian kernels on gene features beside the linear part.
    landmarks
        Landmark genes of the kernel.
    own
        Whether a seen gene keeps a mean and loadings of its own, shrunk to what its features say. Without it (and
        without one-hot among the embeddings) seen genes are predicted from their features alone.
    passes
        Passes over the cells to find the factors.
    """

    factors: Count = 64
    kernel: bool = True
    landmarks: Count = 1000
    own: bool = True
    passes: Count = 5

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class CellTypeRidgeSettings:
    """Settings of ``ridge``.

    Attributes
    ----------
    factors
        Cell factors that stand in for cell types where those are not known.
    """

    factors: Count = 64

    def __post_init__(self) -> None:
        check_settings(self)


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
        Whether predictions start from the mean of the gene: measured where it was seen, else regressed on its features.
    low_rank
        Start from the bilinear model: factors of the cell, read from all visible genes in closed form, are a token of their own, and
        their products with the vectors of the genes are added to the output; the network learns what they leave.
    context
        Visible genes that a cell is encoded from. 0 takes all of them, as published.
    context_genes
        ``informative`` takes those that tell most of the factors of cells, the same in all cells, zeros included; ``prominent`` the
        expressed ones that stand out most in the cell, as before 0.2.
    targets
        Hidden genes in a batch; 0 takes a fifth of all training genes, as published.
    steps_per_epoch
        Batches an epoch.
    batch_cells
        Cells in a batch.
    fit
        How it is fitted.
    """

    attention: AttentionName = "exact"
    head: HeadName = "negative-binomial"
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
    low_rank: bool = True
    context: CountOrZero = 192
    context_genes: Literal["informative", "prominent"] = "informative"
    targets: CountOrZero = 768
    steps_per_epoch: Count = 50
    batch_cells: Count = 32
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            epochs=8,
            learning_rate=1e-3,
            weight_decay=0.01,
            schedule="cosine",
            warmup_steps=50,
            patience=3,
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
            low_rank=False,
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


@dataclass(frozen=True)
class SplitSettings:
    """How both axes are split.

    Attributes
    ----------
    genes
        ``random``, ``chromosome`` (whole chromosomes), ``group`` (whole homology groups), ``regions`` (the genome
        regions that a sequence model was trained and tested on).
    cells
        ``random``, ``donor`` or ``cell-type`` (whole ones), ``none`` (all cells are trained on).
    test_genes, validation_genes
        Share of the genes (of all groups, for ``group``), where no chromosomes are named.
    test_cells, validation_cells
        Share of the cells, donors or cell types.
    test_chromosomes, validation_chromosomes
        Chromosomes that are held out.
    """

    genes: GeneSplit = "chromosome"
    cells: CellGroups = "random"
    test_genes: Share = 0.2
    validation_genes: Share = 0.1
    test_cells: Share = 0.2
    validation_cells: Share = 0.1
    test_chromosomes: tuple[str, ...] = ()
    validation_chromosomes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class _CellsRequest:
    """What both jobs are told of the cells, named as on the command line."""

    cells: Path
    _: KW_ONLY
    unit: str = "cell"
    gene_table: Path | None = None
    donor: str = "donor"
    layer: str | None = None
    gene_column: str | None = None
    modality: str | None = None
    scale: Any = "auto"
    gene_map: tuple[Path, ...] = ()
    minimum_counts: NotNegative = 0.0
    allow_loss: bool = False

    def files(self) -> list[Path]:
        """Files that are read."""
        return [self.cells, *([] if self.gene_table is None else [self.gene_table]), *self.gene_map]

    def check(self) -> None:
        """Raise on files that are absent and on options that do not fit together, before any work."""
        check_settings(self)
        for path in self.files():
            if not path.exists():
                raise InputError(f"{path} does not exist")


@dataclass(frozen=True)
class TrainRequest(_CellsRequest):
    """Everything that ``cistron cells train`` is told; names as on the command line.

    ``settings`` are whole settings of the method, or some by dotted name, which win over the preset.
    """

    embeddings: tuple[str, ...]
    _: KW_ONLY
    method: str = "bilinear"
    preset: str = "default"
    settings: Any = None
    permute: bool = False
    minimum_coverage: Share = 0.5
    split_file: Path | None = None
    splitting: SplitSettings = field(default_factory=SplitSettings)
    regions: Path | None = None
    cell_type: str | None = None
    seed: int = 0

    def files(self) -> list[Path]:
        """Files that are read."""
        named = [Path(name) for name in self.embeddings if name != ONE_HOT]
        return [
            *super().files(),
            *named,
            *(path for path in (self.regions, self.split_file) if path is not None),
        ]

    def check(self) -> None:
        """Raise on files that are absent and on options that do not fit together, before any work."""
        super().check()
        if self.unit == "cell type" and self.splitting.cells == "donor" and self.split_file is None:
            raise InputError(
                "--unit cell-type sums the cells of all donors, so donors cannot be held out; use --cell-split cell-type or none, "
                "or --unit cell"
            )
        if self.splitting.genes == "regions" and self.regions is None and self.split_file is None:
            raise InputError(
                "--gene-split regions needs --regions FILE.bed with train, valid or test in column 4"
            )


@dataclass(frozen=True)
class CompareRequest(TrainRequest):
    """Everything that ``cistron cells compare`` is told; what is scored besides what ``cistron cells train`` is told."""

    _: KW_ONLY
    scored_cells: Count = 1000
    scored_genes: Count = 3000


@dataclass(frozen=True)
class PredictRequest(_CellsRequest):
    """Everything that ``cistron cells predict`` is told; names as on the command line."""

    model: Path
    _: KW_ONLY
    embeddings: tuple[Path, ...] = ()
    genes: str = "all"
    name: str | None = None

    def files(self) -> list[Path]:
        """Files that are read."""
        return [self.model, *super().files(), *self.embeddings]
