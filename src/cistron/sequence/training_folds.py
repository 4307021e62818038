"""Folds of a training: which are fitted on, which stops, which is left alone; and the list of sequences that a model saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.sequence.settings_training import TrainingSettings
from cistron.sequence.training_store import TrainingStore

SEEN = "seen.tsv"  # in the model folder


@dataclass(frozen=True)
class FoldsOfTraining:
    """Names of the folds.

    Attributes
    ----------
    training
        Folds that are fitted on.
    validation, test
        Fold that stops training, and fold that is left alone.
    """

    training: tuple[str, ...]
    validation: str
    test: str


def choose_folds(stores: Sequence[TrainingStore], settings: TrainingSettings) -> FoldsOfTraining:
    """Choose the folds, the same for all organisms.

    Parameters
    ----------
    stores
        Stores.
    settings
        Which; the conventional ones where absent.

    Returns
    -------
    FoldsOfTraining
        Their names.

    Raises
    ------
    InputError
        If a fold does not exist, is used twice, or there are too few.
    """
    names = list(dict.fromkeys(name for store in stores for name in store.folds))
    for store in stores:
        absent = [name for name in names if name not in store.folds]
        if absent:
            raise InputError(
                f"{store.path.name} has no fold {absent[0]!r}, which another store has; organisms must be divided together "
                "('cistron sequence folds' with both), or a test sequence has its counterpart in training"
            )
    numbered = sorted((name for name in names if name.startswith("fold")), key=lambda name: (len(name), name))
    validation = settings.validation_fold or (
        "valid" if "valid" in names else numbered[-2] if len(numbered) > 2 else ""
    )
    test = settings.test_fold or ("test" if "test" in names else numbered[-1] if len(numbered) > 2 else "")
    if not validation or not test:
        raise InputError(
            f"the folds are {', '.join(names)}; say which one stops training (--validation-fold) and which is left for the test (--test-fold)"
        )
    training = settings.training_folds or tuple(name for name in names if name not in (validation, test))
    for name in (*training, validation, test):
        if name not in names:
            raise InputError(f"there is no fold {name!r}; the stores have {', '.join(names)}")
    if {validation, test} & set(training) or validation == test or not training:
        raise InputError(
            f"training ({', '.join(training)}), validation ({validation}) and test ({test}) must be different folds"
        )
    return FoldsOfTraining(training, validation, test)


def training_rows(store: TrainingStore, folds: Sequence[str]) -> np.ndarray:
    """Rows of a store in some folds, int64."""
    return np.sort(np.concatenate([store.rows(name) for name in folds]))


def seen_table(stores: Sequence[TrainingStore], folds: FoldsOfTraining) -> str:
    """Sequences that a model saw: organism, chromosome, start, end (of the targets), fold, and what for (training, validation)."""
    uses = dict.fromkeys(folds.training, "training") | {folds.validation: "validation"}
    parts = []
    for store in stores:
        rows = store.tracks.sequences
        rows = rows[rows["fold"].astype(str).isin(uses)]
        parts.append(
            pd.DataFrame(
                {
                    "organism": store.organism,
                    "chromosome": rows["chromosome"],
                    "start": rows["start"],
                    "end": rows["end"],
                    "fold": rows["fold"],
                    "use": rows["fold"].astype(str).map(uses),
                }
            )
        )
    return pd.concat(parts).to_csv(sep="\t", index=False, lineterminator="\n")
