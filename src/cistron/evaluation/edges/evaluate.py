"""Score networks against held-out perturbed cells, a known network, and collections of interactions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.edges.interventions import HeldOutCells, held_out_cells
from cistron.evaluation.edges.rows import (
    EdgeEvaluationSettings,
    against_cells,
    against_reference,
    against_truth,
)
from cistron.formats.edges import Edges
from cistron.formats.perturbed_cells import PerturbedCells, split_cells
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each


@dataclass
class EdgeEvaluation:
    """Result of the task ``edges``: tables and facts.

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


def random_network(genes: Sequence[str], sources: Sequence[str], edges: int, seed: int) -> Edges:
    """Draw a random network: pairs of a source and another gene in random order.

    Parameters
    ----------
    genes
        All genes.
    sources
        Genes that edges may start from.
    edges
        Number of edges.
    seed
        Seed of the draw.
    """
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


def cells_label(networks: Sequence[Edges], settings: EdgeEvaluationSettings) -> str:
    """Name for the cells that score the networks; they are called held out only if every network says that it did not use them."""
    if settings.test_share >= 1:
        return "all cells"
    used = {network.parameters.get("cells") for network in networks if network.method != "random"}
    if used <= {"training"}:
        return "held-out cells"
    return "cells not held out" if "all" in used else "cells not known to be held out"


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
        if rows_of is not None:
            warnings += [
                f"{network.name} was inferred from all cells, so its score on a part of them is not held out "
                "(infer with --training-cells)"
                for network in networks
                if network.parameters.get("cells") == "all"
            ]
    else:
        assert truth is not None
        genes = sorted(pd.unique(truth.table[["source", "target"]].to_numpy().ravel()).tolist())
    sources = held_out.parents if held_out is not None else genes
    size = max([len(network) for network in networks] + [1])
    label = cells_label(networks, settings)
    everything = [*networks]
    if "random" not in names:
        everything.append(random_network(genes, sources, size, seed))
    dataset = cells.name if cells is not None else (truth.name if truth is not None else "")
    rows: list[dict[str, Any]] = []
    curves, effects = [], []
    possible = len(set(sources) & set(genes)) * (len(genes) - 1)
    for network in networks:
        counted = int((network.table["source"].isin(sources) & network.table["target"].isin(genes)).sum())
        if held_out is not None and settings.edges is None and counted > 0.5 * possible:
            warnings.append(
                f"{network.name}: {counted:,} of {possible:,} possible edges are scored, so that against cells it can hardly differ "
                "from a random network; say how many of the strongest count with --edges"
            )
    shared = {
        "held_out": held_out,
        "truth": truth,
        "references": list(references),
        "genes": genes,
        "sources": sources,
        "settings": settings,
        "seed": seed,
        "label": label,
    }
    items = [{"network": network} for network in everything]
    scored = run_each(_scored, items, shared, description="scoring networks", unit="networks")
    for network, (mine, table, curve) in zip(everything, scored):
        effects.append(table)
        curves.append(curve)
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
        _stacked(curves),
        _stacked(effects),
        warnings,
    )


def _scored(
    network: Edges,
    held_out: HeldOutCells | None,
    truth: Edges | None,
    references: Sequence[tuple[Edges, bool]],
    genes: Sequence[str],
    sources: Sequence[str],
    settings: EdgeEvaluationSettings,
    seed: int,
    label: str,
) -> tuple[list[dict[str, Any]], pd.DataFrame, pd.DataFrame]:
    """Rows of one network, the held-out effects of its edges, and its calibration curve."""
    rows: list[dict[str, Any]] = []
    effects, curve = pd.DataFrame(), pd.DataFrame()
    if held_out is not None:
        rows, effects = against_cells(network, held_out, settings, seed, label)
        effects = effects.assign(network=network.name)
    if truth is not None:
        only = sources if settings.perturbed_sources_only and held_out is not None else None
        found, curve = against_truth(network, truth, genes, only, settings, seed)
        rows += found
        curve = curve.assign(network=network.name)
    for reference, directed in references:
        rows += against_reference(network, reference, genes, directed, settings)
    return rows, effects, curve


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _with_control(scores: pd.DataFrame) -> pd.DataFrame:
    """Write the random network's value of the same metric beside each row."""
    keys = ["target", "metric", "stratum"]
    control = scores[scores["embedding"] == "random"].set_index(keys)["value"]
    wanted = pd.MultiIndex.from_frame(scores[keys])
    scores["control_value"] = control.reindex(wanted).to_numpy()
    return scores
