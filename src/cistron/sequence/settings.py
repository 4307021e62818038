"""Settings of the models, of how they are run, and of how genes become vectors; reading them loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Positive, Range, check_settings

if TYPE_CHECKING:
    import torch

BIN = 128  # base pairs of one output position: seven poolings of two
_LEVELS = 6
_HALO_BINS = 4  # bins on either side that the convolutions see
# Settings of baselines, which models without them do not name, so that earlier versions read those.
BASELINE_SETTINGS = ("trunk", "pooling", "receptive_field")


@dataclass(frozen=True)
class EnformerSettings:
    """Shape and regularisation of an Enformer; the defaults are those of the publication.

    Parameters
    ----------
    channels
        Width of the transformer. The stem has half of it, the tail twice.
    depth
        Transformer blocks.
    heads
        Attention heads. Values are ``channels / heads`` wide, and as many positional features are used.
    key_size
        Width of a query and a key.
    length
        Base pairs of the input that the model is meant for; others work too (:class:`Enformer`).
    crop
        Bins of 128 bp that are cut from either side of the output.
    tracks
        Output tracks of each organism.
    dropout
        In the transformer, after attention and in the perceptron.
    attention_dropout
        On the attention matrix.
    positional_dropout
        On the positional basis.
    tail_dropout
        Before the heads.
    checkpoint_tower
        Recompute the convolution tower in the backward pass instead of keeping it: less memory, more time.
    trunk
        ``transformer``, or ``dilated``: the eleven dilated convolutions of Basenji2, a baseline.
    pooling
        ``attention``, or ``max``, a baseline.
    receptive_field
        Base pairs that an output sees, at most: attention is confined so that it is no more; unlimited when absent. 20,000 is
        the baseline without distal sequence.

    Raises
    ------
    InputError
        If sizes do not fit each other.
    """

    channels: Count = 1536
    depth: Count = 11
    heads: Count = 8
    key_size: Count = 64
    length: Count = 196_608
    crop: CountOrZero = 320
    tracks: Mapping[str, int] = field(default_factory=lambda: {"human": 5313, "mouse": 1643})
    dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.4
    attention_dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.05
    positional_dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.01
    tail_dropout: Annotated[float, Range(0, 1, open_high=True)] = 0.05
    checkpoint_tower: bool = False
    trunk: Literal["transformer", "dilated"] = "transformer"
    pooling: Literal["attention", "max"] = "attention"
    receptive_field: Count | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.receptive_field is not None and (self.reach or 0) < 1:
            raise InputError(
                f"a receptive field of {self.receptive_field:,} bp leaves {self.depth} blocks of attention no neighbour; give at least "
                f"{2 * BIN * (self.depth + _HALO_BINS):,} bp"
            )
        if self.receptive_field is not None and self.trunk != "transformer":
            raise InputError("a receptive field confines attention; the dilated trunk has none")
        if self.channels % (6 * self.heads) or self.channels % 2:
            raise InputError(
                "channels must be a multiple of 6 x heads, because the positional basis has three kinds of "
                f"function, each with and without sign. Given: {self.channels} channels and {self.heads} heads"
            )
        if not self.tracks or min(self.tracks.values()) < 1:
            raise InputError(f"every organism needs at least one track. Given: {dict(self.tracks)}")
        check_length(self.length, self.crop)

    @property
    def reach(self) -> int | None:
        """Bins on either side that a block of attention sees; ``None`` where all."""
        if self.receptive_field is None:
            return None
        return (self.receptive_field // (2 * BIN) - _HALO_BINS) // self.depth

    @property
    def bins(self) -> int:
        """Output bins of an input of ``length``."""
        return self.length // BIN - 2 * self.crop

    @property
    def value_size(self) -> int:
        """Width of a value of one head, and number of positional features."""
        return self.channels // self.heads

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels after the stem and after each of the six levels of the tower.

        Geometric from half the channels to all of them, rounded to a multiple of 128 where that is not zero.
        """
        half = self.channels // 2
        steps = [half * (self.channels / half) ** (level / (_LEVELS - 1)) for level in range(_LEVELS)]
        # A multiple of 128 is the published rule; models narrower than that (tests, tutorials) use 8.
        unit = 128 if half >= 128 else 8
        rounded = [max(round(step / unit) * unit, unit) for step in steps]
        rounded[-1] = self.channels
        return (half, *rounded)


def check_length(length: int, crop: int) -> None:
    """Raise unless an input of ``length`` base pairs has whole bins and some are left after cropping.

    Raises
    ------
    InputError
        If it has not.
    """
    if length % BIN or length < BIN:
        nearest = max(BIN, round(length / BIN) * BIN)
        raise InputError(
            f"an input must be a multiple of {BIN} bp long, because the model pools by two seven times. "
            f"Given: {length:,} bp; the nearest is {nearest:,}"
        )
    if crop < 0 or length // BIN <= 2 * crop:
        raise InputError(
            f"an input of {length:,} bp has {length // BIN:,} bins, which is not more than the 2 x {crop} that are "
            "cropped; give a longer sequence or a smaller crop"
        )


