"""Train a DNA model on stores of one organism or two: from scratch, or from another model with its heads or new ones."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from cistron.errors import InputError
from cistron.runtime import say, seed_for, sha256_of
from cistron.runtime.files import check_writable, destination_of
from cistron.sequence.adapters import add_adapters, merge_adapters
from cistron.sequence.enformer import Enformer
from cistron.sequence.inputs_tracks import TRACK_COLUMNS, load_track_table
from cistron.sequence.saving import load_weights, save_weights
from cistron.sequence.settings import EnformerSettings
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training_batches import (
    Crop,
    OrganismData,
    TrainingEpoch,
    fit_crop,
    one_hot_codes,
    track_means,
)
from cistron.sequence.training_folds import SEEN, FoldsOfTraining, choose_folds, seen_table, training_rows
from cistron.sequence.training_losses import TrackLoss
from cistron.sequence.training_store import TrainingStore, open_training_store
from cistron.statistics.streaming_correlation import CorrelationSums
from cistron.training import FitReport, FitSettings, fit

_LOGGED_TRACKS = 100  # of the validation, one column each


@dataclass(frozen=True)
class Running:
    """Where and how exactly a training runs; the weights do not depend on it but for rounding.

    Attributes
    ----------
    precision
        ``fp32`` or ``mixed`` (bfloat16 products).
    checkpoint_tower
        Recompute the tower in the backward pass: less memory, more time.
    accumulate
        Batches whose gradients are added before a step.
    devices, nodes, strategy, accelerator
        Of Lightning.
    maximum_seconds
        Stop after this time.
    loggers
        Besides the CSV: ``tensorboard``, ``wandb``.
    """

    precision: str = "fp32"
    checkpoint_tower: bool = False
    accumulate: int = 1
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    accelerator: str = "auto"
    maximum_seconds: float | None = None
    loggers: tuple[str, ...] = ()


def model_settings(
    settings: TrainingSettings, crop: Crop, tracks: Mapping[str, int], checkpoint_tower: bool
) -> EnformerSettings:
    """Shape of a new model.

    Parameters
    ----------
    settings
        Resolved settings.
    crop
        Input and output.
    tracks
        Tracks of each organism.
    checkpoint_tower
        As of :class:`Running`.
    """
    assert settings.channels is not None
    assert settings.depth is not None
    assert settings.heads is not None
    assert settings.key_size is not None
    assert settings.dropout is not None
    return EnformerSettings(
        channels=settings.channels,
        depth=settings.depth,
        heads=settings.heads,
        key_size=settings.key_size,
        length=crop.length,
        crop=crop.crop,
        tracks=dict(tracks),
        dropout=settings.dropout,
        # in the proportions of the publication: .4, .05, .01, .05
        attention_dropout=settings.dropout / 8,
        positional_dropout=settings.dropout / 40,
        tail_dropout=settings.dropout / 8,
        checkpoint_tower=checkpoint_tower,
        trunk=settings.trunk,
        pooling=settings.pooling,
        receptive_field=settings.receptive_field,
    )


def begin_heads(model: Enformer, means: Mapping[str, np.ndarray], seed: int) -> None:
    """Let the heads of some organisms predict the mean of each track before the first step.

    Without it the first hundreds of steps are spent on the level of each track, and with rare counts nothing else is learned.

    Parameters
    ----------
    model
        Model; heads that it lacks are added.
    means
        Organism to the mean of each track.
    seed
        Seed of the weights.
    """
    generator = torch.Generator().manual_seed(seed_for(seed, "heads"))
    width = 2 * model.settings.channels
    for organism, mean in means.items():
        head = nn.Linear(width, len(mean))
        level = torch.as_tensor(np.maximum(mean, 1e-3), dtype=torch.float32)
        with torch.no_grad():
            head.weight.normal_(0, 0.1 * width**-0.5, generator=generator)
            # the inverse of softplus
            head.bias.copy_(level + torch.log(-torch.expm1(-level)))
        model.heads[organism] = head


class Validation:
    """Pearson of each track on the validation fold; training keeps the weights with the highest mean.

    Parameters
    ----------
    data
        Organism to its sequences.
    loss
        Loss that is recorded beside it.
    batch_size
        Sequences at a time.
    """

    def __init__(self, data: Mapping[str, OrganismData], loss: TrackLoss, batch_size: int) -> None:
        self._data, self._loss, self._batch_size = data, loss, batch_size

    def __call__(self, model: nn.Module, batch: Any) -> dict[str, Any]:
        """Numbers of one validation; ``loss`` is 1 - mean Pearson, the mean of the organisms."""
        assert isinstance(model, Enformer)
        found: dict[str, Any] = {}
        scores = []
        for organism, data in self._data.items():
            names = data.store.tracks.tracks["name"]
            sums, losses = CorrelationSums(len(data.rows), len(names)), []
            for rows, observed, predicted in predict_rows(model, data, organism, data.rows, self._batch_size):
                place = np.searchsorted(data.rows, rows)
                sums.add(place, observed.transpose(0, 2, 1), predicted.transpose(0, 2, 1))
                tensors = torch.from_numpy(predicted), torch.from_numpy(observed)
                losses.append(float(self._loss.of(organism, *tensors)) * len(rows))
            pearson = np.nan_to_num(sums.pearson())
            scores.append(float(pearson.mean()))
            found[f"pearson_{organism}"] = scores[-1]
            found[f"loss_{organism}"] = sum(losses) / len(data.rows)
            if len(names) <= _LOGGED_TRACKS:
                found |= {f"pearson_{organism}_{name}": float(value) for name, value in zip(names, pearson)}
        return {"loss": torch.tensor(1 - float(np.mean(scores)))} | {
            name: torch.tensor(value) for name, value in found.items()
        }


@torch.no_grad()
def predict_rows(
    model: Enformer,
    data: OrganismData,
    organism: str,
    rows: np.ndarray,
    batch_size: int,
    change: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Predict sequences of a store in evaluation mode; the model comes back in the mode it had.

    Parameters
    ----------
    model
        Model.
    data
        Sequences.
    organism
        Head.
    rows
        Rows of the store.
    batch_size
        Sequences at a time.
    change
        ``change(codes, rows)`` gives other DNA in place of the stored one (shuffled, as a control).

    Yields
    ------
    rows, observed, predicted : ndarray
        int [batch]; float32 [batch, bin, track].
    """
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    try:
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            codes, observed = data.read(part)
            if change is not None:
                codes = change(codes, part)
            predicted = model(one_hot_codes(torch.from_numpy(codes).to(device)), [organism])[organism]
            yield part, observed, predicted.float().cpu().numpy()
    finally:
        model.train(was_training)


