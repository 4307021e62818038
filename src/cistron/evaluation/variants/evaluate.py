"""The variant task on reporter assays (page ``docs/guide/mpra.md``)."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.model_selection import GroupKFold

from cistron.errors import InputError
from cistron.evaluation.variants.features import base_changes, gc_change, kmer_changes
from cistron.evaluation.variants.inputs import STRETCH, Measured, Scored
from cistron.evaluation.variants.settings import MpraSettings
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each
from cistron.statistics import block_draws, percentile_interval

TASK = "variants"
BASELINES: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    "k-mer changes": kmer_changes,
    "base change": base_changes,
    "GC change": gc_change,
}
_BLOCK = STRETCH
_LEAST = 20  # rows of an element that are trained on, and tested


@dataclass(frozen=True)
class MpraResult:
    """Scores table, predictions of the tested rows, facts and warnings."""

    scores: pd.DataFrame
    predictions: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]


def evaluate_mpra(
    measured: Measured,
    scored: Sequence[Scored],
    settings: MpraSettings | None = None,
    *,
    seed: int = 0,
    run_id: str = "none",
) -> MpraResult:
    """Compare scores of variants with measured effects.

    For each element a lasso on the score columns is fitted on its training rows (without a split, on the other half of its stretches
    of 10 bp), and one on the rows of all other loci; the mean standardised score is compared without any training.

    Parameters
    ----------
    measured
        Effects.
    scored
        Scores of each model.
    settings
        Settings of the task.
    seed
        Seed of bootstrap and control.
    run_id
        Identifier of the run.

    Returns
    -------
    MpraResult
        Rows ``pearson`` for each element and their mean: models ``lasso``, ``lasso of other loci`` and ``mean score``, and the
        baselines as embeddings of their own. ``control_value``: the lasso of permuted training effects.

    Raises
    ------
    InputError
        If scores and effects share too few variants.
    """
    settings = settings or MpraSettings()
    frame = measured.frame
    kinds: list[tuple[str, np.ndarray | None]] = []
    coverage: list[dict[str, Any]] = []
    known = np.ones(len(frame), bool)
    for one in scored:
        place = {key: row for row, key in enumerate(one.keys)}
        rows = np.array([place.get(key, -1) for key in frame["key"]])
        coverage.append({"scores": one.name, "joined": int((rows >= 0).sum()), "measured": len(frame)})
        if (rows >= 0).sum() < 2 * _LEAST:
            raise InputError(
                f"{one.name}: {int((rows >= 0).sum()):,} of {len(frame):,} measured variants have scores; are positions of the same genome build, counted from 1?"
            )
        known &= rows >= 0
        kinds.append((one.name, one.values[rows]))
    frame = frame[known].reset_index(drop=True)
    values: dict[str, np.ndarray | None] = {
        name: None if matrix is None else matrix[known] for name, matrix in kinds
    }
    values |= dict.fromkeys(BASELINES)
    base = {"task": TASK, "seed": seed, "run_id": run_id}
    rows_of: list[dict[str, Any]] = []
    parts: list[pd.DataFrame] = []
    elements = [
        name
        for name, own in frame.groupby("element", sort=False)
        if own["train"].sum() >= _LEAST and (~own["train"]).sum() >= _LEAST
    ]
    if not elements:
        raise InputError(
            f"{measured.name}: no element has {_LEAST} training and {_LEAST} tested rows with scores"
        )
    items = [
        {"element": element, "name": name, "matrix": matrix}
        for element in elements
        for name, matrix in values.items()
    ]
    shared = {"frame": frame, "base": base, "settings": settings, "seed": seed}
    for rows_here, tested in run_each(_fit, items, shared, description="fitting elements", unit="fits"):
        rows_of += rows_here
        parts += tested
    locus = frame.groupby("element")["locus"].first()
    scores = score_frame(rows_of + _means(rows_of, locus, settings, seed))
    remarks = list(measured.remarks)
    remarks += [
        f"{row['scores']} scores {row['joined']:,} of {row['measured']:,} measured variants; the others are left out"
        for row in coverage
        if row["joined"] < row["measured"]
    ]
    facts = {
        "coverage": coverage,
        "elements": len(elements),
        "loci": int(frame["locus"].nunique()),
        "build": measured.build,
    }
    return MpraResult(scores, pd.concat(parts, ignore_index=True), facts, remarks)


def _fit(
    element: str,
    name: str,
    matrix: np.ndarray | None,
    frame: pd.DataFrame,
    base: dict[str, Any],
    settings: MpraSettings,
    seed: int,
) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
    """Rows and predictions of one set of features (a baseline where there is no matrix) on one element."""
    inside = (frame["element"] == element).to_numpy()
    own = frame[inside].reset_index(drop=True)
    features = BASELINES[name](own) if matrix is None else matrix[inside]
    found = {"lasso": _lasso(features, own, settings, None)}
    control = _lasso(features, own, settings, random_generator(seed, "permuted effects", element))
    if matrix is not None:
        spread = matrix.std(0)
        found["mean score"] = (features / np.where(spread > 0, spread, 1)).mean(1)
        others = (frame["locus"] != own["locus"].iloc[0]).to_numpy()
        if others.sum() >= _LEAST:
            outside = frame[others].assign(train=True)
            found["lasso of other loci"] = _lasso(
                np.concatenate([matrix[others], features]),
                pd.concat([outside, own.assign(train=False)], ignore_index=True),
                settings,
                None,
            )[others.sum() :]
    rows, parts = [], []
    for model, predicted in found.items():
        facts = base | {"target": element, "embedding": name, "model": model}
        facts["dataset"] = str(own["collection"].iloc[0])
        rows += _rows(facts, own, predicted, control if model == "lasso" else None, settings, seed)
        tested = own[~own["train"]]
        parts.append(
            tested[["element", "position", "ref", "alt", "value", "confidence"]].assign(
                embedding=name, model=model, predicted=predicted[~own["train"].to_numpy()]
            )
        )
    return rows, parts


def _lasso(
    features: np.ndarray, own: pd.DataFrame, settings: MpraSettings, shuffle: np.random.Generator | None
) -> np.ndarray:
    """Fit on the training rows, predict all; the penalty is chosen over stretches of 10 bp. ``shuffle`` permutes the effects."""
    train = own["train"].to_numpy()
    effect = own["value"].to_numpy(np.float64)[train]
    if shuffle is not None:
        effect = shuffle.permutation(effect)
    mean, spread = features[train].mean(0), features[train].std(0)
    scaled = (features - mean) / np.where(spread > 1e-12 * (np.abs(mean) + 1e-300), spread, 1.0)
    groups = own["position"].to_numpy()[train] // _BLOCK
    folds = min(5, len(np.unique(groups)))
    if folds < 2 or not scaled[train].any() or effect.std() == 0:
        return np.full(len(own), effect.mean())
    cuts = list(GroupKFold(folds).split(effect, groups=groups))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the smallest penalties, which are not chosen
        fitted = LassoCV(alphas=settings.penalties, cv=cuts, max_iter=2000).fit(scaled[train], effect)
    return fitted.predict(scaled)


def _pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; 0 where one does not vary."""
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _rows(
    facts: dict[str, Any],
    own: pd.DataFrame,
    predicted: np.ndarray,
    control: np.ndarray | None,
    settings: MpraSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Correlation on the tested rows, of all and of those that the assay is sure of."""
    tested = ~own["train"].to_numpy()
    strata = {"tested rows": tested}
    sure = tested & (own["confidence"].to_numpy(np.float64) >= settings.least_confidence)
    if sure.sum() >= _LEAST:
        strata[f"tested rows, confidence {settings.least_confidence:g} or more"] = sure
    significant = tested & (own["p_value"].to_numpy(np.float64) <= settings.largest_p_value)
    if significant.sum() >= _LEAST:
        strata[f"tested rows, p {settings.largest_p_value:g} or less"] = significant
    result = []
    for stratum, chosen in strata.items():
        effect, guess = own["value"].to_numpy(np.float64)[chosen], predicted[chosen]
        _, block = np.unique(own["position"].to_numpy()[chosen] // _BLOCK, return_inverse=True)
        weights = block_draws(int(block.max()) + 1, settings.draws, seed)[:, block].astype(int)
        samples = np.array(
            [_pearson(np.repeat(guess, weight), np.repeat(effect, weight)) for weight in weights]
        )
        low, high = percentile_interval(samples[:, None])
        result.append(
            facts
            | {
                "metric": "pearson",
                "stratum": stratum,
                "value": _pearson(guess, effect),
                "low": float(low[0]),
                "high": float(high[0]),
                "interval": "95% bootstrap over stretches of 10 bp",
                "n": int(chosen.sum()),
                "null_model": "no relation",
                "null_value": 0.0,
                "control_value": np.nan if control is None else _pearson(control[chosen], effect),
            }
        )
    return result


def _means(
    rows: list[dict[str, Any]], locus: pd.Series, settings: MpraSettings, seed: int
) -> list[dict[str, Any]]:
    """Mean over elements of each table, with an interval over loci: experiments on the same DNA are drawn together."""
    frame, result = pd.DataFrame(rows), []
    keys = ["dataset", "embedding", "model", "stratum"]
    for (_, name, model, stratum), own in frame.groupby(keys, sort=False):
        values = own["value"].to_numpy(np.float64)
        _, home = np.unique(locus[own["target"]].to_numpy(), return_inverse=True)
        weights = block_draws(int(home.max()) + 1, settings.draws, seed)[:, home]
        samples = weights @ values / weights.sum(1)
        low, high = percentile_interval(samples[:, None])
        facts = {
            key: own[key].iloc[0]
            for key in ("task", "dataset", "metric", "seed", "run_id", "null_model", "null_value")
        }
        result.append(
            facts
            | {
                "target": f"mean of {len(values)} elements",
                "embedding": name,
                "model": model,
                "stratum": stratum,
                "value": float(values.mean()),
                "low": float(low[0]),
                "high": float(high[0]),
                "interval": "95% bootstrap over loci",
                "n": len(values),
                "control_value": float(own["control_value"].mean())
                if own["control_value"].notna().any()
                else np.nan,
            }
        )
    return result
