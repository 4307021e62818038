"""Settings of the questions about variants; reading them loads no torch."""

from dataclasses import dataclass, field
from typing import Annotated

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings
from cistron.sequence.settings import BIN, EnformerSettings, InferenceSettings, check_length


@dataclass(frozen=True)
class VariantSettings:
    """How variants are scored.

    Parameters
    ----------
    organism
        Whose tracks.
    length
        Base pairs of input, a multiple of 128; that of the model when absent.
    shared_windows
        Variants within the same stretch of this many base pairs share one window around its middle, so that the reference
        is predicted once for all of them; 0 gives each variant a window of its own, with the variant in the middle.
    log_ratio
        Write the log2 ratio of the sums, each plus 1, as well.
    top_components
        Principal components of the differences over tracks to write as well.
    screen
        Rank all substitutions by their first-order effect, one backward pass a window, and score only this many exactly; 0
        scores all.
    inference
        Batches, precision, augmentation, device.
    """

    organism: str = "human"
    length: Count | None = None
    shared_windows: CountOrZero = 0
    log_ratio: bool = False
    top_components: Annotated[int, Range(0, 1000)] = 0
    screen: CountOrZero = 0
    inference: InferenceSettings = field(default_factory=InferenceSettings)

    def __post_init__(self) -> None:
        check_settings(self)

    def input_length(self, model: EnformerSettings) -> int:
        """Give the base pairs of input, checked against the model and the shared windows.

        Raises
        ------
        InputError
            If a variant of a shared window would lie outside of what is predicted.
        """
        length = self.length or model.length
        check_length(length, model.crop)
        predicted = length - 2 * model.crop * BIN
        if self.shared_windows > predicted:
            raise InputError(
                f"--shared-windows {self.shared_windows:,}: the model predicts the middle {predicted:,} bp of a window; "
                "variants must lie within it, so give at most that"
            )
        return length

    def window_start(self, position: int, length: int) -> int:
        """Give the start of the window of a variant.

        Shared windows lie on a grid, so that a score does not depend on which other variants are in the file.

        Parameters
        ----------
        position
            Of the variant, 0-based.
        length
            Base pairs of the window.
        """
        if not self.shared_windows:
            return position - length // 2
        stretch = self.shared_windows
        return position // stretch * stretch + stretch // 2 - length // 2
