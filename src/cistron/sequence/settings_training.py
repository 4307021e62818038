"""Settings of training a DNA model; reading them loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, NotNegative, Positive, Range, check_settings

Share = Annotated[float, Range(0, 1, open_high=True)]


@dataclass(frozen=True)
class TrainingSettings:
    """How a DNA model is made and trained; what is absent is that of the preset.

    Parameters
    ----------
    channels
        Width of the transformer.
    depth
        Transformer blocks.
    heads
        Attention heads.
    key_size
        Width of a query and a key.
    trunk
        transformer, or dilated: the dilated convolutions of Basenji2 in its place, a baseline.
    pooling
        attention, or max, a baseline.
    receptive_field
        Base pairs that an output sees, at most; 20000 is the baseline without distal sequence. No limit when absent.
    length
        Base pairs of input; what the stores hold when absent.
    dropout
        In the transformer; an eighth of it on attention and before the heads, a fortieth on positions, as published. 0 for none.
    epochs
        Passes over the training sequences, at most.
    batch_size
        Sequences of a step, of one organism.
    learning_rate
        Step size of Adam.
    warmup_steps
        Steps over which the learning rate rises from 0.
    schedule
        constant, or cosine: falls to 0 over the epochs.
    gradient_clip
        Largest norm of the gradient; 0 for no limit.
    patience
        Epochs without a higher Pearson on the validation fold before training stops; 0 never stops.
    loss
        poisson, or poisson-multinomial (Borzoi's: shape and total of each track apart).
    total_weight
        Weight of the total in poisson-multinomial; Borzoi's paper has 0.2.
    balance_tracks
        Divide the loss of each track by its mean, so that tracks of few counts are learned as well.
    shift
        Largest random shift of the input, base pairs.
    reverse_complement
        Show half of the sequences from the other strand, strand pairs exchanged.
    training_folds
        Folds that are trained on; all but the validation and the test fold when absent.
    validation_fold
        Fold that stops training; valid, or the last but one of fold0, fold1, ..., when absent.
    test_fold
        Fold that is left alone; test, or the last, when absent.
    """

    channels: Count | None = None
    depth: Count | None = None
    heads: Count | None = None
    key_size: Count | None = None
    trunk: Literal["transformer", "dilated"] = "transformer"
    pooling: Literal["attention", "max"] = "attention"
    receptive_field: Count | None = None
    length: Count | None = None
    dropout: Share | None = None
    epochs: Count | None = None
    batch_size: Count | None = None
    learning_rate: Positive | None = None
    warmup_steps: CountOrZero | None = None
    schedule: Literal["constant", "cosine"] | None = None
    gradient_clip: NotNegative | None = None
    patience: CountOrZero | None = None
    loss: Literal["poisson", "poisson-multinomial"] = "poisson"
    total_weight: NotNegative = 1.0
    balance_tracks: bool | None = None
    shift: Annotated[int, Range(0, 16)] = 3
    reverse_complement: bool = True
    training_folds: tuple[str, ...] = ()
    validation_fold: str | None = None
    test_fold: str | None = None

    def __post_init__(self) -> None:
        check_settings(self)

    def resolved(self, preset: str) -> "TrainingSettings":
        """Fill in what is absent from a preset.

        Parameters
        ----------
        preset
            ``small``, ``medium`` or ``paper``.

        Raises
        ------
        InputError
            If there is no such preset.
        """
        if preset not in PRESETS:
            raise InputError(f"no preset {preset!r}; known: {', '.join(PRESETS)}")
        values = PRESETS[preset]
        absent = {
            field.name: values[field.name]
            for field in fields(self)
            if field.name in values and getattr(self, field.name) is None
        }
        return replace(self, **absent)


PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # for a handful to hundreds of sequences, on a CPU
        "small": {
            "channels": 48,
            "depth": 2,
            "heads": 4,
            "key_size": 16,
            "dropout": 0.1,
            "epochs": 60,
            "batch_size": 8,
            "learning_rate": 4e-3,
            "warmup_steps": 50,
            "schedule": "cosine",
            "gradient_clip": 1.0,
            "patience": 0,
            "balance_tracks": True,
        },
        # for thousands of sequences, on one GPU
        "medium": {
            "channels": 384,
            "depth": 4,
            "heads": 8,
            "key_size": 32,
            "dropout": 0.2,
            "epochs": 60,
            "batch_size": 8,
            "learning_rate": 1e-3,
            "warmup_steps": 1000,
            "schedule": "cosine",
            "gradient_clip": 0.5,
            "patience": 10,
            "balance_tracks": True,
        },
        # Avsec et al. 2021: batch 64 over all devices, 150,000 steps
        "paper": {
            "channels": 1536,
            "depth": 11,
            "heads": 8,
            "key_size": 64,
            "dropout": 0.4,
            "epochs": 141,
            "batch_size": 64,
            "learning_rate": 5e-4,
            "warmup_steps": 5000,
            "schedule": "constant",
            "gradient_clip": 0.2,
            "patience": 0,
            "balance_tracks": False,
        },
    }
)