def train_model(
    stores: Sequence[str | Path],
    output: str | Path,
    *,
    preset: str | None = None,
    settings: TrainingSettings | None = None,
    start: str | Path | None = None,
    freeze_trunk: bool = False,
    new_heads: bool = False,
    adapter_rank: int | None = None,
    running: Running | None = None,
    seed: int = 0,
) -> FitReport:
    """Train a model and write its folder. A run that was killed is taken up from the last epoch.

    Parameters
    ----------
    stores
        Stores of ``cistron sequence data``, one an organism.
    output
        Folder of the model. While it is trained its checkpoint lies in ``OUTPUT.fit``.
    preset
        ``small``, ``medium`` or ``paper``; small when absent.
    settings
        What differs from the preset.
    start
        Model to start from.
    freeze_trunk
        Train the heads only.
    new_heads
        Make new heads for the stores' organisms, whatever heads the model has.
    adapter_rank
        Train the heads and low-rank adapters of the transformer (:mod:`cistron.sequence.adapters`), which are added to its matrices
        at the end.
    running
        Devices, precision, memory.
    seed
        Seed.

    Returns
    -------
    FitReport
        What the fit did.

    Raises
    ------
    InputError
        If stores, folds, model and settings do not fit each other.
    """
    running = running or Running()
    settings = (settings or TrainingSettings()).resolved(preset or "small")
    opened = [open_training_store(path) for path in stores]
    organisms = [store.organism for store in opened]
    if len(set(organisms)) < len(organisms):
        raise InputError(
            f"two stores are of one organism ({organisms[0]}); give one an organism (--organism of 'cistron sequence data')"
        )
    ways = {"--freeze-trunk": freeze_trunk, "--new-heads": new_heads, "--adapter-rank": bool(adapter_rank)}
    given = [name for name, wanted in ways.items() if wanted]
    if given and start is None:
        raise InputError(f"{given[0]} needs a model to start from; give --start")
    if freeze_trunk and adapter_rank:
        raise InputError("--freeze-trunk and --adapter-rank exclude each other: adapters change the trunk")
    folds = choose_folds(opened, settings)
    beginning = None if start is None else load_weights(start)
    length = settings.length or (
        None if beginning is None else min(beginning.settings.length, min(s.input_length for s in opened))
    )
    crops = [fit_crop(store, length) for store in opened]
    crop = crops[0]
    if any((one.length, one.crop) != (crop.length, crop.crop) for one in crops):
        raise InputError("stores differ in the length of DNA or targets; give --length, or build them alike")
    data = {
        store.organism: OrganismData(store, training_rows(store, folds.training), one)
        for store, one in zip(opened, crops)
    }
    held_out = {
        store.organism: OrganismData(store, np.sort(store.rows(folds.validation)), one)
        for store, one in zip(opened, crops)
    }
    means = {organism: track_means(found) for organism, found in data.items()}
    model = _make_model(beginning, settings, crop, means, running, seed)
    _place_heads(model, beginning, start, opened, means, bool(freeze_trunk or adapter_rank), new_heads, seed)
    if freeze_trunk:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith("heads."))
    if adapter_rank:
        added = add_adapters(model, adapter_rank, seed)
        say(
            f"adapters of rank {adapter_rank}: {added:,} weights beside {sum(map(torch.numel, model.parameters())) - added:,}"
        )
    assert settings.epochs is not None
    assert settings.batch_size is not None
    loss = TrackLoss(settings, means, freeze_trunk, still=bool(adapter_rank))
    output = destination_of(check_writable(output))
    identity = {
        "model": asdict(replace(model.settings, checkpoint_tower=False)),
        "data": [json.loads(store.tracks.header["parameters"]).get("tag", "") for store in opened],
        "stores": [sha256_of(store.path / "zarr.json") for store in opened],
        "settings": {k: v for k, v in asdict(settings).items() if k not in ("epochs", "patience")},
        "start": "" if start is None else sha256_of(Path(start) / "model.safetensors"),
        "frozen": freeze_trunk,
        "new heads": new_heads,
        **({"adapters": adapter_rank} if adapter_rank else {}),
    }
    report = fit(
        model,
        loss,
        lambda epoch: TrainingEpoch(
            data, settings.batch_size or 1, settings.shift, settings.reverse_complement, seed, epoch
        ),
        validation=[torch.zeros(1)],
        validation_loss=Validation(held_out, loss, settings.batch_size),
        settings=_fit_settings(settings, running),
        directory=output.with_name(f"{output.name}.fit"),
        identity=identity,
        seed=seed,
        description="training",
    )
    merge_adapters(model)
    _save(model.requires_grad_(True), output, opened, folds, settings, report, start, seed)
    return report


