"""How models are run and how genes become vectors; apart from the models, so that reading settings loads no torch."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, Range, check_settings

if TYPE_CHECKING:
    import torch


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
