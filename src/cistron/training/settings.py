"""Settings of the fit that all networks share."""

from dataclasses import dataclass
from typing import Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, NotNegative, Positive, check_settings

LOGGERS = ("tensorboard", "wandb")
# Where and how exactly a network is fitted: options of the command line that methods share, and the settings that they set.
FIT_OPTIONS = {name: f"fit.{name}" for name in ("devices", "nodes", "strategy", "precision")}
_PRECISIONS = {"fp32": "32-true", "mixed": "bf16-mixed"}  # the command line's words: Lightning's


@dataclass(frozen=True)
class FitSettings:
    """Settings of :func:`cistron.training.fit`.

    Attributes
    ----------
    epochs
        Largest number of passes over the batches.
    learning_rate
        Step size of Adam (of ``optimiser``, when the caller gives one, the factor of its own step size).
    weight_decay
        L2 penalty of Adam, decoupled (AdamW) when positive.
    warmup_steps
        Steps over which the learning rate rises linearly from 0.
    schedule
        ``constant``, or ``cosine``: falls to 0 over the epochs.
    patience
        Stop after this many validations without improvement; ``None`` never stops early.
    minimum_improvement
        Smallest fall of the monitored loss, relative to its size, that counts as improvement.
    validate_every
        Epochs between validations.
    gradient_clip
        Largest norm of the gradient; ``None`` does not clip.
    accumulate
        Batches whose gradients are added before a step.
    accelerator
        ``auto`` takes a GPU when there is one; ``cpu``, ``gpu``, ``mps`` force it.
    devices
        Number of devices; with more than one, batches are dealt to them in turn.
    nodes
        Number of machines.
    strategy
        Lightning strategy, for example ``ddp``.
    precision
        ``fp32``, ``mixed`` (matrix products in bfloat16), or Lightning's name of one, for example ``32-true`` or ``bf16-mixed``.
    checkpoint_seconds
        Least time between two checkpoints. One is always written at the end and on an interrupt.
    maximum_seconds
        Stop after this time, as if the epochs had been used up; ``None`` for no limit.
    loggers
        Besides the CSV: ``tensorboard``, ``wandb``.
    """

    epochs: Count = 100
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.0
    warmup_steps: CountOrZero = 0
    schedule: Literal["constant", "cosine"] = "constant"
    patience: Count | None = 10
    minimum_improvement: NotNegative = 0.0
    validate_every: Count = 1
    gradient_clip: Positive | None = None
    accumulate: Count = 1
    accelerator: str = "auto"
    devices: Count = 1
    nodes: Count = 1
    strategy: str = "auto"
    precision: str = "32-true"
    checkpoint_seconds: NotNegative = 60.0
    maximum_seconds: Positive | None = None
    loggers: tuple[str, ...] = ()

    @property
    def lightning_precision(self) -> str:
        """The precision by Lightning's name."""
        return _PRECISIONS.get(self.precision, self.precision)

    def __post_init__(self) -> None:
        check_settings(self)
        unknown = [name for name in self.loggers if name not in LOGGERS]
        if unknown:
            raise InputError(
                f"loggers are {', '.join(LOGGERS)} (a CSV is always kept). Given: {unknown[0]!r}"
            )