def _fit_settings(settings: TrainingSettings, running: Running) -> FitSettings:
    assert settings.epochs is not None
    assert settings.learning_rate is not None
    assert settings.warmup_steps is not None
    assert settings.schedule is not None
    return FitSettings(
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
        schedule=settings.schedule,
        patience=settings.patience or None,
        gradient_clip=settings.gradient_clip or None,
        accumulate=running.accumulate,
        accelerator=running.accelerator,
        devices=running.devices,
        nodes=running.nodes,
        strategy=running.strategy,
        precision="bf16-mixed" if running.precision == "mixed" else "32-true",
        maximum_seconds=running.maximum_seconds,
        loggers=running.loggers,
    )


def _make_model(
    beginning: Enformer | None,
    settings: TrainingSettings,
    crop: Crop,
    means: Mapping[str, np.ndarray],
    running: Running,
    seed: int,
) -> Enformer:
    if beginning is None:
        shape = model_settings(
            settings, crop, {name: len(mean) for name, mean in means.items()}, running.checkpoint_tower
        )
        model = Enformer(shape)
        model.initialise(torch.Generator().manual_seed(seed_for(seed, "weights")))
        return model
    shape = replace(
        beginning.settings, length=crop.length, crop=crop.crop, checkpoint_tower=running.checkpoint_tower
    )
    model = Enformer(shape)
    model.load_state_dict(beginning.state_dict())
    return model


