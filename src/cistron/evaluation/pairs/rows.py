"""Rows of the scores table of the pair task, and what a reader must be warned of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.pairs.folds import PairFold
from cistron.evaluation.pairs.scoring import fold_areas
from cistron.evaluation.pairs.settings import PairSettings
from cistron.evaluation.rivals import RIVAL_NAME, Gain
from cistron.statistics import bootstrap_p_value, percentile_interval

INTERVAL = "95% bootstrap over genes"
GAIN_INTERVAL = "95%, groups of genes left out of training and testing, paired"
BALANCED, GIVEN = "degree-preserving negatives", "given negatives"
OCCURRENCE, RATES = "occurrence", "positive rate of each gene"
RANDOM = "random Gaussian"


def largest_hub(fold: PairFold) -> int:
    first, second, label = fold.test
    return int(np.bincount(np.r_[first[label], second[label]]).max())


class PairReport:
    """Rows of the scores table on the same folds.

    Parameters
    ----------
    folds
        Folds.
    times
        Times that each gene is taken in each bootstrap sample.
    common
        Columns that all rows share.
    """

    def __init__(self, folds: list[PairFold], times: np.ndarray, common: dict[str, Any]) -> None:
        self.folds, self.times, self.common = folds, times, common
        self.rows: list[dict[str, Any]] = []
        self.gains: list[dict[str, Any]] = []
        self.draws: dict[tuple[str, str], np.ndarray] = {}

    def value(self, predictions: Sequence[np.ndarray]) -> float:
        """Mean AUROC of predictions."""
        return fold_areas(self.folds, predictions, self.times[:0])[0]

    def add(self, name: str, model: str, predictions: Sequence[np.ndarray], controls: list[float]) -> None:
        """Score predictions and keep their row.

        Parameters
        ----------
        name, model
            Embedding and combination.
        predictions
            Of the test pairs of each fold.
        controls
            Values of permuted embeddings.
        """
        value, samples = fold_areas(self.folds, predictions, self.times)
        low, high = percentile_interval(samples[:, None])
        self.draws[(name, model)] = samples
        self.rows.append(
            self.common
            | {
                "embedding": name,
                "model": model,
                "value": value,
                "low": min(float(low[0]), value),
                "high": max(float(high[0]), value),
                "interval": INTERVAL,
                "n": int(sum(fold.test[2].sum() for fold in self.folds)),
                "null_model": "no information",
                "null_value": 0.5,
                "control_value": float(np.mean(controls)) if controls else np.nan,
                "p_value": float(bootstrap_p_value(samples[:, None] - 0.5)[0]),
            }
        )

    def add_gain(self, name: str, model: str, gain: Gain, positives: int) -> None:
        """Keep the row of a gain beyond trivial columns.

        Parameters
        ----------
        name, model
            Embedding and combination.
        gain
            The gain, of one target.
        positives
            Positives that it rests on.
        """
        low, high = gain.beyond.interval()
        self.gains.append(
            self.common
            | {
                "metric": "gain_auroc",
                "embedding": name,
                "model": model,
                "value": float(gain.beyond.value[0]),
                "low": float(low[0]),
                "high": float(high[0]),
                "interval": GAIN_INTERVAL,
                "n": positives,
                "null_model": RIVAL_NAME,
                "null_value": 0.0,
                "p_value": float(gain.beyond.p_value()[0]),
            }
        )


def pair_warnings(rows: list[dict[str, Any]], folds: pd.DataFrame, settings: PairSettings) -> list[str]:
    """What a reader must be warned of.

    Parameters
    ----------
    rows
        Rows of the scores table, without gains.
    folds
        Pairs and genes of each fold.
    settings
        Settings of the task.
    """
    found = []
    occurrence = next(row["value"] for row in rows if row["embedding"] == OCCURRENCE)
    best = max(
        (
            row["value"]
            for row in rows
            if row["embedding"] not in (OCCURRENCE, RATES) and not row["embedding"].startswith(RIVAL_NAME)
        ),
        default=0.5,
    )
    if abs(occurrence - 0.5) > 0.1:
        beaten = "more than every embedding" if occurrence > best else f"the best embedding {best:.2f}"
        found.append(
            f"how often a gene occurs in the list gives AUROC {occurrence:.2f} without any biology ({beaten}): the negatives differ from "
            "the positives in their genes; --negatives balanced does away with that"
        )
    hub = (folds["largest_hub"] / folds["positives"]).max()
    if hub > 0.5:
        found.append(
            f"in one fold {hub:.0%} of the positives share one gene, so its figure rests on that gene"
        )
    unused = int(folds["unused_positives"].sum())
    if settings.balanced and unused > 0.2 * (unused + int(folds["positives"].sum())):
        found.append(
            f"{unused:,} of {unused + int(folds['positives'].sum()):,} scored positives (over all folds) are left out: a hub's partners are "
            "all its positives, so no negative of it can be made inside the fold"
        )
    return found
