"""Fit the weights of any ``torch.nn.Module``: progress, early stopping, checkpoints, resume, a record."""

import contextlib
import dataclasses
import logging
import math
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cistron.errors import CistronError, InputError
from cistron.runtime.bfloat16 import precision_in_force
from cistron.runtime.processes import process_rank
from cistron.runtime.progress import Progress, say
from cistron.runtime.shards import fingerprint as hash_of
from cistron.training.processes import lost_process_message, watched_processes
from cistron.training.records import Records
from cistron.training.settings import FitSettings

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from cistron.genes.splits import Split
    from cistron.training.lightning_module import FittingModule

CHECKPOINT = "last.ckpt"
# What may differ between a run and the one that takes it up: it changes how long and where, not what.
_FREE = (
    "epochs",
    "patience",
    "accelerator",
    "devices",
    "nodes",
    "strategy",
    "checkpoint_seconds",
    "maximum_seconds",
    "loggers",
)


class TrainingDivergedError(CistronError):
    """A loss became NaN or infinite."""


@dataclass(frozen=True)
class FitReport:
    """What a fit did.

    Attributes
    ----------
    epochs
        Epochs done, those of an earlier run included.
    best_epoch
        Epoch (from 0) whose weights the model now has.
    best_loss
        Monitored loss there: of the validation, where there is one, else of the training.
    stopped_early
        Whether patience ran out.
    resumed_at
        First epoch of this run when it took up an earlier one, else ``None``.
    seconds
        Time spent, earlier runs included.
    device
        Type of the device, for example ``cpu`` or ``cuda``.
    history
        One row an epoch: ``epoch``, ``steps``, ``seconds``, ``train_*``, ``validation_*``.
    """

    epochs: int
    best_epoch: int
    best_loss: float
    stopped_early: bool
    resumed_at: int | None
    seconds: float
    device: str
    history: "pd.DataFrame"

    def as_dictionary(self) -> dict[str, Any]:
        """Give everything but the history, for ``run.json`` and model cards."""
        fields = (field.name for field in dataclasses.fields(self) if field.name != "history")
        return {name: getattr(self, name) for name in fields}


def fit(
    model: "torch.nn.Module",
    loss: Callable[["torch.nn.Module", Any], "torch.Tensor | Mapping[str, torch.Tensor]"],
    batches: Iterable[Any] | Callable[[int], Iterable[Any]],
    *,
    validation: Iterable[Any] | None = None,
    validation_loss: Callable[["torch.nn.Module", Any], "torch.Tensor | Mapping[str, torch.Tensor]"]
    | None = None,
    settings: FitSettings | None = None,
    optimiser: Callable[["torch.nn.Module"], "torch.optim.Optimizer"] | None = None,
    directory: str | Path | None = None,
    identity: Mapping[str, Any] | None = None,
    split: "Split | None" = None,
    trained_on: Iterable[str] = (),
    seed: int = 0,
    description: str = "fitting",
) -> FitReport:
    """Fit ``model`` in place and leave it with its best weights.

    Parameters
    ----------
    model
        Any module. It comes back on the CPU, in the training or evaluation mode it had.
    loss
        ``loss(model, batch)`` gives the scalar to minimise, or a mapping with ``loss`` and further scalars to
        record; an entry ``count`` is the weight of the batch in the means of the epoch.
    batches
        Batches to fit on (tensors, or tuples, lists, mappings, data classes of tensors; they are moved to the
        device): an iterable that can be gone through again, or a function of the epoch that gives one. The
        function makes a resumed run equal to an uninterrupted one when the order is shuffled.
    validation
        Batches of held-out data, gone through without gradients; their mean loss is what early stopping
        monitors. Without them the training loss is monitored.
    validation_loss
        Loss for these; ``loss`` when absent.
    settings
        How to fit.
    optimiser
        Makes the optimiser from the model; Adam when absent.
    directory
        Folder of ``log.csv`` and of the checkpoint. A run that was killed is taken up from it; one that had
        finished is returned at once. ``None`` keeps nothing on disk.
    identity
        Whatever else makes this fit what it is (settings of the model, SHA-256 of the data). A checkpoint of
        another identity, seed or learning setting is refused.
    split, trained_on
        With a split, all names of ``trained_on`` must belong to its training part.
    seed
        Seed of everything random inside the fit; the caller seeds the model's initial weights.
    description
        What the progress says.

    Returns
    -------
    FitReport
        What was done, with the history.

    Raises
    ------
    LeakageError
        If ``trained_on`` has a name outside the split's training part.
    InputError
        If the directory holds a checkpoint of another model or other settings, or there are no batches.
    TrainingDivergedError
        If a loss is not finite.
    LostProcessError
        If another process of a fit on several devices has ended.
    MissingDependencyError
        If a logger is asked for that is not installed.

    Examples
    --------
    >>> import torch
    >>> from cistron.training import FitSettings, fit
    >>> model, x = torch.nn.Linear(3, 1), torch.randn(64, 3)
    >>> batch = (x, x.sum(dim=1, keepdim=True))
    >>> report = fit(model, lambda m, b: ((m(b[0]) - b[1]) ** 2).mean(), [batch],
    ...              settings=FitSettings(epochs=200, learning_rate=0.05, patience=None))
    >>> report.best_loss < 0.01
    True
    """
    if split is not None:
        split.require_training(trained_on, description)
    settings = settings or FitSettings()
    directory = None if directory is None else Path(directory)
    fixed = {name: value for name, value in dataclasses.asdict(settings).items() if name not in _FREE}
    fixed["precision"] = settings.lightning_precision
    mark = hash_of({"settings": fixed, "identity": dict(identity or {}), "seed": seed})
    # A checkpoint that does not fit is refused before Lightning loads and before any work.
    state = _earlier_state(model, directory, mark)
    _require_batches(batches, description)

    from cistron.training.lightning_module import FittingModule

    follower = (
        settings.devices * settings.nodes > 1 and process_rank() > 0
    )  # the first process keeps the record
    records = Records(
        None if follower else directory,
        () if follower else settings.loggers,
        name=description.replace(" ", "_"),
    )
    module = FittingModule(
        model,
        loss,
        batches if callable(batches) else lambda epoch: batches,
        None if validation is None else lambda: validation,
        validation_loss or loss,
        optimiser,
        settings,
        seed,
        records,
        None if directory is None else directory / CHECKPOINT,
        mark,
    )
    resumed_at = None
    if state is not None:
        module.take_up(state)
        # More epochs or more patience than before take a finished run up again.
        module.finished = module.epochs_done >= settings.epochs or (
            module.stopped_early and state["since_best"] >= (settings.patience or math.inf)
        )
        resumed_at = module.epochs_done
        records.keep_before(resumed_at)
        say(f"{description}: taken up at epoch {resumed_at:,} from {directory}")
    was_training = model.training
    device = "cpu"
    if not module.finished:
        lost = lost_process_message(description, settings.devices * settings.nodes, directory)
        device = _run(module, batches, settings, description, directory if state is not None else None, lost)
    processes = settings.devices * settings.nodes
    if processes > 1 and module.best_epoch < 0 and not module.diverged:
        records.close()
        raise InputError(
            f"{description}: an epoch has fewer batches than the {processes} processes that were asked for; use fewer --devices, or a "
            "smaller batch size"
        )
    if module.diverged:
        records.close()
        raise TrainingDivergedError(
            f"{description}: {module.diverged} is not finite in epoch {module.epochs_done:,}; "
            "lower the learning rate, clip the gradient, or check the data for infinite values"
        )
    if module.best_state is not None:
        model.load_state_dict(module.best_state)
    model.to("cpu").train(was_training)
    records.close()
    return _report(module, resumed_at, device)


