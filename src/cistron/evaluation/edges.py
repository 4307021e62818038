"""The task ``edges``: networks against held-out perturbed cells, a known network, and collections of interactions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation import edge_truth
from cistron.evaluation.edge_interventions import (
    HeldOutCells,
    control_null,
    edge_effects,
    false_omission_rate,
    held_out_cells,
    significant,
)
from cistron.evaluation.edge_references import score_against_reference, wilson
from cistron.formats.edges import Edges
from cistron.formats.perturbed_cells import PerturbedCells, split_cells
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator

RANDOM = "random order"


@dataclass(frozen=True)
class EdgeEvaluationSettings:
    """How networks are scored.

    Attributes
    ----------
    edges
        Score so many of the strongest edges against cells and collections; all when ``None``.
    test_share
        Share of the cells that are held out (seed 0 of CausalBench's split); 1 takes all cells.
    level
        Level of the Mann-Whitney test.
    longest_path
        Longest predicted path that excuses a pair from the false omission rate; -1 any.
    omission_draws
        Pairs drawn for the false omission rate.
    null_repeats
        Draws of control cells for the null of the Wasserstein distance.
    perturbed_sources_only
        Judge against the truth only pairs whose source was perturbed (needs cells).
    resamples
        Bootstrap resamples of intervals.
    """

    edges: int | None = None
    test_share: float = 0.2
    level: float = 0.05
    longest_path: int = 3
    omission_draws: int = 500
    null_repeats: int = 3
    perturbed_sources_only: bool = False
    resamples: int = 200


@dataclass
class EdgeEvaluation:
    """What the task gives.

    Attributes
    ----------
    scores
        Rows of ``formats.scores``.
    calibration
        Columns ``network, low, high, n, stated, observed``.
    effects
        Held-out effect of each edge: ``network, source, target, wasserstein, p_value, n``.
    warnings
        What the reader of the scores must know.
    """

    scores: pd.DataFrame
    calibration: pd.DataFrame
    effects: pd.DataFrame
    warnings: list[str] = field(default_factory=list)


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


def random_network(genes: Sequence[str], sources: Sequence[str], edges: int, seed: int) -> Edges:
    """Draw a network without knowledge: pairs of a source and another gene in random order."""
    random = random_generator(seed, "random network")
    possible = len(sources) * (len(genes) - 1)
    chosen = np.sort(random.choice(possible, size=min(edges, possible), replace=False))
    source, place = np.divmod(chosen, len(genes) - 1)
    number = {gene: position for position, gene in enumerate(genes)}
    own = np.array([number[sources[s]] for s in source], dtype=np.int64)
    target = place + (place >= own)  # skips the source itself
    order = random.permutation(len(chosen))
    table = pd.DataFrame(
        {
            "source": [sources[s] for s in source[order]],
            "target": [genes[t] for t in target[order]],
            "weight": np.linspace(1, 0, len(order), endpoint=False),
        }
    )
    return Edges(table, "random", "random", seed=seed)


def _interval(values: np.ndarray, resamples: int, seed: int, name: str) -> tuple[float, float]:
    random = random_generator(seed, "bootstrap over edges", name)
    means = values[random.integers(0, len(values), (resamples, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(min(low, values.mean())), float(max(high, values.mean()))


def _against_cells(
    network: Edges, held_out: HeldOutCells, settings: EdgeEvaluationSettings, seed: int
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    pairs = strongest(network, settings.edges).pairs()
    effects = edge_effects(pairs, held_out)
    base = {"target": "held-out cells", "stratum": "edges whose parent was perturbed", "n": len(effects)}
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
        null = control_null(effects, held_out, repeats=settings.null_repeats, seed=seed)
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
                    "null_model": "control against control of the same sizes",
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
    rate, number = false_omission_rate(
        pairs,
        held_out,
        longest=settings.longest_path,
        draws=settings.omission_draws,
        level=settings.level,
        seed=seed,
    )
    if number:
        low, high = wilson(round(rate * number), number)
        rows.append(
            {
                **base,
                "metric": "false_omission_rate",
                "stratum": f"pairs without a predicted path of up to {settings.longest_path} edges",
                "value": rate,
                "low": low,
                "high": high,
                "interval": "95% Wilson",
                "n": number,
            }
        )
    return rows, effects


def _against_truth(
    network: Edges,
    truth: Edges,
    genes: Sequence[str] | None,
    sources: Sequence[str] | None,
    settings: EdgeEvaluationSettings,
    seed: int,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
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
    accuracy, number = edge_truth.sign_accuracy(network, truth)
    if number:
        low, high = wilson(round(accuracy * number), number)
        rows.append(
            {
                **base,
                "metric": "sign_accuracy",
                "stratum": "true edges found",
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


def _against_reference(
    network: Edges, reference: Edges, genes: Sequence[str], directed: bool, settings: EdgeEvaluationSettings
) -> list[dict[str, Any]]:
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


def evaluate_edges(
    networks: Sequence[Edges],
    *,
    cells: PerturbedCells | None = None,
    truth: Edges | None = None,
    references: Sequence[tuple[Edges, bool]] = (),
    settings: EdgeEvaluationSettings | None = None,
    seed: int = 0,
    run_id: str = "",
) -> EdgeEvaluation:
    """Score networks, and a random one of the same size beside them.

    Parameters
    ----------
    networks
        What is scored; an empty network is scored too.
    cells
        Perturbed cells: a part that is held out scores the edges, and their genes are the universe.
    truth
        Known network.
    references
        Collections, each with whether it is directed.
    settings
        How; defaults when absent.
    seed
        Of resampling and of the random network.
    run_id
        Of ``run.json``.

    Raises
    ------
    InputError
        If there is nothing to score against, two networks have one name, or collections are given without cells.
    """
    settings = settings or EdgeEvaluationSettings()
    if cells is None and truth is None:
        raise InputError(
            "edges are scored against cells (--cells) or a known network (--truth); give at least one"
        )
    names = [network.name for network in networks]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled or not names:
        raise InputError(
            f"networks need different names; {sorted(doubled)[0]!r} occurs twice (rename the file or its header)"
            if doubled
            else "no network was given; name at least one edge table"
        )
    warnings: list[str] = []
    held_out = None
    genes: list[str]
    if cells is not None:
        genes = list(cells.genes)
        rows_of = None if settings.test_share >= 1 else split_cells(cells, share=settings.test_share)[1]
        held_out = held_out_cells(cells, rows_of)
        for network in networks:
            if network.parameters.get("cells") == "all" and rows_of is not None:
                warnings.append(
                    f"{network.name} was inferred from all cells, so its score on a part of them is not held out "
                    "(infer with --training-cells)"
                )
    else:
        assert truth is not None
        genes = sorted(pd.unique(truth.table[["source", "target"]].to_numpy().ravel()).tolist())
    sources = held_out.parents if held_out is not None else genes
    size = max([len(network) for network in networks] + [1])
    everything = [*networks]
    if "random" not in names:
        everything.append(random_network(genes, sources, size, seed))
    dataset = cells.name if cells is not None else (truth.name if truth is not None else "")
    rows: list[dict[str, Any]] = []
    curves, effects = [], []
    for network in everything:
        mine: list[dict[str, Any]] = []
        if held_out is not None:
            found, table = _against_cells(network, held_out, settings, seed)
            mine += found
            effects.append(table.assign(network=network.name))
        if truth is not None:
            only = sources if settings.perturbed_sources_only and held_out is not None else None
            found, curve = _against_truth(network, truth, genes, only, settings, seed)
            mine += found
            curves.append(curve.assign(network=network.name))
        for reference, directed in references:
            mine += _against_reference(network, reference, genes, directed, settings)
        common = {
            "task": "edges",
            "dataset": dataset,
            "embedding": network.name,
            "model": network.method,
            "seed": seed,
            "run_id": run_id,
        }
        rows += [{**common, **row} for row in mine]
    scores = _with_control(score_frame(rows))
    return EdgeEvaluation(
        scores,
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(),
        pd.concat(effects, ignore_index=True) if effects else pd.DataFrame(),
        warnings,
    )


def _with_control(scores: pd.DataFrame) -> pd.DataFrame:
    """Write the random network's value of the same metric beside each row."""
    keys = ["target", "metric", "stratum"]
    control = scores[scores["embedding"] == "random"].set_index(keys)["value"]
    wanted = pd.MultiIndex.from_frame(scores[keys])
    scores["control_value"] = control.reindex(wanted).to_numpy()
    return scores
