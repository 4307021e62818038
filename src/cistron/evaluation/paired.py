"""Means over terms with intervals, and paired differences of embeddings over the same terms."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cistron.runtime.seeds import random_generator
from cistron.statistics import bootstrap_p_value, percentile_interval

OVER_TERMS = "95% bootstrap over terms"


def term_draws(scores: pd.DataFrame, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Mean over terms of bootstrap samples of the terms that all embeddings have, float64 [draw], by embedding.

    Parameters
    ----------
    scores
        One row a target and embedding.
    draws
        Samples; they are the same for all embeddings, and for other runs with the same terms and seed.
    seed
        Seed of the run.
    """
    wide = scores.pivot(index="target", columns="embedding", values="value").dropna().sort_index()
    if wide.empty:
        return {}
    number = len(wide)
    generator = random_generator(seed, "bootstrap over terms", number)
    times = generator.multinomial(number, np.full(number, 1 / number), size=draws) / number
    return {str(name): times @ wide[name].to_numpy(np.float64) for name in wide}


def compare(scores: pd.DataFrame, draws: Mapping[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summaries of embeddings, best first, and every paired difference.

    Parameters
    ----------
    scores
        One row a target and embedding.
    draws
        Of :func:`term_draws`.

    Returns
    -------
    summary
        ``embedding, metric, value, low, high, interval, terms, control_value``.
    differences
        ``first, second, value, low, high, p_value``: how much the mean of the first lies above that of the second.
    """
    wide = scores.pivot(index="target", columns="embedding", values="value").dropna().sort_index()
    control = scores.groupby("embedding")["control_value"].mean()
    means = wide.mean().sort_values(ascending=False)
    rows = []
    for name, value in means.items():
        low, high = percentile_interval(draws[str(name)][:, None])
        rows.append(
            {
                "embedding": name,
                "metric": scores["metric"].iloc[0],
                "value": float(value),
                "low": float(low[0]),
                "high": float(high[0]),
                "interval": OVER_TERMS,
                "terms": len(wide),
                "control_value": float(control.get(name, np.nan)),
            }
        )
    pairs = []
    for place, first in enumerate(means.index):
        for second in means.index[place + 1 :]:
            samples = draws[str(first)] - draws[str(second)]
            low, high = percentile_interval(samples[:, None])
            pairs.append(
                {
                    "first": first,
                    "second": second,
                    "value": float(means[first] - means[second]),
                    "low": float(low[0]),
                    "high": float(high[0]),
                    "p_value": float(bootstrap_p_value(samples[:, None])[0]),
                }
            )
    columns = ["first", "second", "value", "low", "high", "p_value"]
    return pd.DataFrame(rows), pd.DataFrame(pairs, columns=columns)