def _report(module: "FittingModule", resumed_at: int | None, device: str) -> FitReport:
    import pandas as pd

    return FitReport(
        module.epochs_done,
        module.best_epoch,
        float(module.best_loss),
        module.stopped_early,
        resumed_at,
        round(module.seconds(), 3),
        device,
        pd.DataFrame(module.records.rows),
    )


def _require_batches(batches: Any, description: str) -> None:
    if isinstance(batches, Sized) and len(batches) == 0:
        raise InputError(f"{description}: there are no batches to fit on")


def _earlier_state(model: "torch.nn.Module", directory: Path | None, mark: str) -> dict[str, Any] | None:
    """Read what an earlier run left, or ``None``; refuse what belongs to something else."""
    path = None if directory is None else directory / CHECKPOINT
    if path is None or not path.exists():
        return None
    import torch

    from cistron.training.models import compare_weights

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        state, weights = checkpoint["cistron"], checkpoint["state_dict"]
    except Exception as error:  # torch raises whatever the archive's damage leads to
        raise InputError(
            f"checkpoint {path} cannot be read ({type(error).__name__}); delete it to start again"
        ) from error
    weights = {name.removeprefix("model."): value for name, value in weights.items()}
    compare_weights(model, weights, f"checkpoint {path}", "delete it to start again")
    if state["fingerprint"] != mark:
        raise InputError(
            f"checkpoint {path} is of a fit with other settings, data or seed; delete it or give another folder"
        )
    return state


def _run(
    module: "FittingModule",
    batches: Any,
    settings: FitSettings,
    description: str,
    directory: Path | None,
    lost: Callable[[str], str],
) -> str:
    import torch

    checkpoint = None if directory is None else directory / CHECKPOINT
    # batches are dealt to the processes in turn
    per_epoch = len(batches) // (settings.devices * settings.nodes) if isinstance(batches, Sized) else 0
    unit, share = ("steps", per_epoch) if per_epoch else ("epochs", 1)
    left = settings.epochs - module.epochs_done
    with _quiet_lightning(), torch.random.fork_rng(), Progress(description, left * share, unit) as progress:
        import lightning.pytorch as pl

        on_cpu = settings.accelerator == "cpu"
        processor = on_cpu or (settings.accelerator == "auto" and not torch.cuda.is_available())
        precision = settings.lightning_precision
        if processor:
            precision = precision_in_force(precision, "32-true")
        trainer = pl.Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy=settings.strategy,
            precision=precision,  # type: ignore[arg-type]
            max_epochs=settings.epochs,
            min_epochs=1,
            check_val_every_n_epoch=settings.validate_every,
            gradient_clip_val=settings.gradient_clip,
            accumulate_grad_batches=settings.accumulate,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            inference_mode=False,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        module.progress = progress if trainer.is_global_zero else None
        device = "cpu" if on_cpu else trainer.strategy.root_device.type
        module.model.train()
        interrupt = (
            signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
        )
        try:
            with watched_processes(settings.devices * settings.nodes, lost):
                trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
        except SystemExit:
            # Lightning turns an interrupt into an exit; the command line reports interrupts itself.
            raise KeyboardInterrupt from None
        finally:
            if interrupt is not None:
                signal.signal(signal.SIGINT, interrupt)
            module.progress = None
            if trainer.interrupted:
                module.records.write()
    return device


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's remarks (devices found, tips, few data workers) off the user's screen."""
    names = ("lightning.pytorch", "lightning.fabric", "lightning")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            warnings.filterwarnings("ignore", message=r".*(num_workers|does not have many workers).*")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
