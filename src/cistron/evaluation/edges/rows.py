"""Rows of the scores table of one network: against cells, against the truth, against a collection."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.edges import truth as edge_truth
from cistron.evaluation.edges.interventions import (
    HeldOutCells,
    edge_effects,
    false_omission_rate,
    permutation_null,
    significant,
)
from cistron.evaluation.edges.references import score_against_reference, wilson
from cistron.evaluation.edges.settings import EdgeEvaluationSettings
from cistron.formats.edges import Edges
from cistron.runtime.seeds import random_generator

RANDOM = "random order"


def strongest(network: Edges, edges: int | None) -> Edges:
    """Cut a network to its strongest edges."""
    if edges is None or len(network) <= edges:
        return network
    return Edges(
        network.table.iloc[:edges].reset_index(drop=True),
        network.name,
        network.method,
        network.identifier_namespace,
        network.seed,
        network.parameters,
    )


def _interval(values: np.ndarray, resamples: int, seed: int, name: str) -> tuple[float, float]:
    random = random_generator(seed, "bootstrap over edges", name)
    means = values[random.integers(0, len(values), (resamples, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(min(low, values.mean())), float(max(high, values.mean()))


def against_cells(
    network: Edges, held_out: HeldOutCells, settings: EdgeEvaluationSettings, seed: int, target: str
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Score the edges on perturbed cells, named ``target``; also gives the effect of each edge.

    Parameters
    ----------
    network
        Edges.
    held_out
        Cells.
    settings
        Settings of the task.
    seed
        Seed of draws.
    target
        Name of the cells in the scores.
    """
    pairs = strongest(network, settings.edges).pairs()
    effects = edge_effects(pairs, held_out)
    base = {"target": target, "stratum": "edges whose parent was perturbed", "n": len(effects)}
    rows: list[dict[str, Any]] = [
        {
            **base,
            "metric": "edges_without_cells",
            "value": len(pairs) - len(effects),
            "stratum": "all edges",
            "n": len(pairs),
        }
    ]
    if len(effects):
        distance = effects["wasserstein"].to_numpy()
        null = permutation_null(effects, held_out, repeats=settings.null_repeats, seed=seed)
        boot = "95% bootstrap over edges"
        for metric, values, null_value in (
            ("mean_wasserstein", distance, float(null.mean())),
            ("wasserstein_excess", distance - null, 0.0),
        ):
            low, high = _interval(values, settings.resamples, seed, metric)
            rows.append(
                {
                    **base,
                    "metric": metric,
                    "value": float(values.mean()),
                    "low": low,
                    "high": high,
                    "interval": boot,
                    "null_model": "permuted labels, same sizes",
                    "null_value": null_value,
                }
            )
        p_values = effects["p_value"].to_numpy()
        for metric, adjust in (("significant_share", False), ("significant_share_adjusted", True)):
            hits = int(significant(p_values, level=settings.level, adjust=adjust).sum())
            low, high = wilson(hits, len(effects))
            rows.append(
                {
                    **base,
                    "metric": metric,
                    "value": hits / len(effects),
                    "low": low,
                    "high": high,
                    "interval": "95% Wilson",
                    "null_model": "no effect",
                    "null_value": 0.0 if adjust else settings.level,
                }
            )
    for metric, causalbench in (("false_omission_rate", False), ("false_omission_rate_causalbench", True)):
        rate, number = false_omission_rate(
            pairs,
            held_out,
            longest=settings.longest_path,
            draws=settings.omission_draws,
            level=settings.level,
            seed=seed,
            causalbench=causalbench,
        )
        if not number:
            continue
        low, high = wilson(round(rate * number), number)
        longest = "any number of" if settings.longest_path < 0 else f"up to {settings.longest_path}"
        rows.append(
            {
                **base,
                "metric": metric,
                "stratum": f"pairs without a predicted path of {longest} edges"
                + (", as CausalBench counts them" if causalbench else ""),
                "value": rate,
                "low": low,
                "high": high,
                "interval": "95% Wilson",
                "n": number,
            }
        )
    return rows, effects


