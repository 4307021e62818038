"""The enhancer task (page ``docs/guide/enhancers.md``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.enhancers.precision_recall import Ranking
from cistron.evaluation.enhancers.predictors import Predictor
from cistron.evaluation.enhancers.settings import EnhancerSettings
from cistron.formats.enhancer_pairs import Pairs
from cistron.formats.scores import score_frame
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator
from cistron.statistics import block_draws, bootstrap_p_value, percentile_interval

# Distance bins of the published comparison, base pairs, half-open on the left.
BINS = ((0, 15_000), (15_000, 45_000), (45_000, 98_000), (98_000, 262_000))
RECALL = 0.7
DISTANCE, RANDOM = "distance", "random"
_INTERVAL = "95% bootstrap over connected elements and genes"
_LEAST = 3  # regulated pairs of a stratum
_NEIGHBOURS = 20  # quantiles of distance within which the control permutes


@dataclass(frozen=True)
class EnhancerResult:
    """Scores table, precision-recall curves, facts for the report, and what the reader must know."""

    scores: pd.DataFrame
    curves: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]


def evaluate_enhancers(
    pairs: Pairs,
    predictors: Sequence[Predictor],
    settings: EnhancerSettings | None = None,
    *,
    seed: int = 0,
    run_id: str = "none",
) -> EnhancerResult:
    """Score predictors on tested pairs, beside distance and chance.

    Parameters
    ----------
    pairs
        Pairs.
    predictors
        Scores of each method; pairs without one count as its lowest.
    settings
        Settings of the task.
    seed
        Seed of bootstrap and control.
    run_id
        Identifier of the run.

    Returns
    -------
    EnhancerResult
        Rows ``average_precision`` and ``precision_at_70_recall`` for each method, ``distance`` (nearer is higher) and ``random``, over all
        pairs, distance bins, cell types, and pairs that all methods score; ``average_precision_gain`` over distance and over each
        other method, from the same bootstrap samples.
    """
    settings = settings or EnhancerSettings()
    frame = pairs.frame
    methods = [*predictors, Predictor(DISTANCE, -frame["distance"].to_numpy(np.float64))]
    strata = _strata(frame, predictors)
    base = {
        "task": "enhancers",
        "dataset": pairs.name,
        "target": "regulated pairs",
        "model": "score",
        "seed": seed,
        "run_id": run_id,
    }
    rows: list[dict[str, Any]] = []
    curves: list[pd.DataFrame] = []
    with Progress("scoring enhancers", len(strata) * len(methods), "scores") as progress:
        for stratum, chosen in strata.items():
            own = frame[chosen].reset_index(drop=True)
            positive = own["regulated"].to_numpy()
            _, number = np.unique(own["component"], return_inverse=True)
            weights = block_draws(int(number.max()) + 1, settings.draws, seed)[:, number]  # [draw, pair]
            prevalence, count = float(positive.mean()), len(own)
            facts = base | {"stratum": stratum, "n": count, "interval": _INTERVAL}
            samples: dict[str, np.ndarray] = {}
            values: dict[str, float] = {}
            for one in methods:
                ranking = Ranking.of(one.score[chosen])
                values[one.name] = ranking.average_precision(positive)
                samples[one.name] = np.array(
                    [ranking.average_precision(positive, weight) for weight in weights]
                )
                control = _control(one.score[chosen], own, positive, settings.controls, seed)
                null = {
                    "null_model": "random (share of regulated pairs)",
                    "null_value": prevalence,
                    "control_value": control,
                }
                rows.append(
                    _row(
                        facts | null | {"embedding": one.name},
                        "average_precision",
                        values[one.name],
                        samples[one.name],
                    )
                )
                at = ranking.precision_at(RECALL, positive)
                spread = np.array([ranking.precision_at(RECALL, positive, weight) for weight in weights])
                rows.append(
                    _row(
                        facts | null | {"embedding": one.name, "control_value": np.nan},
                        "precision_at_70_recall",
                        at,
                        spread,
                    )
                )
                if stratum == "all":
                    recall, precision = ranking.curve(positive)
                    curves.append(
                        pd.DataFrame({"embedding": one.name, "recall": recall, "precision": precision})
                    )
                progress.advance()
            share = np.array([(weight * positive).sum() / weight.sum() for weight in weights])
            rows.append(
                _row(
                    facts | {"embedding": RANDOM, "null_value": prevalence},
                    "average_precision",
                    prevalence,
                    share,
                )
            )
            rows += _gains(facts, values, samples)
    coverage: list[dict[str, Any]] = [
        {"method": one.name, "scored": int(one.scored.sum()), "pairs": len(frame)} for one in predictors
    ]
    facts = {
        "coverage": coverage,
        "distance_by": pairs.distance_by,
        "pairs": len(frame),
        "regulated": int(frame["regulated"].sum()),
        "components": int(frame["component"].nunique()),
    }
    warnings = [*pairs.remarks]
    warnings += [
        f"{row['method']} scores {row['scored']:,} of {row['pairs']:,} pairs; the others count as its lowest"
        for row in coverage
        if row["scored"] < row["pairs"]
    ]
    return EnhancerResult(score_frame(rows), pd.concat(curves, ignore_index=True), facts, warnings)


def _strata(frame: pd.DataFrame, predictors: Sequence[Predictor]) -> dict[str, np.ndarray]:
    """Pairs of each stratum that has enough of both outcomes."""
    far = frame["distance"].to_numpy(np.float64)
    wanted = {"all": np.ones(len(frame), bool)}
    wanted |= {
        f"{low // 1000}-{high // 1000} kb": (far > low) & (far <= high) if low else far <= high
        for low, high in BINS
    }
    bins = {name: chosen for name, chosen in wanted.items() if name != "all"}
    collections = frame["dataset"].unique()
    if len(collections) > 1:
        for one in filter(None, collections):
            own = (frame["dataset"] == one).to_numpy()
            wanted |= {f"data set {one}": own} | {
                f"data set {one}, {name}": own & chosen for name, chosen in bins.items()
            }
    kinds = frame["cell_type"].unique()
    if len(kinds) > 1:
        wanted |= {f"cell type {kind}": (frame["cell_type"] == kind).to_numpy() for kind in kinds if kind}
    scored = (
        np.logical_and.reduce([one.scored for one in predictors]) if predictors else np.ones(len(frame), bool)
    )
    if not scored.all():
        wanted["pairs that all methods score"] = scored
    regulated = frame["regulated"].to_numpy()
    return {
        name: chosen
        for name, chosen in wanted.items()
        if name == "all" or (regulated[chosen].sum() >= _LEAST and (~regulated[chosen]).sum() >= _LEAST)
    }


def _control(score: np.ndarray, own: pd.DataFrame, positive: np.ndarray, draws: int, seed: int) -> float:
    """Mean average precision of the score permuted among pairs of like distance: what distance alone would give it."""
    if not draws:
        return float("nan")
    ranks = own["distance"].rank(method="first").to_numpy()
    block = ((ranks - 1) * _NEIGHBOURS // len(own)).astype(int)
    found = []
    for draw in range(draws):
        random = random_generator(seed, "enhancer control", draw)
        mixed = np.lexsort((random.random(len(own)), block))
        sorted_places = np.argsort(block, kind="stable")
        permuted = np.empty_like(score)
        permuted[sorted_places] = score[mixed]
        found.append(Ranking.of(permuted).average_precision(positive))
    return float(np.mean(found))


def _row(facts: dict[str, Any], metric: str, value: float, samples: np.ndarray) -> dict[str, Any]:
    low, high = percentile_interval(samples[:, None])
    return facts | {"metric": metric, "value": value, "low": float(low[0]), "high": float(high[0])}


def _gains(
    facts: dict[str, Any], values: dict[str, float], samples: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Differences of methods from the same bootstrap samples."""
    names, rows = list(values), []
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            spread = samples[first] - samples[second]
            spread = spread[np.isfinite(spread)]
            if not len(spread):
                continue
            one = facts | {
                "embedding": first,
                "target": f"regulated pairs, against {second}",
                "null_model": second,
                "null_value": values[second],
            }
            p_value = float(bootstrap_p_value(spread[:, None])[0])
            rows.append(
                _row(
                    one | {"p_value": p_value},
                    "average_precision_gain",
                    values[first] - values[second],
                    spread,
                )
            )
    return rows
