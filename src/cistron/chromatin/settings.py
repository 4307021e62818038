"""Settings of the chromatin wing; apart from the models, so that the command line reads them without loading torch."""

from dataclasses import dataclass, field
from typing import Literal

from cistron.errors import InputError
from cistron.genome.settings import Transform, Uncovered
from cistron.methods import Count, CountOrZero, NotNegative, Positive, PositiveShare, Share, check_settings
from cistron.training.settings import FitSettings

Merge = Literal["interleaved", "late", "none"]


@dataclass(frozen=True)
class NetworkFit(FitSettings):
    """How networks of this wing are fitted: :class:`cistron.training.FitSettings` with other defaults."""

    epochs: Count = 40
    learning_rate: Positive = 4e-3
    weight_decay: NotNegative = 2.0
    warmup_steps: CountOrZero = 50
    schedule: Literal["constant", "cosine"] = "cosine"
    patience: Count | None = 8
    gradient_clip: Positive | None = 1.0


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the permutation-equivariant network. ``NetworkSettings.paper()`` is the publication's form.

    Attributes
    ----------
    form
        ``dense``: a convolution within each mark, then layers over all places at once, in which cell types mix;
        ``convolutional``: blocks of convolutions over all marks.
    merge
        ``interleaved``: every block mixes the features of a cell type with their mean over cell types; ``late``: two towers
        that meet in the linear head, as published; ``none``: each cell type alone.
    channels
        Filters of each mark (``dense``), or channels of a block (``convolutional``).
    kernel
        Positions that a convolution sees, odd.
    hidden
        Units of each layer of the form ``dense``.
    layers
        Layers of the form ``dense`` behind its convolution; all but the first mix cell types.
    dilations
        Of the form ``convolutional``: dilation of each block; their number is the number of blocks a tower.
    pooling
        Over cell types: masked ``mean`` or ``max``.
    norm
        Of the form ``convolutional``: ``group``, ``batch`` or ``none``.
    head
        Of the form ``convolutional``: ``wide``: a convolution to six positions, then linear; ``average``: the mean over positions, then linear.
    coarse
        Neighbouring bins that are averaged before the first block.
    halve
        Of the form ``convolutional``: average pairs of positions behind the first block.
    dropout
        Share of the units of a layer (``dense``) or of the head's inputs (``convolutional``) that training hides.
    linear_bins
        Bins of the linear path, which is fitted in closed form first and held; the blocks learn what it leaves. 0 for none.
    subsets
        Share of the training steps that see a random subset of the cell types, so that few cell types are in distribution.
    mark_dropout
        Share of the tracks that training masks, so that missing marks are in distribution.
    level_weight
        Weight in the loss of the error of a gene's mean over cell types; that of the differences between them is 1. Low, because
        what a gene has of its own, which no mark shows, is in the first error alone.
    batch_size
        Genes in a batch.
    members
        Networks in the ensemble, each from its own seed.
    fit
        How to fit.
    """

    form: Literal["dense", "convolutional"] = "dense"
    merge: Merge = "interleaved"
    channels: Count = 4
    kernel: Count = 5
    hidden: Count = 32
    layers: Count = 3
    dilations: tuple[Count, ...] = (1, 1, 2)
    pooling: Literal["mean", "max"] = "mean"
    norm: Literal["group", "batch", "none"] = "group"
    head: Literal["wide", "average"] = "wide"
    coarse: Count = 5
    halve: bool = False
    dropout: Share = 0.1
    linear_bins: CountOrZero = 0
    subsets: Share = 0.25
    mark_dropout: Share = 0.02
    level_weight: NotNegative = 0.1
    batch_size: Count = 32
    members: Count = 3
    fit: NetworkFit = field(default_factory=NetworkFit)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.kernel % 2 == 0:
            raise InputError(f"kernel must be odd. Given: {self.kernel}")
        if not self.dilations:
            raise InputError(f"dilations must be given, one a block. Given: {self.dilations}")
        if self.form == "dense" and self.merge == "late":
            raise InputError(
                "merge late is a form of two towers of convolutions. Given: form dense; give form convolutional as well"
            )

    @classmethod
    def paper(cls) -> "NetworkSettings":
        """As published: two towers that meet late, nothing else; depth, width and head are not in the paper."""
        return cls(
            form="convolutional",
            merge="late",
            channels=32,
            kernel=11,
            dilations=(1, 1, 1, 2, 2, 4),
            norm="batch",
            coarse=1,
            dropout=0.0,
            subsets=0.0,
            mark_dropout=0.0,
            level_weight=1.0,
            members=1,
            fit=NetworkFit(
                learning_rate=1e-3, weight_decay=0.0, warmup_steps=0, schedule="constant", gradient_clip=None
            ),
        )

    @classmethod
    def convolutional(cls) -> "NetworkSettings":
        """Three blocks of convolutions that mix cell types: the default until 0.3."""
        return cls(
            form="convolutional",
            channels=16,
            dropout=0.5,
            level_weight=1.0,
            fit=NetworkFit(learning_rate=2e-3, weight_decay=0.02),
        )

    @classmethod
    def per_cell(cls) -> "NetworkSettings":
        """Each gene in each cell type is an example of its own; otherwise the default network."""
        return cls(merge="none", subsets=0.0)


@dataclass(frozen=True)
class MarkRidgeSettings:
    """Settings of the linear baseline.

    Attributes
    ----------
    bins
        Bins into which the window is averaged; 0 takes the promoter alone.
    promoter
        Base pairs around the start site, where ``bins`` is 0.
    """

    bins: CountOrZero = 0
    promoter: Count = 1000

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def window(cls) -> "MarkRidgeSettings":
        """The whole window, in 20 bins."""
        return cls(bins=20)


RidgeSettings = MarkRidgeSettings  # its name until 0.3


@dataclass(frozen=True)
class GeneMeanSettings:
    """The mean of a gene over the training cell types has no settings."""


@dataclass(frozen=True)
class BuildSettings:
    """How signal is binned and expression is scaled.

    Attributes
    ----------
    window
        Base pairs around a start site, half on each side.
    bin_size
        Base pairs of a bin.
    transform
        ``log1p-mean``: log(1 + mean of the bin), ``mean-log1p``: mean over base pairs of log(1 + signal);
        ``logged``: the values are log(1 + signal) already; ``none``: they are not, and no logarithm is taken.
    uncovered
        Base pairs without a record count as ``zero``, or are left out of the mean (``skip``).
    replicates
        A mark that the list gives several times for a cell type is an ``error``, or the ``mean`` of their signal is taken.
    gene_body_bins
        Bins behind the start site to which the gene body, from start to end site, is scaled (deepTools' ``scale-regions``); the bins
        left of the window follow its end. 0 scales nothing.
    orientation
        Of arrays that are binned already: ``transcription``, or ``genome``, which is reversed for genes on the minus strand.
    expression_scale
        What the expression table holds: ``tpm``, ``rpkm``, ``cpm``, ``counts`` (log1p is taken), or ``log1p`` (taken already).
    genome_build
        Build of tracks and annotation, recorded.
    licence
        Licence of the data, recorded.
    """

    window: Count = 20_000
    bin_size: Count = 100
    transform: Transform = "log1p-mean"
    uncovered: Uncovered = "zero"
    replicates: Literal["error", "mean"] = "error"
    gene_body_bins: CountOrZero = 0
    orientation: Literal["transcription", "genome"] = "transcription"
    expression_scale: Literal["tpm", "rpkm", "cpm", "counts", "log1p"] = "tpm"
    genome_build: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.window < 2 * self.bin_size or self.window % (2 * self.bin_size):
            raise InputError(
                f"window must be an even number of bins. Given: {self.window:,} bp in bins of {self.bin_size:,} bp"
            )
        behind = self.window // (2 * self.bin_size)
        if self.gene_body_bins > behind:
            raise InputError(
                f"gene_body_bins must be at most {behind:,}, the bins of the window behind the start site. Given: {self.gene_body_bins:,}"
            )


@dataclass(frozen=True)
class DesignSettings:
    """Settings of the design. ``DesignSettings.paper()`` is plain descent, as published.

    Attributes
    ----------
    fold
        Wanted expression over the predicted one, before the logarithm; below 1 lowers it.
    level
        Wanted expression on the scale of the data instead of ``fold``.
    cell_types
        Cell types that are to reach it; all when empty. The others are held where they are.
    hold
        Weight of what the held cell types move by, against what the wanted ones lack.
    edit_cell_types
        Cell types whose marks may be edited; those of ``cell_types`` when empty.
    marks
        Marks that may be edited; all when empty.
    region
        Base pairs from the start site within which edits lie.
    quantile
        Values stay between 0 and this quantile of the mark in the training data (or the gene's own value, where that is
        higher); 0 for no limit.
    l1
        Relative price of the sum of absolute changes (kb x log signal).
    group
        Relative price of touching a mark x kilobase x cell type.
    total_variation
        Relative price of uneven edits.
    distance
        Relative price of moving the marks away from the training data (Mahalanobis distance of 1-kb means).
    price
        Price of all these against the squared error; 0 seeks the highest at which the target is reached, gene by gene.
    tolerance
        Share of the wanted change at which the target counts as reached.
    slack
        Share of the wanted change that is aimed at beyond the tolerance, because networks that took no part see less of an edit than
        those that it was made for.
    judge
        Keep the last third of the ensemble (at least one of two or more networks) out of the optimisation, to judge by.
    prune
        Take edits back, smallest first, while the target stays reached.
    steps
        Steps of the descent, at most.
    learning_rate
        Largest change of a bin in a step.
    """

    fold: Positive = 100.0
    level: float | None = None
    cell_types: tuple[str, ...] = ()
    hold: NotNegative = 1.0
    edit_cell_types: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    region: tuple[int, int] = (-10_000, 10_000)
    quantile: Share = 0.995
    l1: NotNegative = 0.5
    group: NotNegative = 1.0
    total_variation: NotNegative = 0.1
    distance: NotNegative = 0.1
    price: NotNegative = 0.0
    tolerance: PositiveShare = 0.9
    slack: NotNegative = 0.1
    judge: bool = True
    prune: bool = True
    steps: Count = 240
    learning_rate: Positive = 0.1

    def __post_init__(self) -> None:
        check_settings(self)
        if self.region[0] >= self.region[1]:
            raise InputError(f"region must begin before it ends. Given: {self.region}")

    @classmethod
    def paper(cls) -> "DesignSettings":
        """Descent on the squared error alone (equation 1), over all networks."""
        return cls(
            quantile=0.0,
            l1=0.0,
            group=0.0,
            total_variation=0.0,
            distance=0.0,
            slack=0.0,
            judge=False,
            prune=False,
        )


@dataclass(frozen=True)
class EpigenesisSettings:
    """Which peak is slid along the window, and on what background.

    Attributes
    ----------
    background
        ``ablated``: the gene's real marks, the slid mark taken away; ``real``: the real marks with the peak on top; ``empty``:
        no mark anywhere, which lies far from anything the model was fitted on.
    cell_type
        Cell type that gets the peak; all when absent.
    width
        Base pairs of the peak.
    stride
        Base pairs between its places.
    height
        Signal of the peak before the logarithm; 20 is p = 1e-20 of MACS2's -log10 p.
    genes
        Largest number of genes to average over, drawn from those given.
    draws
        Bootstrap draws over genes.
    """

    background: Literal["empty", "ablated", "real"] = "ablated"
    cell_type: str | None = None
    width: Count = 1000
    stride: Count = 1000
    height: Positive = 20.0
    genes: Count = 100
    draws: Count = 1000

    def __post_init__(self) -> None:
        check_settings(self)
