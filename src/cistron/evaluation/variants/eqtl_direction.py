"""Does a score tell whether a variant raises or lowers expression?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.variants.eqtl_rows import interval_of
from cistron.evaluation.variants.forest import predict_held_out
from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.evaluation.weighted_area import area, weighted_area
from cistron.runtime.seeds import random_generator
from cistron.statistics import block_draws

# Distances to the start site, base pairs, half-open on the left.
BINS = ((0, 1_000), (1_000, 10_000), (10_000, 100_000), (100_000, 1_000_000))
MEAN, TISSUE, FOREST = "mean score", "columns of the tissue", "forest, folds by gene"
_LEAST = 10  # variants of a stratum, with three of either sign
_MIXED = 20  # permutations of the control


def direction_rows(
    frame: pd.DataFrame,
    scored: Mapping[str, tuple[np.ndarray, Sequence[str]]],
    tissue_columns: Mapping[str, Sequence[str]],
    settings: EqtlSettings,
    base: Mapping[str, Any],
    *,
    draws: int,
    seed: int,
    threads: int | None,
) -> list[dict[str, Any]]:
    """Compare the sign of a predicted change with that of the measured one, over all tissues, by distance.

    Parameters
    ----------
    frame
        Positives: ``tissue``, ``gene``, ``effect``, ``distance``.
    scored
        Values [variant, column] and names of the columns of each model.
    tissue_columns
        Columns of each tissue; tissues without any are left out of the model ``columns of the tissue``.
    settings
        Forest and folds.
    base
        Columns of all rows.
    draws, seed, threads
        Bootstrap samples of genes, seed, threads of a forest.
    """
    known = (np.isfinite(frame["effect"]) & (frame["effect"] != 0)).to_numpy()
    frame, raised = frame[known].reset_index(drop=True), (frame["effect"] > 0).to_numpy()[known]
    rows: list[dict[str, Any]] = []
    if len(frame) < _LEAST:
        return rows
    genes, number = np.unique(frame["gene"].to_numpy(str), return_inverse=True)
    weights = np.vstack([np.ones(len(genes)), block_draws(len(genes), draws, seed)])[:, number]
    strata = _strata(frame["distance"].to_numpy(np.float64))
    for name, (values, columns) in scored.items():
        for model, score in _models(
            frame, raised, values[known], columns, tissue_columns, settings, seed, threads
        ):
            told = np.isfinite(score)
            for stratum, chosen in strata.items():
                kept = chosen & told
                if kept.sum() < _LEAST or min(raised[kept].sum(), (~raised[kept]).sum()) < 3:
                    continue
                facts = {
                    **base,
                    "target": "all tissues",
                    "embedding": name,
                    "model": model,
                    "stratum": stratum,
                }
                facts["n"] = int(kept.sum())
                rows += _of_stratum(facts, score[kept], raised[kept], weights[:, kept], seed)
    return rows


def _models(
    frame: pd.DataFrame,
    raised: np.ndarray,
    values: np.ndarray,
    columns: Sequence[str],
    tissue_columns: Mapping[str, Sequence[str]],
    settings: EqtlSettings,
    seed: int,
    threads: int | None,
) -> list[tuple[str, np.ndarray]]:
    """Signed scores of each model, NaN where it says nothing; 0 leaves the sign open."""
    spread = values.std(0)
    scaled = values / np.where(spread > 0, spread, 1)
    found = [(MEAN, scaled.mean(1))]
    if tissue_columns:
        place = {name: number for number, name in enumerate(columns)}
        own = np.full(len(frame), np.nan)
        for tissue, rows in frame.groupby("tissue").groups.items():
            chosen = [place[name] for name in tissue_columns.get(str(tissue), ()) if name in place]
            if chosen:
                own[rows] = scaled[rows][:, chosen].mean(1)
        if np.isfinite(own).any():
            found.append((TISSUE, own))
    if len(set(frame["gene"])) > 1 and len(np.unique(raised)) > 1:
        held_out = predict_held_out(
            values, raised, frame["gene"].to_numpy(str), settings, seed=seed, repeats=1, threads=threads
        )
        found.append((FOREST, held_out.score[0] - 0.5))
    return found


def _strata(distance: np.ndarray) -> dict[str, np.ndarray]:
    found = {"all": np.ones(len(distance), bool)}
    if np.isfinite(distance).all():
        for low, high in BINS:
            found[f"{low // 1000}-{high // 1000} kb"] = (distance <= high) & (
                (distance > low) if low else True
            )
    return found


def _of_stratum(
    facts: Mapping[str, Any], score: np.ndarray, raised: np.ndarray, weights: np.ndarray, seed: int
) -> list[dict[str, Any]]:
    """Area, accuracy where the score has a sign, and how often it has one."""
    determined = score != 0
    right = determined & ((score > 0) == raised)
    random = random_generator(seed, "permuted directions")
    mixed = [random.permutation(score) for _ in range(_MIXED)]
    share = max(raised.mean(), 1 - raised.mean())
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = (weights @ right) / (weights @ determined)
        sure = (weights @ determined) / weights.sum(1)
    rows = [
        {
            **facts,
            "metric": "direction_auroc",
            **interval_of(weighted_area(score, raised, weights)),
            "null_model": "chance",
            "null_value": 0.5,
            "control_value": float(np.mean([area(one, raised) for one in mixed])),
        },
        {**facts, "metric": "direction_determined", **interval_of(sure)},
    ]
    if determined.any():
        control = np.mean([((one > 0) == raised)[one != 0].mean() for one in mixed])
        rows.insert(
            1,
            {
                **facts,
                "metric": "direction_accuracy",
                **interval_of(accuracy),
                "null_model": "the more common sign",
                "null_value": float(share),
                "control_value": float(control),
            },
        )
    return rows
