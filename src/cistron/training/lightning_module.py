"""The Lightning side of :func:`cistron.training.fit`; import it only where a fit starts, it takes seconds."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from cistron.runtime.files import atomic_path
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import seed_for
from cistron.training.processes import dealt
from cistron.training.records import Records
from cistron.training.settings import FitSettings

Values = dict[str, torch.Tensor]


class Averages:
    """Weighted means of the numbers that a loss function gives, kept on the device until they are read."""

    def __init__(self) -> None:
        self._sums: Values = {}
        self._weight: Any = 0.0

    def add(self, values: Mapping[str, torch.Tensor], weight: Any) -> None:
        """Add one batch; ``weight`` is the number of things its values are means over."""
        for name, value in values.items():
            scaled = torch.as_tensor(value).detach() * weight
            self._sums[name] = self._sums[name] + scaled if name in self._sums else scaled
        self._weight = self._weight + weight

    def read(self) -> dict[str, float]:
        """Give the means as numbers and start again."""
        means = {name: float(value / self._weight) for name, value in self._sums.items()}
        self._sums, self._weight = {}, 0.0
        return means


class _Batches:
    """Batches of one epoch as Lightning wants them: an iterable that starts anew each time.

    Lightning may begin to iterate twice in an epoch, so a generator that was made once would lose its first batch.
    """

    def __init__(self, make: Callable[[], Iterable[Any]], rank: int, ranks: int) -> None:
        self._make, self._rank, self._ranks = make, rank, ranks

    def __iter__(self) -> Iterator[Any]:
        batches = self._make()
        if self._ranks == 1:
            return iter(batches)
        own = getattr(batches, "for_rank", None)  # batches that are read only by the process that takes them
        return dealt(batches, self._rank, self._ranks) if own is None else iter(own(self._rank, self._ranks))


class FittingModule(pl.LightningModule):
    """Binds a model, its loss function and its batches to Lightning's loop.

    Early stopping, best weights, the record and checkpoints are kept here, so that one object holds the state
    that a resumed run needs. Everything happens once an epoch; a step costs no logging.

    Parameters
    ----------
    model
        Network to fit.
    loss, validation_loss
        Functions of network and batch that give a loss, or several by name with ``loss`` among them.
    batches
        Function of the epoch that gives its batches.
    validation
        Function that gives the batches to validate on; ``None`` stops by the training loss.
    optimiser
        Function of the network that gives its optimiser; that of the settings when ``None``.
    settings
        How to fit.
    seed
        Seed of the run.
    records
        Where the record of each epoch goes.
    checkpoint
        File for the state of the run; none is written when ``None``.
    fingerprint
        Text that a checkpoint must carry to be resumed.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        loss: Callable[[torch.nn.Module, Any], torch.Tensor | Mapping[str, torch.Tensor]],
        batches: Callable[[int], Iterable[Any]],
        validation: Callable[[], Iterable[Any]] | None,
        validation_loss: Callable[[torch.nn.Module, Any], torch.Tensor | Mapping[str, torch.Tensor]],
        optimiser: Callable[[torch.nn.Module], torch.optim.Optimizer] | None,
        settings: FitSettings,
        seed: int,
        records: Records,
        checkpoint: Path | None,
        fingerprint: str,
    ) -> None:
        super().__init__()
        self.model = model
        self._loss, self._validation_loss = loss, validation_loss
        self._batches, self._validation = batches, validation
        self._optimiser = optimiser
        self._settings, self._seed = settings, seed
        self.records, self._checkpoint, self._fingerprint = records, checkpoint, fingerprint
        self._training, self._validating = Averages(), Averages()
        self._validated: dict[str, float] = {}
        self.best_loss, self.best_epoch, self._since_best = math.inf, -1, 0
        self.best_state: Values | None = None
        self.finished = self.stopped_early = False
        self.epochs_done = 0
        self.seconds_before = 0.0
        self.diverged: str | None = None
        self.progress: Progress | None = None
        self._last_checkpoint = self._started = time.monotonic()
        self._note: str | None = None

    def seconds(self) -> float:
        """Time spent fitting, earlier runs of a resumed fit included."""
        return self.seconds_before + time.monotonic() - self._started

    def train_dataloader(self) -> Any:
        epoch = self.current_epoch
        return _Batches(lambda: self._batches(epoch), self.global_rank, self.trainer.world_size)

    def val_dataloader(self) -> Any:
        return [] if self._validation is None else _Batches(self._validation, 0, 1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self._optimiser is not None:
            optimiser = self._optimiser(self.model)
        else:
            kind = torch.optim.AdamW if self._settings.weight_decay else torch.optim.Adam
            optimiser = kind(
                [parameter for parameter in self.model.parameters() if parameter.requires_grad],
                lr=self._settings.learning_rate,
                weight_decay=self._settings.weight_decay,
            )
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
        return optimiser

    def on_train_epoch_start(self) -> None:
        # A resumed epoch draws what the uninterrupted one would have drawn.
        torch.manual_seed(seed_for(self._seed, "epoch", self.current_epoch, self.global_rank))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        settings = self._settings
        if not settings.warmup_steps and settings.schedule == "constant":
            return
        factor = min(1.0, (self.global_step + 1) / max(settings.warmup_steps, 1))
        if settings.schedule == "cosine":
            factor *= 0.5 * (1 + math.cos(math.pi * self.current_epoch / settings.epochs))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["initial_lr"] * factor

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        values, weight = _split(self._loss(self.model, batch))
        self._training.add(values, weight)
        if self.progress is not None and self.progress.unit == "steps":
            self.progress.advance(note=self._note)
        return values["loss"]

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        values, weight = _split(self._validation_loss(self.model, batch))
        self._validating.add(values, weight)

    def on_validation_epoch_end(self) -> None:
        self._validated = self._validating.read()

    def on_train_epoch_end(self) -> None:
        limit = self._settings.maximum_seconds
        own = {
            "checkpoint": time.monotonic() - self._last_checkpoint >= self._settings.checkpoint_seconds,
            "stop": limit is not None and self.seconds() > limit,
        }
        trained, decided = self._of_all_processes(self._training.read(), own)
        validated, self._validated = self._validated, {}
        self.epochs_done = self.current_epoch + 1
        row = {
            "epoch": float(self.current_epoch),
            "steps": float(self.global_step),
            "seconds": self.seconds(),
        }
        row |= {f"train_{name}": value for name, value in trained.items()}
        row |= {f"validation_{name}": value for name, value in validated.items()}
        self.records.add(row)
        broken = [name for name, value in row.items() if not math.isfinite(value)]
        if broken:
            self.diverged = broken[0]
            self.trainer.should_stop = True
            return
        monitored = validated.get("loss", trained.get("loss")) if validated or not self._validation else None
        if monitored is not None:
            self._judge(monitored)
        if self.epochs_done == self._settings.epochs:
            self.finished = True
        if decided["stop"]:
            self.finished = self.trainer.should_stop = True
        self._tell(trained, validated)
        if self._checkpoint is not None and (decided["checkpoint"] or self.finished):
            self.write_checkpoint()

    def _of_all_processes(
        self, means: dict[str, float], own: dict[str, bool]
    ) -> tuple[dict[str, float], dict[str, bool]]:
        """Means over the processes, each of which saw its own batches, and what any of them wants by its own clock.

        All must judge by the same numbers: one that stops or writes a checkpoint alone leaves the others waiting.
        """
        if self.trainer.world_size == 1:
            return means, own
        values = torch.tensor([*means.values(), *own.values()], dtype=torch.float64, device=self.device)
        found = self.trainer.strategy.reduce(values, reduce_op="mean").tolist()
        return dict(zip(means, found)), {name: wish > 0 for name, wish in zip(own, found[len(means) :])}

    def _judge(self, monitored: float) -> None:
        margin = self._settings.minimum_improvement * abs(self.best_loss) if self.best_epoch >= 0 else 0.0
        if monitored < self.best_loss - margin:
            self.best_loss, self.best_epoch, self._since_best = monitored, self.current_epoch, 0
            self.best_state = {
                name: value.detach().to("cpu", copy=True) for name, value in self.model.state_dict().items()
            }
            return
        self._since_best += 1
        if self._settings.patience is not None and self._since_best >= self._settings.patience:
            self.stopped_early = self.finished = True
            self.trainer.should_stop = True

    def _tell(self, trained: Mapping[str, float], validated: Mapping[str, float]) -> None:
        self._note = f"loss {trained['loss']:.4g}" if "loss" in trained else None
        if "loss" in validated:
            self._note = f"{self._note}, validation {validated['loss']:.4g}"
        if self.progress is not None and self.progress.unit == "epochs":
            self.progress.advance(note=self._note)

    def write_checkpoint(self) -> None:
        """Write the whole state beside the record, atomically."""
        if self._checkpoint is None:
            return
        # Strategies that divide the weights write a part from every process, to one name; others write from the first.
        divided = self.trainer.world_size > 1 and not isinstance(
            self.trainer.strategy, pl.strategies.DDPStrategy
        )
        if divided or self.global_rank > 0:
            self.trainer.save_checkpoint(self._checkpoint)
        else:
            with atomic_path(self._checkpoint) as partial:
                self.trainer.save_checkpoint(partial)
        if self.global_rank == 0:
            self.records.write()
        self._last_checkpoint = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["cistron"] = {
            "fingerprint": self._fingerprint,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
            "since_best": self._since_best,
            "stopped_early": self.stopped_early,
            "finished": self.finished,
            "epochs_done": self.epochs_done,
            "seconds": self.seconds(),
        }

    def take_up(self, state: Mapping[str, Any]) -> None:
        """Take up the state of an earlier run, as :meth:`on_save_checkpoint` wrote it."""
        self.best_loss, self.best_epoch = state["best_loss"], state["best_epoch"]
        self.best_state, self._since_best = copy.copy(state["best_state"]), state["since_best"]
        self.stopped_early, self.finished = state["stopped_early"], state["finished"]
        self.epochs_done, self.seconds_before = state["epochs_done"], state["seconds"]


def _split(given: torch.Tensor | Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    if isinstance(given, torch.Tensor):
        return {"loss": given}, 1.0
    values = dict(given)
    return values, values.pop("count", 1.0)
