"""Score any class with CausalBench's interface on any perturbed cells.

CausalBench's models are called as ``model(expression_matrix, interventions, gene_names, training_regime, seed)``
and return a list of pairs (source, target). Anything with that signature can be scored here, without its package.
"""

import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.edges.interventions import (
    HeldOutCells,
    Pair,
    edge_effects,
    held_out_cells,
    permutation_null,
    significant,
)
from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells, ReadingSettings, read_screen, split_cells
from cistron.runtime.files import atomic_path, check_writable
from cistron.runtime.progress import say, track
from cistron.runtime.seeds import random_generator

EdgeModel = Callable[[np.ndarray, list[str], list[str], Any, int], Sequence[Pair]]
FRACTIONS = (0.25, 0.5, 0.75, 1.0)


class TrainingRegime(enum.Enum):
    """The three regimes of CausalBench, with its names."""

    Observational = "observational"
    PartialIntervational = "partial_interventional"
    Interventional = "interventional"


def training_rows(
    cells: PerturbedCells, rows: np.ndarray, fraction: float, seed: int = 0
) -> tuple[np.ndarray, TrainingRegime]:
    """Keep control cells and the cells of a random ``fraction`` of the perturbed genes.

    Parameters
    ----------
    cells
        Perturbed cells.
    rows
        Row numbers to choose from.
    fraction
        0 is observational, 1 interventional, between them partial.
    seed
        Chooses the genes; smaller fractions are subsets of larger ones.
    """
    if not 0 <= fraction <= 1:
        raise InputError(f"the fraction of perturbed genes must be within 0 and 1. Given: {fraction:g}")
    genes = random_generator(seed, "perturbed genes kept").permutation(cells.perturbed)
    kept = genes[: round(fraction * len(genes))]
    labels = cells.perturbation[rows]
    regime = (
        TrainingRegime.Observational
        if fraction == 0
        else TrainingRegime.Interventional
        if fraction == 1
        else TrainingRegime.PartialIntervational
    )
    return rows[(labels == -1) | np.isin(labels, kept)], regime


def call_model(
    model: EdgeModel, cells: PerturbedCells, rows: np.ndarray, regime: TrainingRegime, seed: int
) -> list[Pair]:
    """Hand training cells to a model in CausalBench's form (log-normalised dense matrix, ``non-targeting``).

    Parameters
    ----------
    model
        What is called.
    cells
        Perturbed cells.
    rows
        Rows of the training cells.
    regime
        Training regime that the model is told.
    seed
        Seed that the model is told.
    """
    values = log_normalise(cells.values, cells.scale)[rows].toarray()
    names = np.array([*cells.genes, "non-targeting"], dtype=object)
    answer = model(values, names[cells.perturbation[rows]].tolist(), list(cells.genes), regime, seed)
    pairs = [(str(source), str(target)) for source, target in answer]
    unknown = {gene for pair in pairs for gene in pair} - set(cells.genes)
    if unknown:
        raise InputError(
            f"the model returned {len(unknown):,} genes that it was not given, for example {sorted(unknown)[0]}"
        )
    return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


def evaluate_model(
    model: EdgeModel,
    cells: PerturbedCells,
    *,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    least_edges: int = 1000,
) -> pd.DataFrame:
    """Fit a model at several fractions of perturbed genes and score its edges on held-out cells.

    Parameters
    ----------
    model
        What is scored.
    cells
        Perturbed cells; split 80/20 as CausalBench does.
    fractions
        Fractions of perturbed genes for training.
    seed
        Seed of the choice of genes and of the model.
    least_edges
        The challenge asked for at least 1,000 edges; ``enough`` tells whether they were given.

    Returns
    -------
    DataFrame
        One row a fraction: ``fraction, edges, judged, mean_wasserstein, null_wasserstein, significant, enough``.
    """
    train, test = split_cells(cells)
    held_out: HeldOutCells = held_out_cells(cells, test)
    rows = []
    for fraction in track(list(fractions), "fractions of perturbed genes"):
        kept, regime = training_rows(cells, train, fraction, seed)
        pairs = call_model(model, cells, kept, regime, seed)
        effects = edge_effects(pairs, held_out)
        empty = not len(effects)
        rows.append(
            {
                "fraction": fraction,
                "edges": len(pairs),
                "judged": len(effects),
                "mean_wasserstein": np.nan if empty else float(effects["wasserstein"].mean()),
                "null_wasserstein": np.nan
                if empty
                else float(permutation_null(effects, held_out, repeats=1, seed=seed).mean()),
                "significant": np.nan if empty else float(significant(effects["p_value"].to_numpy()).mean()),
                "enough": len(pairs) >= least_edges,
            }
        )
    return pd.DataFrame(rows)


def run_regimes(
    model: EdgeModel,
    cells: str | Path,
    output: str | Path,
    *,
    fractions: Sequence[float] = FRACTIONS,
    least_edges: int = 1000,
    seed: int = 0,
    reading: ReadingSettings | None = None,
) -> pd.DataFrame:
    """Score a model on a file of cells and write the table of :func:`evaluate_model`.

    Parameters
    ----------
    model
        What is scored.
    cells
        File of cells.
    output
        Table to write (.tsv).
    fractions, least_edges, seed
        As of :func:`evaluate_model`.
    reading
        How the cells are read.

    Returns
    -------
    DataFrame
        What was written.

    Raises
    ------
    InputError
        If the cells cannot be read or the output cannot be written.
    """
    check_writable(Path(output))
    data = read_screen(cells, reading)
    for remark in data.remarks:
        say(f"{data.name}: {remark}")
    table = evaluate_model(model, data, fractions=fractions, seed=seed, least_edges=least_edges)
    with atomic_path(output) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g")
    return table


def challenge_score(table: pd.DataFrame) -> float:
    """Area under the mean Wasserstein distance over the fractions, divided by their range (trapezium rule)."""
    if len(table) < 2:
        return float(table["mean_wasserstein"].mean())
    x, y = table["fraction"].to_numpy(), table["mean_wasserstein"].to_numpy()
    return float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2) / (x[-1] - x[0]))
