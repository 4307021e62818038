"""Settings of Enformer: one frozen object from which the model, its memory and its file names follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings

BIN = 128  # base pairs of one output position: seven poolings of two
_LEVELS = 6


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

    def __post_init__(self) -> None:
        check_settings(self)
        if self.channels % (6 * self.heads) or self.channels % 2:
            raise InputError(
                "channels must be a multiple of 6 x heads, because the positional basis has three kinds of "
                f"function, each with and without sign. Given: {self.channels} channels and {self.heads} heads"
            )
        if not self.tracks or min(self.tracks.values()) < 1:
            raise InputError(f"every organism needs at least one track. Given: {dict(self.tracks)}")
        check_length(self.length, self.crop)

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
        steps = half * (self.channels / half) ** (np.arange(_LEVELS) / (_LEVELS - 1))
        # A multiple of 128 is the published rule; models narrower than that (tests, tutorials) use 8.
        unit = 128 if half >= 128 else 8
        rounded = np.maximum(np.round(steps / unit) * unit, unit).astype(int)
        rounded[-1] = self.channels
        return (half, *(int(width) for width in rounded))


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
