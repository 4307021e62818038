"""What ``cistron sequence evaluate`` needs of this wing: predictions of a fold, DNA for baselines, and whether the model has seen it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genome.intervals import overlapping_rows
from cistron.runtime.shards import run_each
from cistron.sequence.enformer import Enformer
from cistron.sequence.inputs_tracks import load_track_table
from cistron.sequence.saving import load_weights, read_description
from cistron.sequence.training import predict_rows
from cistron.sequence.training_batches import OrganismData, fit_crop
from cistron.sequence.training_folds import SEEN
from cistron.sequence.training_store import TrainingStore, open_training_store

Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Evaluated:
    """A model beside the sequences of a fold.

    Attributes
    ----------
    model
        Model.
    store
        Store.
    organism
        Head.
    fold
        Fold.
    rows
        Its rows in the store.
    data
        DNA and targets as the model reads them.
    seen
        How many of the sequences overlap what the model was fitted on.
    chosen
        How many overlap what stopped its training.
    training_folds, validation_fold
        Folds that baselines are fitted and chosen on: those of the model where the store has them, else all others.
    """

    model: Enformer
    store: TrainingStore
    organism: str
    fold: str
    rows: np.ndarray
    data: OrganismData
    seen: int
    chosen: int
    training_folds: tuple[str, ...]
    validation_fold: str

    def blocks(
        self, batch_size: int, change: Change | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Predict the fold.

        Parameters
        ----------
        batch_size
            Sequences at a time.
        change
            As of :func:`cistron.sequence.training.predict_rows`.

        Yields
        ------
        places, observed, predicted : ndarray
            int [batch], counted from 0 within the fold; float32 [batch, bin, track].
        """
        number = {int(row): place for place, row in enumerate(self.rows)}
        items = [
            {"rows": self.rows[start : start + batch_size]} for start in range(0, len(self.rows), batch_size)
        ]
        shared = {"model": self.model, "data": self.data, "organism": self.organism, "change": change}
        for rows, observed, predicted in run_each(_of_batch, items, shared):
            yield np.array([number[int(row)] for row in rows]), observed, predicted

    def sequences(
        self, folds: tuple[str, ...], batch_size: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Read the sequences of folds.

        Parameters
        ----------
        folds
            Folds.
        batch_size
            Sequences at a time.

        Yields
        ------
        rows, codes, targets : ndarray
            int [batch], uint8 [batch, base pair], float32 [batch, bin, track].
        """
        rows = np.sort(np.concatenate([self.store.rows(name) for name in folds]))
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            yield part, *self.data.read(part)


def _of_batch(
    model: Enformer, data: OrganismData, organism: str, rows: np.ndarray, change: Change | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, measured and predicted tracks of one batch."""
    (batch,) = predict_rows(model, data, organism, rows, len(rows), change)
    return batch


def open_evaluated(
    model: str | Path, store: str | Path, fold: str, *, allow_leak: bool, device: str
) -> Evaluated:
    """Open model and store, and refuse a fold that the model was fitted on.

    Parameters
    ----------
    model
        Model folder.
    store
        Store of ``cistron sequence data``.
    fold
        Fold.
    allow_leak
        Go on all the same.
    device
        ``auto``, ``cpu``, ``cuda``.

    Raises
    ------
    InputError
        If tracks or sizes do not fit, or the model has seen the fold.
    """
    from cistron.sequence.settings import InferenceSettings

    opened = open_training_store(store)
    rows = np.sort(opened.rows(fold))
    target = str(InferenceSettings(device=device).torch_device())
    loaded = load_weights(model, device=target)
    organism = opened.organism
    if organism not in loaded.settings.tracks:
        raise InputError(
            f"model {Path(model).name} has no head for {organism}; it has {', '.join(loaded.settings.tracks)}"
        )
    _require_same_tracks(Path(model), loaded, opened)
    crop = fit_crop(opened, min(loaded.settings.length, opened.input_length))
    if crop.crop != loaded.settings.crop:
        loaded.settings = _with_crop(loaded, crop.length, crop.crop)
    places = opened.tracks.sequences.iloc[rows].reset_index(drop=True)
    seen, chosen = _overlaps(Path(model), organism, places)
    if seen and not allow_leak:
        raise InputError(
            f"{seen:,} of the {len(rows):,} sequences of fold {fold} overlap sequences that {Path(model).name} was trained on: a leak; evaluate "
            "another fold, or say --allow-leak to have it in the report"
        )
    origin = read_description(model).get("origin", {})
    others = [name for name in opened.folds if name != fold]
    validation = origin.get("validation_fold")
    if validation not in others:
        validation = others[-1] if others else fold
    training = tuple(
        name for name in origin.get("training_folds", ()) if name in others and name != validation
    ) or tuple(name for name in others if name != validation)
    if not training:
        raise InputError(
            f"{opened.path.name} has no fold beside {fold} to fit the baselines on; it has {', '.join(opened.folds)}"
        )
    return Evaluated(
        loaded,
        opened,
        organism,
        fold,
        rows,
        OrganismData(opened, rows, crop),
        seen,
        chosen,
        training,
        str(validation),
    )


def _with_crop(model: Enformer, length: int, crop: int):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(model.settings, length=length, crop=crop)


def _require_same_tracks(path: Path, model: Enformer, store: TrainingStore) -> None:
    organism = store.organism
    table = load_track_table(path, model.settings.tracks)
    own = list(table[table["organism"] == organism]["identifier"].astype(str))
    other = list(store.tracks.tracks["identifier"].astype(str))
    if own != other:
        place = next((n for n, (a, b) in enumerate(zip(own, other)) if a != b), min(len(own), len(other)))
        given = other[place] if place < len(other) else "nothing"
        raise InputError(
            f"the {organism} tracks of {path.name} ({len(own):,}) are not those of {store.path.name} ({len(other):,}); the first that "
            f"differs is {own[place] if place < len(own) else 'nothing'} against {given}"
        )


def _overlaps(path: Path, organism: str, places: pd.DataFrame) -> tuple[int, int]:
    """How many sequences overlap those that the model was fitted on, and those that stopped its training."""
    if not (path / SEEN).exists():
        return 0, 0
    try:
        seen = pd.read_csv(path / SEEN, sep="\t", dtype={"chromosome": str, "organism": str})
        seen = seen[seen["organism"] == organism]
        counts = []
        for use in ("training", "validation"):
            rows, _ = overlapping_rows(places, seen[seen["use"] == use].reset_index(drop=True))
            counts.append(len(np.unique(rows)))
    except (KeyError, ValueError) as error:
        raise InputError(f"{path / SEEN} is damaged ({error}); copy the whole model folder again") from error
    return counts[0], counts[1]