def against_truth(
    network: Edges,
    truth: Edges,
    genes: Sequence[str] | None,
    sources: Sequence[str] | None,
    settings: EdgeEvaluationSettings,
    seed: int,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Score the order, the signs and the probabilities; also gives the calibration curve.

    Parameters
    ----------
    network, truth
        Edges that are scored, and the known network.
    genes
        Universe of genes; those of the two networks when ``None``.
    sources
        Genes whose edges count; all when ``None``.
    settings
        Settings of the task.
    seed
        Seed of resampling.
    """
    judged = edge_truth.judge(network, truth, genes, sources)
    pairs = int(judged.allowed.sum())
    base = {
        "target": f"truth {truth.name}",
        "stratum": "all ordered pairs" if sources is None else "pairs whose source was perturbed",
        "n": pairs,
        "null_model": RANDOM,
    }
    value, low, high = edge_truth.average_precision_interval(judged, resamples=settings.resamples, seed=seed)
    rate = judged.base_rate
    rows: list[dict[str, Any]] = [
        {
            **base,
            "metric": "auprc",
            "value": value,
            "low": low,
            "high": high,
            "interval": "95% bootstrap over targets",
            "null_value": rate,
        },
        {**base, "metric": "auprc_over_random", "value": value / rate, "null_value": 1.0},
        {
            **base,
            "metric": "auroc",
            "value": edge_truth.roc_area(judged.score[judged.allowed], judged.true[judged.allowed]),
            "null_value": 0.5,
        },
    ]
    true_edges = int(judged.true[judged.allowed].sum())
    for k in sorted({50, 100, 1000, true_edges}):
        if k <= int((judged.listed & judged.allowed).sum()):
            precision, recall = edge_truth.precision_at(judged, k)
            low, high = wilson(round(precision * k), k)
            rows.append(
                {
                    **base,
                    "metric": f"precision_at_{k}",
                    "value": precision,
                    "low": low,
                    "high": high,
                    "interval": "95% Wilson",
                    "null_value": rate,
                }
            )
            rows.append({**base, "metric": f"recall_at_{k}", "value": recall, "null_value": k / pairs})
    listed = judged.listed & judged.allowed
    if listed.any():
        left = judged.allowed & ~listed
        rows.append(
            {**base, "metric": "precision", "value": float(judged.true[listed].mean()), "null_value": rate}
        )
        if left.any():
            rows.append(
                {
                    **base,
                    "metric": "false_omission_rate",
                    "value": float(judged.true[left].mean()),
                    "null_value": rate,
                }
            )
    accuracy, number = edge_truth.sign_accuracy(strongest(network, true_edges), truth)
    if number:
        low, high = wilson(round(accuracy * number), number)
        rows.append(
            {
                **base,
                "metric": "sign_accuracy",
                "stratum": f"true edges among the strongest {true_edges}",
                "value": accuracy,
                "low": low,
                "high": high,
                "interval": "95% Wilson",
                "n": number,
                "null_value": 0.5,
            }
        )
    curve = pd.DataFrame()
    if "probability" in network.table and len(network):
        curve = edge_truth.calibration_curve(network, judged)
        error = edge_truth.calibration_error(curve)
        if np.isfinite(error):
            rows.append(
                {
                    **base,
                    "metric": "calibration_error",
                    "stratum": "edges of probability 0.05 or more",
                    "value": error,
                }
            )
    return rows, curve


def against_reference(
    network: Edges, reference: Edges, genes: Sequence[str], directed: bool, settings: EdgeEvaluationSettings
) -> list[dict[str, Any]]:
    """Score the edges against a collection of interactions.

    Parameters
    ----------
    network, reference
        Edges that are scored, and the collection.
    genes
        Universe of genes.
    directed
        Whether the direction of pairs counts.
    settings
        Settings of the task.
    """
    score = score_against_reference(strongest(network, settings.edges), reference, genes, directed=directed)
    base = {
        "target": f"reference {reference.name}",
        "stratum": "directed pairs" if directed else "undirected pairs",
        "n": score.judged,
        "null_model": RANDOM,
    }
    rows: list[dict[str, Any]] = [
        {
            **base,
            "metric": "true_positives",
            "value": score.true_positives,
            "null_value": score.base_rate * score.judged,
        },
        {**base, "metric": "recall", "value": score.recall},
    ]
    if score.judged:
        interval = {"interval": "95% Wilson"}
        rows.append(
            {
                **base,
                **interval,
                "metric": "precision",
                "value": score.precision,
                "low": score.low,
                "high": score.high,
                "null_value": score.base_rate,
            }
        )
        if score.base_rate:
            rows.append(
                {
                    **base,
                    **interval,
                    "metric": "enrichment",
                    "value": score.enrichment,
                    "low": score.low / score.base_rate,
                    "high": score.high / score.base_rate,
                    "null_value": 1.0,
                }
            )
    return rows
