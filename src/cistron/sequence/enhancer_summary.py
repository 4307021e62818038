"""The folder of a run of enhancers for people: the strongest pairs, how elements compare with places at like distance, what distance alone says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord, atomic_path, check_writable
from cistron.sequence.enhancers import ScoredEnhancers
from cistron.sequence.variant_summary import auroc
from cistron.statistics.bootstrap import block_draws, percentile_interval

TASK = "enhancer_contributions"
NAMED = 20  # strongest pairs of a method that are rows of the scores
_DRAWS = 200


def write_enhancer_summary(
    found: ScoredEnhancers, output: str | Path, pairs: str | Path, weights: str | Path, *, seed: int = 0
) -> None:
    """Write ``contributions.parquet``, ``controls.parquet``, ``scores.parquet`` and, last, ``run.json``.

    Parameters
    ----------
    found
        Of :func:`cistron.sequence.enhancers.score_enhancers`.
    output
        Folder.
    pairs, weights
        What was scored, and by which model.
    seed
        Seed of the bootstrap over genes.
    """
    output, weights = Path(output), Path(weights)
    check_writable(output / "scores.parquet")
    record = RunRecord("sequence enhancers", dict(found.facts), [pairs, weights / "model.safetensors"], seed)
    frame, controls = found.frame[found.frame["in_window"]].reset_index(drop=True), found.controls
    # a control has the number of its pair in the table; a pair has a row for each method
    genes = found.frame["gene"].to_numpy()[:: found.frame["method"].nunique()]
    controls = controls.assign(gene=genes[controls["row"].to_numpy(int)]) if len(controls) else controls
    base = {
        "task": TASK,
        "dataset": Path(pairs).name,
        "embedding": weights.name,
        "seed": seed,
        "run_id": record.run_id,
    }
    rows: list[dict[str, Any]] = []
    for method, own in frame.groupby("method", sort=False):
        facts = base | {"model": str(method)}
        strongest = own.nlargest(NAMED, "score").drop_duplicates("name")
        rows += [
            facts
            | {
                "target": str(row.name),
                "metric": "contribution",
                "stratum": row.gene,
                "value": float(row.score),
                "n": 1,
            }
            for row in strongest.itertuples(index=False)
        ]
        if len(own) > 2 and own["score"].nunique() > 1 and own["distance"].nunique() > 1:
            near = float(stats.spearmanr(own["score"], -own["distance"].astype(float))[0])
            rows.append(
                facts
                | {
                    "target": "all pairs",
                    "metric": "spearman_with_nearness",
                    "stratum": "all",
                    "value": near,
                    "n": len(own),
                }
            )
        beside = controls[controls["method"] == method] if len(controls) else controls
        if len(beside):
            rows.append(facts | _against_places(own, beside, seed))
    record.record("trained", found.trained)
    record.record("pairs", len(found.frame) // max(1, found.frame["method"].nunique()))
    record.record("in_window", len(frame) // max(1, found.frame["method"].nunique()))
    for name, value in found.facts.items():
        record.record(name, value)
    if not rows:
        rows.append(
            base
            | {
                "model": "none",
                "target": "all pairs",
                "metric": "pairs_in_window",
                "stratum": "all",
                "value": 0.0,
            }
        )
    for name, table in (("contributions", frame), ("controls", controls)):
        path = output / f"{name}.parquet"
        if not len(table):
            path.unlink(missing_ok=True)
            continue
        with atomic_path(path) as partial:
            table.to_parquet(partial, index=False)
    write_scores(score_frame(rows), output / "scores.parquet")
    record.write(output / "run.json")


def _against_places(own: pd.DataFrame, beside: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Probability that an element scores above a random place at like distance, bootstrap over genes."""
    genes, number = np.unique(
        np.r_[own["gene"].to_numpy(str), beside["gene"].to_numpy(str)], return_inverse=True
    )
    first, second = own["score"].to_numpy(float), beside["score"].to_numpy(float)
    weights = block_draws(len(genes), _DRAWS, seed)[:, number].astype(int)
    samples = [
        auroc(np.repeat(first, weight[: len(first)]), np.repeat(second, weight[len(first) :]))
        for weight in weights
        if weight[: len(first)].any() and weight[len(first) :].any()
    ]
    low, high = percentile_interval(np.array(samples)[:, None])
    return {
        "target": "all pairs",
        "metric": "auroc_against_like_distance",
        "stratum": "all",
        "value": auroc(first, second),
        "low": float(low[0]),
        "high": float(high[0]),
        "interval": "95% bootstrap over genes",
        "n": len(first),
        "null_model": "random places at like distance",
        "null_value": 0.5,
    }
