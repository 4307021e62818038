"""Rows of the scores table of the gene-set task."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cistron.evaluation.genesets.scoring import ModelScores
from cistron.evaluation.rivals import RIVAL_NAME
from cistron.statistics.estimate import INTERVAL, Estimate

Row = dict[str, Any]
_FEWEST_DRAWS = 10


@dataclass(frozen=True)
class Part:
    """What rows of one embedding on one stratum have in common.

    Attributes
    ----------
    base
        Columns that all rows share.
    embedding
        Name of the embedding.
    rival
        Name under which its trivial columns stand.
    with_rival
        Whether they get rows here; they stand once where embeddings share them.
    """

    base: Row
    embedding: str
    rival: str
    with_rival: bool


def rows_of(scored: tuple[list[str], ModelScores], part: Part) -> list[Row]:
    """Rows of an embedding, of its trivial columns, and of its gain beyond them.

    Parameters
    ----------
    scored
        Names of the sets, and scores.
    part
        What the rows have in common.
    """
    names, scores = scored
    absent = {metric: drawn[:0] for metric, drawn in scores.reflected.items()}
    rows: list[Row] = []
    for metric, estimate in scores.alone.items():
        rows += _rows(
            names,
            scores,
            estimate,
            metric,
            scores.permuted,
            scores.reflected,
            {**part.base, "embedding": part.embedding},
        )
        gain = scores.gains.get(metric)
        if gain is None:
            continue
        if part.with_rival:
            common = {**part.base, "embedding": part.rival}
            rows += _rows(names, scores, gain.rival, metric, scores.rival_permuted, absent, common)
        common = {
            **part.base,
            "embedding": part.embedding,
            "metric": f"gain_{metric}",
            "interval": f"{INTERVAL}, paired",
            "null_model": RIVAL_NAME,
            "null_value": 0.0,
        }
        rows += [{**common, **row} for row in _values(names, scores, gain.beyond, np.zeros(len(names)))]
        if len(names) > 1:
            rows.append({**common, **_median_row(names, gain.beyond.median(), 0.0)})
    return rows


def _rows(
    names: list[str],
    scores: ModelScores,
    estimate: Estimate,
    metric: str,
    permuted: dict[str, np.ndarray],
    reflected: dict[str, np.ndarray],
    base: Row,
) -> list[Row]:
    drawn = permuted[metric]  # (draw, set)
    control = drawn.mean(axis=0) if len(drawn) else np.full(len(names), np.nan)
    chance = metric == "auprc"  # its value under chance is known from permutations only
    null = control if chance else np.full(len(names), 0.5)
    common = {
        **base,
        "metric": metric,
        "interval": INTERVAL,
        "null_model": f"permuted embedding, mean of {len(drawn)}" if chance else "no information",
    }
    by_chance = reflected[metric]
    rows = []
    for number, (row, own, expected) in enumerate(zip(_values(names, scores, estimate, null), control, null)):
        if chance:
            row["p_value"] = _p_of_reflected(row["value"], by_chance[:, number])
        rows.append({**common, **row, "null_value": expected, "control_value": own})
    if len(names) > 1:
        centre = float(np.median(drawn, axis=1).mean()) if len(drawn) else np.nan
        expected = centre if chance else 0.5
        row = _median_row(names, estimate.median(), expected)
        if chance:
            row["p_value"] = _p_of_reflected(row["value"], np.median(by_chance, axis=1))
        rows.append({**common, **row, "null_value": expected, "control_value": centre})
    return rows


def _p_of_reflected(value: float, drawn: np.ndarray) -> float:
    """Two-sided p-value of an average precision among those of reflected embeddings, whose logarithms are nearly normal."""
    if len(drawn) < _FEWEST_DRAWS or not value > 0:
        return float("nan")
    logs = np.log(drawn)
    spread = logs.std(ddof=1) * np.sqrt(1 + 1 / len(logs))
    if not spread > 0:
        return float("nan")
    return float(2 * stats.t.sf(abs(np.log(value) - logs.mean()) / spread, len(logs) - 1))


def _values(names: list[str], scores: ModelScores, estimate: Estimate, null: np.ndarray) -> list[Row]:
    low, high = estimate.interval()
    p = estimate.p_value(null)
    return [
        {
            "target": name, "value": estimate.value[index], "low": low[index], "high": high[index],
            "n": int(scores.members[index]), "p_value": p[index],
        }
        for index, name in enumerate(names)
    ]  # fmt: skip


def _median_row(names: list[str], median: Estimate, null: float) -> Row:
    low, high = median.interval()
    return {
        "target": f"median of {len(names)} sets", "value": median.value[0], "low": low[0], "high": high[0],
        "n": len(names), "p_value": median.p_value(null)[0],
    }  # fmt: skip