PRESETS: Mapping[str, EnformerSettings] = {
    "paper": EnformerSettings(),
    # for trials: the same architecture, a thousandth of the work
    "small": EnformerSettings(
        channels=96,
        depth=2,
        heads=4,
        key_size=16,
        length=16_384,
        crop=16,
        tracks={"human": 8, "mouse": 4},
    ),
}


def settings_from(values: Mapping[str, Any]) -> EnformerSettings:
    """Build settings from plain values (JSON).

    Raises
    ------
    InputError
        If a name is unknown or a value does not fit.
    """
    known = set(EnformerSettings.__dataclass_fields__)
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(f"Enformer has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}")
    try:
        return EnformerSettings(**values)
    except TypeError as error:
        raise InputError(f"the settings of the model cannot be used: {error}") from error


@dataclass(frozen=True)
class Esm2Settings:
    """Shape of an ESM-2; the defaults are those of ``esm2_t33_650M_UR50D``.

    Parameters
    ----------
    layers
        Transformer blocks.
    width
        Channels.
    heads
        Attention heads.
    hidden
        Width of the perceptron.
    norm_epsilon
        Of layer normalisation.
    token_dropout
        Scale embeddings as the published models do.
    """

    layers: Count = 33
    width: Count = 1280
    heads: Count = 20
    hidden: Count = 5120
    norm_epsilon: Positive = 1e-5
    token_dropout: bool = True

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class InferenceSettings:
    """How a model is run; results do not depend on the batch size.

    Parameters
    ----------
    batch_size
        Windows at a time.
    precision
        ``fp32``, ``mixed`` or ``bf16``, as of :func:`cistron.sequence.load_weights`.
    augment
        Average over both strands and over ``shifts``.
    shifts
        Base pairs by which the window is moved when augmenting.
    device
        ``auto`` (a GPU where there is one), ``cpu``, ``cuda``, ``cuda:1``.
    """

    batch_size: Count = 1
    precision: str = "fp32"
    augment: bool = False
    shifts: tuple[Annotated[int, Range(-128, 128)], ...] = (-3, 0, 3)  # at most a bin
    device: str = "auto"

    def __post_init__(self) -> None:
        check_settings(self)
        if self.augment and not self.shifts:
            raise InputError("augmenting needs at least one shift; 0 is one")

    def passes(self) -> tuple[tuple[int, bool], ...]:
        """Give shift and strand (True for the reverse complement) of each pass."""
        if not self.augment:
            return ((0, False),)
        return tuple((shift, reverse) for shift in self.shifts for reverse in (False, True))

    def torch_device(self) -> "torch.device":
        """Give the device.

        Raises
        ------
        InputError
            If it is unknown or not there.
        """
        import torch

        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError as error:
            raise InputError(f"device {self.device!r} is not known; expected auto, cpu or cuda") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise InputError(f"--device {self.device}: this torch sees no GPU; use --device cpu")
        return device


@dataclass(frozen=True)
class GeneEmbeddingSettings:
    """How a gene becomes a vector.

    Parameters
    ----------
    windows
        ``canonical``: one window a gene, around its canonical start site. ``each``: one around every start site,
        of which the most active is taken; costs a run of the model each.
    neighbours
        Bins on either side that are averaged with the chosen one.
    organism
        Head whose CAGE chooses the bin.
    track_neighbours
        Bins on either side that are averaged with the chosen one in the predicted tracks of a gene.
    inference
        Batches, precision, augmentation, device.
    """

    windows: Literal["canonical", "each"] = "canonical"
    neighbours: CountOrZero = 0
    organism: str = "human"
    track_neighbours: CountOrZero = 1
    inference: InferenceSettings = field(default_factory=InferenceSettings)

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class ProteinEmbeddingSettings:
    """How proteins become a gene's vector.

    Parameters
    ----------
    isoform
        ``longest`` protein of a gene, or ``mean`` of the vectors of all its different proteins.
    window
        Longest stretch of residues read at once; 1,022 is what ESM-2 was trained with.
    overlap
        Least overlap of neighbouring windows of a longer protein.
    batch_tokens
        Residues and padding read at a time; 1,024 on a processor and 16,384 on a GPU when absent. Results do not
        depend on it.
    precision
        ``fp32`` or ``bf16``.
    device
        ``auto`` (a GPU where there is one), ``cpu``, ``cuda``.
    """

    isoform: Literal["longest", "mean"] = "longest"
    window: Annotated[int, Range(2)] = 1022
    overlap: CountOrZero = 256
    batch_tokens: Count | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"

    def __post_init__(self) -> None:
        check_settings(self)
        if self.overlap >= self.window:
            raise InputError(
                f"a window overlaps the next by less than itself. Given: window {self.window}, "
                f"overlap {self.overlap}"
            )
