"""Settings of the chromatin methods; apart from the models, so that the command line reads them without loading torch."""

from dataclasses import dataclass, field
from typing import Literal

from cistron.errors import InputError
from cistron.training.settings import FitSettings

Merge = Literal["interleaved", "late", "none"]


@dataclass(frozen=True)
class NetworkFit(FitSettings):
    """How networks of this wing are fitted: :class:`cistron.training.FitSettings` with other defaults."""

    epochs: int = 40
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 50
    schedule: str = "cosine"
    patience: int | None = 8
    gradient_clip: float | None = 1.0


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
    channels: int = 16
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 1, 2)
    pooling: Literal["mean", "max"] = "mean"
    norm: Literal["group", "batch", "none"] = "group"
    head: Literal["wide", "average"] = "wide"
    coarse: int = 5
    halve: bool = False
    dropout: float = 0.5
    linear_bins: int = 0
    subsets: float = 0.25
    mark_dropout: float = 0.02
    level_weight: float = 1.0
    batch_size: int = 32
    members: int = 3
    fit: NetworkFit = field(default_factory=NetworkFit)

    def __post_init__(self) -> None:
        for name in ("channels", "coarse", "batch_size", "members"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more. Given: {getattr(self, name)}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise InputError(f"kernel must be odd. Given: {self.kernel}")
        if not self.dilations or min(self.dilations) < 1:
            raise InputError(f"dilations must be 1 or more, one a block. Given: {self.dilations}")
        if self.linear_bins < 0:
            raise InputError(f"linear_bins must be 0 (none) or more. Given: {self.linear_bins}")
        for name in ("dropout", "subsets", "mark_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must lie between 0 and 1. Given: {getattr(self, name)}")

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

    bins: int = 0
    promoter: int = 1000

    def __post_init__(self) -> None:
        if self.bins < 0 or self.promoter < 1:
            raise InputError("ridge: bins must be 0 or more and promoter 1 or more")


@dataclass(frozen=True)
class GeneMeanSettings:
    """The mean of a gene over the training cell types has no settings."""
