"""Settings of the chromatin methods; apart from the models, so that the command line reads them without loading torch."""

from dataclasses import dataclass, field
from typing import Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, NotNegative, Positive, Share, check_settings
from cistron.training.settings import FitSettings

Merge = Literal["interleaved", "late", "none"]


@dataclass(frozen=True)
class NetworkFit(FitSettings):
    """How networks of this wing are fitted: :class:`cistron.training.FitSettings` with other defaults."""

    epochs: Count = 40
    learning_rate: Positive = 2e-3
    weight_decay: NotNegative = 0.02
    warmup_steps: CountOrZero = 50
    schedule: Literal["constant", "cosine"] = "cosine"
    patience: Count | None = 8
    gradient_clip: Positive | None = 1.0


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the permutation-equivariant network. ``NetworkSettings.paper()`` is the publication's form.

    Attributes
    ----------
    merge
        ``interleaved``: every block mixes the features of a cell type with their mean over cell types; ``late``: two towers
        that meet in the linear head, as published; ``none``: each cell type alone.
    channels
        Channels of a block.
    kernel
        Bins that a convolution sees, odd.
    dilations
        Dilation of each block; their number is the number of blocks a tower.
    pooling
        Over cell types: masked ``mean`` or ``max``.
    norm
        ``group``, ``batch`` or ``none``.
    head
        ``wide``: a convolution to six positions, then linear; ``average``: the mean over positions, then linear.
    coarse
        Neighbouring bins that are averaged before the first block.
    halve
        Average pairs of positions behind the first block.
    dropout
        Share of the head's inputs that training hides.
    linear_bins
        Bins of the linear path, which is fitted in closed form first and held; the blocks learn what it leaves. 0 for none.
    subsets
        Share of the training steps that see a random subset of the cell types, so that few cell types are in distribution.
    mark_dropout
        Share of the tracks that training masks, so that missing marks are in distribution.
    level_weight
        Weight in the loss of the error of a gene's mean over cell types; that of the differences between them is 1.
    batch_size
        Genes in a batch.
    members
        Networks in the ensemble, each from its own seed.
    fit
        How to fit.
    """

    merge: Merge = "interleaved"
    channels: Count = 16
    kernel: Count = 5
    dilations: tuple[Count, ...] = (1, 1, 2)
    pooling: Literal["mean", "max"] = "mean"
    norm: Literal["group", "batch", "none"] = "group"
    head: Literal["wide", "average"] = "wide"
    coarse: Count = 5
    halve: bool = False
    dropout: Share = 0.5
    linear_bins: CountOrZero = 0
    subsets: Share = 0.25
    mark_dropout: Share = 0.02
    level_weight: NotNegative = 1.0
    batch_size: Count = 32
    members: Count = 3
    fit: NetworkFit = field(default_factory=NetworkFit)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.kernel % 2 == 0:
            raise InputError(f"kernel must be odd. Given: {self.kernel}")
        if not self.dilations:
            raise InputError(f"dilations must be given, one a block. Given: {self.dilations}")

    @classmethod
    def paper(cls) -> "NetworkSettings":
        """As published: two towers that meet late, nothing else; depth, width and head are not in the paper."""
        return cls(
            merge="late",
            channels=32,
            kernel=11,
            dilations=(1, 1, 1, 2, 2, 4),
            norm="batch",
            coarse=1,
            dropout=0.0,
            subsets=0.0,
            mark_dropout=0.0,
            members=1,
            fit=NetworkFit(
                learning_rate=1e-3, weight_decay=0.0, warmup_steps=0, schedule="constant", gradient_clip=None
            ),
        )

    @classmethod
    def per_cell(cls) -> "NetworkSettings":
        """Each gene in each cell type is an example of its own; otherwise the default network."""
        return cls(merge="none", subsets=0.0)


@dataclass(frozen=True)
class RidgeSettings:
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
    def window(cls) -> "RidgeSettings":
        """The whole window, in 20 bins."""
        return cls(bins=20)


@dataclass(frozen=True)
class GeneMeanSettings:
    """The mean of a gene over the training cell types has no settings."""
