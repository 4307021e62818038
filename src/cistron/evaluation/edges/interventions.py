"""Edges against held-out perturbed cells: CausalBench's statistical evaluation, reimplemented and corrected.

An edge A -> B is compared with the cells in which A was perturbed: B's Wasserstein distance to control cells and
the Mann-Whitney test of the same (Chevalley et al. 2022, arXiv 2210.17283). Corrected here: parents without
perturbed cells are counted and left out (the original raises KeyError), an empty network is a valid one,
significance can be adjusted for the number of edges, and the distance that remains when the labels of the cells are
permuted is reported beside the distance of the edges, because most of it is sampling noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cistron.errors import InputError
from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator

Pair = tuple[str, str]


@dataclass(frozen=True)
class HeldOutCells:
    """Cells that a network is scored on.

    Attributes
    ----------
    values
        Log-normalised float64 [cell, gene].
    genes
        Identifiers.
    rows
        Perturbed gene to row numbers; ``""`` is the control.
    """

    values: np.ndarray
    genes: tuple[str, ...]
    rows: dict[str, np.ndarray]

    @property
    def parents(self) -> list[str]:
        """Genes with perturbed cells, in the order of the genes."""
        return [gene for gene in self.genes if gene in self.rows]


def held_out_cells(cells: PerturbedCells, rows: np.ndarray | None = None) -> HeldOutCells:
    """Log-normalise the given rows (all when absent) and sort them by perturbation."""
    values = log_normalise(cells.values, cells.scale)
    labels = cells.perturbation
    if rows is not None:
        values, labels = values[rows], labels[rows]
    groups = {cells.genes[gene]: np.flatnonzero(labels == gene) for gene in np.unique(labels[labels >= 0])}
    groups[""] = np.flatnonzero(labels == -1)
    if not len(groups[""]):
        raise InputError(f"{cells.name}: no control cells are held out; give more cells")
    return HeldOutCells(values.toarray().astype(np.float64), cells.genes, groups)


def edge_effects(pairs: Sequence[Pair], held_out: HeldOutCells) -> pd.DataFrame:
    """Compare the child of each edge between parent-perturbed and control cells.

    Parameters
    ----------
    pairs
        Edges (source, target).
    held_out
        Cells.

    Returns
    -------
    DataFrame
        Columns ``source, target, wasserstein, p_value, n``; edges whose parent has no perturbed cells, or whose
        genes are not measured, are left out.
    """
    number = {gene: position for position, gene in enumerate(held_out.genes)}
    control = held_out.rows[""]
    rows = []
    for source, target in track(list(pairs), "edges against cells", unit="edges"):
        members = held_out.rows.get(source)
        if members is None or target not in number:
            continue
        rest = held_out.values[control, number[target]]
        moved = held_out.values[members, number[target]]
        p_value = float(stats.mannwhitneyu(rest, moved).pvalue) if np.ptp(rest) or np.ptp(moved) else 1.0
        rows.append((source, target, float(stats.wasserstein_distance(rest, moved)), p_value, len(members)))
    return pd.DataFrame(rows, columns=["source", "target", "wasserstein", "p_value", "n"])


def significant(p_values: np.ndarray, *, level: float = 0.05, adjust: bool = False) -> np.ndarray:
    """Tell which edges are significant; ``adjust`` controls the false discovery rate (Benjamini and Hochberg).

    Parameters
    ----------
    p_values
        float [edge].
    level
        Level of the test.
    adjust
        Control the false discovery rate (Benjamini and Hochberg).
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    if adjust and len(p_values):
        p_values = stats.false_discovery_control(p_values)
    return p_values < level


def permutation_null(
    effects: pd.DataFrame, held_out: HeldOutCells, *, repeats: int = 3, seed: int = 0
) -> np.ndarray:
    """Mean Wasserstein distance of the same children after the labels of the cells are permuted.

    Perturbed and control cells of an edge are pooled and dealt out again into groups of the true sizes, so the null
    has the sampling noise of the comparison that was made. Control cells alone cannot give that where there are
    fewer of them than of perturbed cells.

    Parameters
    ----------
    effects
        Table of :func:`edge_effects`.
    held_out
        Cells.
    repeats
        Permutations of each parent.
    seed
        Seed of the permutations.

    Returns
    -------
    ndarray
        Mean over the repeats, one number an edge.
    """
    number = {gene: position for position, gene in enumerate(held_out.genes)}
    control = held_out.rows[""]
    random = random_generator(seed, "permuted labels")
    sources, targets = effects["source"].to_numpy(), effects["target"].to_numpy()
    total = np.zeros(len(effects))
    for source in pd.unique(sources):
        pooled = np.concatenate([control, held_out.rows[source]])
        here = np.flatnonzero(sources == source)
        for _ in range(repeats):
            dealt = random.permutation(pooled)
            for position in here:
                column = held_out.values[dealt, number[targets[position]]]
                total[position] += stats.wasserstein_distance(column[: len(control)], column[len(control) :])
    return total / max(repeats, 1)


def paths(pairs: Sequence[Pair], longest: int, *, causalbench: bool = False) -> dict[str, set[str]]:
    """Find the descendants of each source.

    Parameters
    ----------
    pairs
        Edges (source, target).
    longest
        Most edges on a path; any number where it is -1.
    causalbench
        Count as CausalBench 1.1.2 does: it joins what was reached with what was reached, so each step doubles the
        length and "up to 3" follows paths of up to 4 edges, "up to 4" of up to 8.
    """
    children: dict[str, set[str]] = {}
    for source, target in pairs:
        children.setdefault(source, set()).add(target)
    reached = {source: set(targets) for source, targets in children.items()}
    steps = 0
    while longest < 0 or steps < longest - 1:
        onward = reached if causalbench else children
        deeper = {
            source: (found | {far for near in found for far in onward.get(near, ())}) - {source}
            for source, found in reached.items()
        }
        steps += 1
        if deeper == reached:
            break
        reached = deeper
    return reached


def false_omission_rate(
    pairs: Sequence[Pair],
    held_out: HeldOutCells,
    *,
    longest: int = 3,
    draws: int = 500,
    level: float = 0.05,
    seed: int = 0,
    causalbench: bool = False,
) -> tuple[float, int]:
    """Share of significant effects among pairs that the network does not join by a path.

    Pairs are drawn from perturbed parents and measured genes only; the original draws from all genes and raises
    KeyError where a parent has no cells.

    Parameters
    ----------
    pairs
        Edges (source, target).
    held_out
        Cells.
    longest, causalbench
        What joins a pair; see :func:`paths`.
    draws
        Pairs that are drawn at most.
    level
        Level of the Mann-Whitney test.
    seed
        Seed of the draw.

    Returns
    -------
    float
        The rate, NaN where the network joins everything.
    int
        Number of pairs that it is over.
    """
    reached = paths(pairs, longest, causalbench=causalbench)
    missing = [
        (source, target)
        for source in held_out.parents
        for target in held_out.genes
        if source != target and target not in reached.get(source, ())
    ]
    if not missing:
        return float("nan"), 0
    random = random_generator(seed, "false omission")
    chosen = random.choice(len(missing), size=min(draws, len(missing)), replace=False)
    effects = edge_effects([missing[position] for position in chosen], held_out)
    return float(significant(effects["p_value"].to_numpy(), level=level).mean()), len(effects)