def _place_heads(
    model: Enformer,
    beginning: Enformer | None,
    start: str | Path | None,
    stores: Sequence[TrainingStore],
    means: Mapping[str, np.ndarray],
    other_heads: bool,
    new_heads: bool,
    seed: int,
) -> None:
    """Give the model a head for the tracks of each store, and no other heads where they are new."""
    if beginning is None or start is None:
        begin_heads(model, means, seed)
        return
    table = load_track_table(start, beginning.settings.tracks)
    fitting = {
        store.organism: list(table[table["organism"] == store.organism]["identifier"].astype(str))
        == list(store.tracks.tracks["identifier"].astype(str))
        for store in stores
    }
    if not all(fitting.values()) and not (other_heads or new_heads):
        other = next(organism for organism, same in fitting.items() if not same)
        raise InputError(
            f"the {other} tracks of {Path(start).name} are not those of the store; make new heads with --new-heads, keep the "
            "trunk as it is, too, with --freeze-trunk, or adapt it by thin matrices with --adapter-rank"
        )
    if new_heads or not all(fitting.values()):
        model.heads = nn.ModuleDict()
        begin_heads(model, means, seed)
    tracks = {name: int(head.bias.shape[0]) for name, head in model.heads.items()}  # type: ignore[index]
    model.settings = replace(model.settings, tracks=tracks)


def track_table_of(stores: Sequence[TrainingStore]) -> pd.DataFrame:
    """Track table of a model that is trained on stores."""
    parts = [
        store.tracks.tracks.assign(index=range(len(store.tracks.tracks)))[list(TRACK_COLUMNS)]
        for store in stores
    ]
    return pd.concat(parts, ignore_index=True)


def _save(
    model: Enformer,
    output: Path,
    stores: Sequence[TrainingStore],
    folds: FoldsOfTraining,
    settings: TrainingSettings,
    report: FitReport,
    start: str | Path | None,
    seed: int,
) -> None:
    table = track_table_of(stores)
    known = set(table["organism"])
    if set(model.settings.tracks) != known and start is not None:
        before = load_track_table(start, load_weights(start).settings.tracks)
        table = pd.concat([before[~before["organism"].isin(known)], table], ignore_index=True)
    last = report.history.iloc[report.best_epoch] if len(report.history) > report.best_epoch else None
    origin = {
        "weights": "trained by cistron" if start is None else "trained by cistron from another model",
        "training_folds": list(folds.training),
        "validation_fold": folds.validation,
        "test_fold": folds.test,
        "sequences": {store.organism: len(training_rows(store, folds.training)) for store in stores},
        "epochs": report.epochs,
        "best_epoch": report.best_epoch,
        "validation_pearson": {
            store.organism: round(float(last[f"validation_pearson_{store.organism}"]), 6) for store in stores
        }
        if last is not None
        else {},
        "seed": seed,
        "training": {name: value for name, value in asdict(settings).items() if value is not None},
    }
    save_weights(model.eval(), output, tracks=table, origin=origin, files={SEEN: seen_table(stores, folds)})
