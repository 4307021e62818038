"""Score predictions of tracks: Pearson of each track, of its means over windows, of assay classes; intervals over sequences."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.scores import score_frame
from cistron.runtime import random_generator, track
from cistron.statistics.streaming_correlation import CorrelationSums

TASK = "tracks"
INTERVAL = "95% bootstrap over sequences"
Blocks = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Predictor:
    """Something that predicts the sequences of a fold.

    Attributes
    ----------
    name
        Name in the scores.
    blocks
        Gives blocks of places int [batch] (0 to the number of sequences), observed and predicted float32 [batch, bin, track].
    tracks
        Which tracks it predicts, bool [track]; all when absent. Only groups of these are scored.
    """

    name: str
    blocks: Callable[[], Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]]
    tracks: np.ndarray | None = None


@dataclass(frozen=True)
class TrackData:
    """What is scored.

    Attributes
    ----------
    name
        Data set.
    fold
        Fold of the sequences.
    sequences
        Number of them.
    tracks
        One row a track: ``name``, ``description``.
    groups
        Further groups of tracks whose mean is scored, bool [track] by name.
    """

    name: str
    fold: str
    sequences: int
    tracks: pd.DataFrame
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)


def assay_of(description: str) -> str:
    """Assay class of a track: the part of its description before the first colon."""
    head, colon, _ = str(description).partition(":")
    return head.strip() if colon and head.strip() else "other"


def score_tracks(
    data: TrackData,
    predictors: list[Predictor],
    *,
    reference: str,
    control: str | None,
    draws: int = 1000,
    seed: int = 0,
    run_id: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score predictors of one data set.

    Parameters
    ----------
    data
        What is scored.
    predictors
        The model first, then baselines and the control.
    reference
        Baseline that differences are taken to.
    control
        Predictor that is the negative control of the first.
    draws
        Bootstrap samples over sequences.
    seed
        Seed.
    run_id
        Of the run.

    Returns
    -------
    scores : DataFrame
        Scores table. Metrics ``pearson`` (over bins and sequences), ``pearson_of_means`` (over sequences, of the mean of the window) and
        ``pearson_difference`` (to the reference); targets are the mean of all tracks, of an assay class, or one track.
    by_track : DataFrame
        One row a predictor and track: ``predictor``, ``track``, ``description``, ``assay``, ``pearson``, ``pearson_of_means``.

    Raises
    ------
    InputError
        If there is no sequence.
    """
    if not data.sequences:
        raise InputError(f"{data.name}: fold {data.fold} has no sequences")
    weights = random_generator(seed, "sequences", data.name).multinomial(
        data.sequences, np.full(data.sequences, 1 / data.sequences), size=draws
    )
    found: dict[str, CorrelationSums] = {}
    everything = np.ones(len(data.tracks), bool)
    able = {one.name: everything if one.tracks is None else one.tracks for one in predictors}
    for predictor in track(predictors, f"scoring {data.name}", unit="predictors"):
        sums = CorrelationSums(data.sequences, len(data.tracks))
        for places, observed, predicted in predictor.blocks():
            sums.add(places, observed.transpose(0, 2, 1), predicted.transpose(0, 2, 1))
        found[predictor.name] = sums
    assays = data.tracks["description"].map(assay_of)
    groups: dict[str, np.ndarray] = {"all tracks": np.ones(len(assays), bool)}
    if assays.nunique() > 1:
        groups |= {f"{assay} tracks": (assays == assay).to_numpy() for assay in dict.fromkeys(assays)}
    groups |= {name: mask for name, mask in data.groups.items() if mask.any()}
    shared = {
        "task": TASK,
        "dataset": data.name,
        "model": "sequence",
        "stratum": f"fold {data.fold}",
        "seed": seed,
        "run_id": run_id,
    }
    rows: list[dict[str, Any]] = []
    tables = []
    drawn: dict[tuple[str, str], np.ndarray] = {}
    values: dict[tuple[str, str], np.ndarray] = {}
    for name, sums in found.items():
        for metric, function in (("pearson", sums.pearson), ("pearson_of_means", sums.pearson_of_means)):
            values[name, metric] = np.nan_to_num(function())
            drawn[name, metric] = np.nan_to_num(function(weights))
        tables.append(
            pd.DataFrame(
                {
                    "predictor": name,
                    "track": data.tracks["name"].to_numpy(),
                    "description": data.tracks["description"].to_numpy(),
                    "assay": assays.to_numpy(),
                    "pearson": values[name, "pearson"],
                    "pearson_of_means": values[name, "pearson_of_means"],
                }
            )[able[name]]
        )
    for name in found:
        for metric in ("pearson", "pearson_of_means"):
            for target, chosen in _within(groups, able[name]).items():
                low, high = np.quantile(drawn[name, metric][:, chosen].mean(axis=1), (0.025, 0.975))
                row = shared | {
                    "target": f"mean of {int(chosen.sum()):,} {target}",
                    "embedding": name,
                    "metric": metric,
                    "value": float(values[name, metric][chosen].mean()),
                    "low": float(low),
                    "high": float(high),
                    "interval": INTERVAL,
                    "n": data.sequences,
                }
                row |= _beside(values, name, metric, chosen, reference, control, predictors[0].name)
                rows.append(row)
        if name != reference and reference in found:
            for target, chosen in _within(groups, able[name]).items():
                gain = values[name, "pearson"][chosen].mean() - values[reference, "pearson"][chosen].mean()
                spread = (drawn[name, "pearson"] - drawn[reference, "pearson"])[:, chosen].mean(axis=1)
                low, high = np.quantile(spread, (0.025, 0.975))
                rows.append(
                    shared
                    | {
                        "target": f"mean of {int(chosen.sum()):,} {target}",
                        "embedding": name,
                        "metric": "pearson_difference",
                        "value": float(gain),
                        "low": float(min(low, gain)),
                        "high": float(max(high, gain)),
                        "interval": INTERVAL,
                        "n": data.sequences,
                        "null_model": reference,
                        "null_value": 0.0,
                    }
                )
    return score_frame(rows), pd.concat(tables, ignore_index=True)


def _within(groups: Mapping[str, np.ndarray], able: np.ndarray) -> dict[str, np.ndarray]:
    """Groups all of whose tracks are predicted."""
    return {target: chosen for target, chosen in groups.items() if able[chosen].all()}


def _beside(
    values: Mapping[tuple[str, str], np.ndarray],
    name: str,
    metric: str,
    chosen: np.ndarray,
    reference: str,
    control: str | None,
    first: str,
) -> dict[str, Any]:
    """The reference's value beside each row, and the control's beside those of the model."""
    found: dict[str, Any] = {}
    if name != reference and (reference, metric) in values:
        found |= {
            "null_model": reference,
            "null_value": float(values[reference, metric][chosen].mean()),
        }
    if control is not None and name == first and (control, metric) in values:
        found["control_value"] = float(values[control, metric][chosen].mean())
    return found
