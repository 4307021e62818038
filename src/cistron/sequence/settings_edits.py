"""Settings of base edits; no torch."""

from dataclasses import dataclass
from typing import Literal

from cistron.errors import InputError
from cistron.methods import Count, NotNegative, PositiveShare, check_settings


@dataclass(frozen=True)
class BaseEditSettings:
    """How base changes are sought.

    Attributes
    ----------
    window
        Base pairs from the start site, in the direction of transcription, within which bases may change.
    tolerance
        Share of the wanted change at which the target counts as reached.
    resolution
        Base pairs over which marks are averaged before they are compared with their target; at least a bin of 128. A design says how much of a mark
        a kilobase should have, and DNA raises a mark in peaks, so that a coarse target is reached with fewer changes.
    search
        ``gradient``: one change at a time; ``ledidi``: all at once (needs the package ledidi).
    maximum_edits
        Changes at most, of ``gradient``.
    least_gain
        Share of the wanted change that a base change must add.
    candidates
        Changes that are predicted exactly at each step of ``gradient``.
    edit_price
        Price of a change against the error, of ``ledidi``.
    steps
        Steps of ``ledidi`` at most.
    batch_size
        Sequences predicted at a time.
    """

    window: tuple[int, int] = (-1000, 1000)
    tolerance: PositiveShare = 0.8
    resolution: Count = 128
    search: Literal["gradient", "ledidi"] = "gradient"
    maximum_edits: Count = 40
    least_gain: NotNegative = 0.005
    candidates: Count = 32
    edit_price: NotNegative = 0.01
    steps: Count = 400
    batch_size: Count = 8

    def __post_init__(self) -> None:
        check_settings(self)
        if self.window[0] >= self.window[1]:
            raise InputError(f"window must begin before it ends. Given: {self.window}")
