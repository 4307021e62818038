"""``cistron sequence train``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from cistron.cli.options import (
    PRESET,
    Devices,
    Nodes,
    Output,
    Seed,
    Strategy,
    Threads,
    TrainingPrecision,
)
from cistron.errors import InputError
from cistron.methods import Count, Positive
from cistron.runtime import show
from cistron.sequence.settings_training import TrainingSettings

_START = Group("Starting from another model", sort_key=20)
_WHERE = Group("Devices and memory", sort_key=30)


@dataclass(frozen=True)
class _Settings(TrainingSettings):
    __doc__ = TrainingSettings.__doc__
    training_folds: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (
        TrainingSettings.training_folds
    )


def train(
    *stores: Path,
    output: Output,
    preset: Annotated[
        Literal["small", "medium", "paper"],
        Parameter.combine(
            PRESET, Parameter(help="Named settings, which single settings win over; paper is Enformer's.")
        ),
    ] = "small",
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    start: Annotated[Path | None, Parameter(group=_START, help="Model folder to start from.")] = None,
    freeze_trunk: Annotated[
        bool,
        Parameter(
            group=_START, negative=(), help="Train the heads only; new ones where the tracks are others."
        ),
    ] = False,
    new_heads: Annotated[
        bool,
        Parameter(
            group=_START, negative=(), help="Make new heads for the tracks of the stores, and train all."
        ),
    ] = False,
    adapter_rank: Annotated[
        Count | None,
        Parameter(
            group=_START,
            help="Train the heads and low-rank adapters of the transformer, 4 to 16 for example; new heads where the tracks are others.",
        ),
    ] = None,
    precision: TrainingPrecision = "fp32",
    checkpoint_tower: Annotated[
        bool,
        Parameter(
            group=_WHERE,
            negative=(),
            help="Recompute the convolutions in the backward pass: less memory, more time.",
        ),
    ] = False,
    accumulate: Annotated[
        Count, Parameter(group=_WHERE, help="Batches whose gradients are added before a step.")
    ] = 1,
    devices: Devices = 1,
    nodes: Nodes = 1,
    strategy: Strategy = "auto",
    accelerator: Annotated[
        str, Parameter(group=_WHERE, help="auto (a GPU where there is one), cpu, gpu.")
    ] = "auto",
    maximum_seconds: Annotated[
        Positive | None, Parameter(group=_WHERE, help="Stop after this time; no limit when absent.")
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train a DNA model on training data of one organism, or of two in turn. Run the same command again to go on.

    Writes a model folder that every 'cistron sequence' command reads, with the sequences that it saw (seen.tsv). While it is trained its checkpoint
    and log.csv (Pearson of each track by epoch) lie in OUTPUT.fit.

    Parameters
    ----------
    stores
        Stores of 'cistron sequence data', one an organism.
    preset
        small (hundreds of sequences, a CPU), medium (thousands, one GPU) or paper (the publication's size and recipe).
    """
    from cistron.runtime import limit_threads
    from cistron.sequence.training import Running, train_model

    if not stores:
        raise InputError("no store was given; name one of 'cistron sequence data', or one an organism")
    running = Running(
        precision or "fp32",
        checkpoint_tower,
        accumulate,
        devices or 1,
        nodes or 1,
        strategy or "auto",
        accelerator,
        maximum_seconds,
    )
    with limit_threads(threads):
        report = train_model(
            stores,
            output,
            preset=preset,
            settings=settings,
            start=start,
            freeze_trunk=freeze_trunk,
            new_heads=new_heads,
            adapter_rank=adapter_rank,
            running=running,
            seed=seed,
        )
    best = report.history.iloc[report.best_epoch]
    scores = [
        f"{name.removeprefix('validation_pearson_')} {best[name]:.3f}"
        for name in report.history
        if name.startswith("validation_pearson_") and name.count("_") == 2
    ]
    show(
        f"wrote {output}: {report.epochs} epochs, best {report.best_epoch} (Pearson on the validation fold: {', '.join(scores)})"
    )
