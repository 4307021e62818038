"""The folder of a run of variants for people: scores, the strongest variants, how they compare with random substitutions."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cistron.formats.scores import score_frame, write_scores
from cistron.formats.variant_scores import CHOSEN, FIRST_ORDER
from cistron.runtime import RunRecord, atomic_path, check_writable
from cistron.sequence.variants import ScoredVariants
from cistron.statistics.bootstrap import block_draws, percentile_interval

TASK = "variant_effects"
NAMED = 20  # strongest variants that are rows of the scores
_DRAWN = 20_000  # variants that the picture shows
_DRAWS = 1000
UNTRAINED = "the weights of this model are random: its scores mean nothing"


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Give the probability that a positive is larger than a negative, ties counting half."""
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    return float((ranks[: len(positive)].sum() / len(positive) - (len(positive) + 1) / 2) / len(negative))


def against_controls(magnitude: np.ndarray, controls: np.ndarray, seed: int) -> dict[str, Any]:
    """Compare variants with random substitutions.

    Parameters
    ----------
    magnitude, controls
        Mean absolute log2 ratio of each, float64.
    seed
        Seed of the bootstrap over variants and over controls.

    Returns
    -------
    dict
        ``value`` (AUROC), ``low``, ``high``, ``p_value`` (Mann-Whitney, two-sided), ``share`` of variants above 95% of the
        controls.
    """
    first, second = (
        block_draws(len(values), _DRAWS, seed + number).astype(int)
        for number, values in enumerate((magnitude, controls))
    )
    samples = np.array(
        [auroc(np.repeat(magnitude, a), np.repeat(controls, b)) for a, b in zip(first, second)]
    )
    low, high = percentile_interval(samples[:, None])
    return {
        "value": auroc(magnitude, controls),
        "low": float(low[0]),
        "high": float(high[0]),
        "p_value": float(stats.mannwhitneyu(magnitude, controls).pvalue),
        "share": float((magnitude > np.quantile(controls, 0.95)).mean()),
    }


def write_variant_summary(
    found: ScoredVariants, output: str | Path, variants: str | Path, weights: str | Path, *, seed: int = 0
) -> None:
    """Write ``variants.parquet``, ``controls.parquet``, ``scores.parquet`` and, last, ``run.json``.

    Parameters
    ----------
    found
        Of :func:`cistron.sequence.variants.score_variants`.
    output
        Folder.
    variants, weights
        What was scored, and by which model.
    seed
        Seed of the run.
    """
    output, weights = Path(output), Path(weights)
    check_writable(output / "scores.parquet")
    settings = {
        key: found.header[key] for key in ("organism", "length", "shared_windows", "precision", "passes")
    }
    record = RunRecord("sequence variants", settings, [variants, weights / "model.safetensors"], seed)
    facts = {
        "task": TASK,
        "dataset": Path(variants).name,
        "embedding": weights.name,
        "model": "enformer",
        "seed": seed,
        "run_id": record.run_id,
    }
    frame, controls = found.frame, found.controls
    frame = frame.assign(p_value=_p_values(frame["magnitude"].to_numpy(), controls))
    rows: list[dict[str, Any]] = [
        facts
        | {
            "target": f"{row.chromosome}:{row.position} {row.ref[:20]}>{row.alt[:20]}",
            "metric": "log2_ratio",
            "stratum": row.track,
            "value": row.log_ratio,
            "n": 1,
            "p_value": row.p_value,
        }
        for row in frame.nlargest(NAMED, "magnitude")
        .drop_duplicates(["chromosome", "position", "ref", "alt"])
        .itertuples()
    ]
    if len(controls):
        compared = against_controls(frame["magnitude"].to_numpy(), controls, seed)
        record.record("share_above_controls", compared.pop("share"))
        rows.append(
            facts
            | compared
            | {
                "target": "all variants",
                "metric": "auroc_against_random_substitutions",
                "stratum": "all",
                "interval": "95% bootstrap over variants and over substitutions",
                "n": len(frame),
                "null_model": "random substitutions within 1,024 bp",
                "null_value": 0.5,
            }
        )
    for part in ("screen", "sample"):
        screened = found.header.get("screen", {}).get(part)
        if screened and screened["pearson"] is not None:
            rows += [
                facts
                | {
                    "target": "first-order effect",
                    "metric": f"{kind}_with_exact",
                    "stratum": "chosen by the screen" if part == "screen" else "drawn from the rest",
                    "value": screened[kind],
                    "n": screened["variants"],
                }
                for kind in ("pearson", "spearman")
            ]
    output.mkdir(parents=True, exist_ok=True)
    columns = [
        "chromosome",
        "position",
        "ref",
        "alt",
        "id",
        "magnitude",
        "direction",
        "track",
        "log_ratio",
        "p_value",
    ]
    columns += [name for name in (FIRST_ORDER, CHOSEN) if name in frame]
    drawn = frame if len(frame) <= _DRAWN else frame.nlargest(_DRAWN, "magnitude").sort_index()
    with atomic_path(output / "variants.parquet") as partial:
        drawn[columns].to_parquet(partial, index=False)
    if len(controls):
        with atomic_path(output / "controls.parquet") as partial:
            pd.DataFrame({"magnitude": controls}).to_parquet(partial, index=False)
    write_scores(score_frame(rows), output / "scores.parquet")
    facts_of_run = {
        "variants": len(frame),
        "tracks": len(found.tracks),
        "left_out": dict(found.sites.counts),
        "trained": found.trained,
        "header": {**settings, "genome_build": found.header["genome_build"]},
    }
    for name, value in facts_of_run.items():
        record.record(name, value)
    if not found.trained:
        record.warn(UNTRAINED)
    record.write(output / "run.json")


def _p_values(magnitude: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Share of random substitutions that change as much, with one added to both; NaN without controls."""
    if not len(controls):
        return np.full(len(magnitude), np.nan)
    above = len(controls) - np.searchsorted(np.sort(controls), magnitude, side="left")
    return (above + 1) / (len(controls) + 1)
