"""Rows of the scores table from bootstrap samples of areas; the first sample is the value itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cistron.statistics import bootstrap_p_value, percentile_interval

Key = tuple[str, str, str, str]  # tissue, embedding, model, stratum
_INTERVAL = "95% bootstrap over genes"
DISTANCE = "distance"


def interval_of(samples: np.ndarray) -> dict[str, Any]:
    """``value``, ``low`` and ``high`` of samples whose first is the value."""
    drawn = samples[1:][np.isfinite(samples[1:])]
    if not len(drawn) or not np.isfinite(samples[0]):
        return {"value": float(samples[0]), "low": float("nan"), "high": float("nan"), "interval": _INTERVAL}
    low, high = percentile_interval(drawn[:, None])
    return {"value": float(samples[0]), "low": float(low[0]), "high": float(high[0]), "interval": _INTERVAL}


def area_rows(
    samples: Mapping[Key, np.ndarray],
    controls: Mapping[tuple[str, str, str], float],
    sizes: Mapping[tuple[str, str], int],
    base: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """One row a tissue, model and stratum, with the gain over the distance under the same folds.

    Parameters
    ----------
    samples
        Areas by tissue, embedding, model and stratum, float64 [1 + draw].
    controls
        Areas with permuted classes by tissue, embedding and model.
    sizes
        Variants by tissue and stratum.
    base
        Columns of all rows.
    """
    rows = []
    for (tissue, name, model, stratum), values in samples.items():
        control = controls.get((tissue, name, model), float("nan")) if stratum == "all" else float("nan")
        facts = {
            "target": tissue,
            "embedding": name,
            "model": model,
            "stratum": stratum,
            "n": sizes[tissue, stratum],
        }
        if not np.isfinite(values[0]):
            continue
        rows.append(
            {**base, **facts, "metric": "auroc", **interval_of(values), "control_value": control, **_NULL}
        )
        rival = samples.get((tissue, DISTANCE, model, stratum))
        if name != DISTANCE and rival is not None and np.isfinite(rival[0]):
            rows.append({**base, **facts, **_gain(values, rival)})
    return rows


def mean_rows(
    samples: Mapping[Key, np.ndarray],
    controls: Mapping[tuple[str, str, str], float],
    sizes: Mapping[tuple[str, str], int],
    base: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Means over tissues; genes are drawn for all tissues at once, because tissues share them.

    Parameters
    ----------
    samples, controls, sizes, base
        As of :func:`area_rows`.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for tissue, name, model, stratum in samples:
        groups.setdefault((name, model, stratum), []).append(tissue)
    whole = {key: _mean([samples[(tissue, *key)] for tissue in own]) for key, own in groups.items()}
    rows = []
    for (name, model, stratum), values in whole.items():
        own = groups[name, model, stratum]
        mixed = [controls[tissue, name, model] for tissue in own if (tissue, name, model) in controls]
        facts = {
            "target": f"mean of {len(own)} tissues",
            "embedding": name,
            "model": model,
            "stratum": stratum,
            "n": sum(sizes[tissue, stratum] for tissue in own),
        }
        control = float(np.nanmean(mixed)) if mixed and stratum == "all" else float("nan")
        if not np.isfinite(values[0]):
            continue
        rows.append(
            {**base, **facts, "metric": "auroc", **interval_of(values), "control_value": control, **_NULL}
        )
        rival = whole.get((DISTANCE, model, stratum))
        if name != DISTANCE and rival is not None and np.isfinite(rival[0]):
            rows.append({**base, **facts, **_gain(values, rival)})
    return rows


_NULL = {"null_model": "chance", "null_value": 0.5}


def _mean(samples: list[np.ndarray]) -> np.ndarray:
    table = np.array(samples)
    known = np.isfinite(table)
    with np.errstate(invalid="ignore"):
        return np.where(known, table, 0).sum(0) / known.sum(0)


def _gain(values: np.ndarray, rival: np.ndarray) -> dict[str, Any]:
    gap = values - rival
    drawn = gap[1:][np.isfinite(gap[1:])]
    p_value = float(bootstrap_p_value(drawn[:, None])[0]) if len(drawn) else float("nan")
    return {
        "metric": "auroc_gain",
        **interval_of(gap),
        "null_model": DISTANCE,
        "null_value": float(rival[0]),
        "p_value": p_value,
    }
