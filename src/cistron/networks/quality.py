"""How well perturbed cells answer: cells per perturbation, and whether each knock-down is seen."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells, ReadingSettings, read_screen
from cistron.networks.effects import effects_of, perturbation_moments
from cistron.networks.energy_distance import energy_distances
from cistron.networks.normalisation import changed_genes, dominant_genes, normalise
from cistron.runtime import atomic_path


def perturbation_quality(cells: PerturbedCells, *, seed: int = 0) -> pd.DataFrame:
    """Tell for each perturbation how many cells it has, whether its knock-down is seen, and what it moved.

    Parameters
    ----------
    cells
        Perturbed cells.
    seed
        Of the permutations of the energy distance.

    Returns
    -------
    DataFrame
        One row a perturbed gene: ``gene``, ``cells``, ``guides`` (0 where unknown), ``control_mean`` and
        ``perturbed_mean`` (counts per cell of median depth, or as given), ``remaining`` (their ratio), ``z``
        (standardised shift of the gene itself), ``knock_down`` (``seen`` where z < -2, ``raised`` where z > 2,
        ``not seen`` otherwise), ``moved`` (share of the other genes with |z| > 3; 0.003 by chance), ``moved_genes`` (their number),
        ``energy_distance`` from control cells and its permutation ``energy_p``.
    """
    cells.require_perturbations("the quality view")
    effects = effects_of(cells)
    rows = np.arange(len(effects.sources))
    own = effects.z[rows, effects.sources]
    linear = perturbation_moments(_linear(cells), cells.perturbation)
    before = linear.mean[0, effects.sources]
    after = linear.mean[1 + rows, effects.sources]
    energy, p_values = energy_distances(cells, seed=seed)
    others = np.abs(effects.z) > 3
    others[rows, effects.sources] = False
    guides = np.zeros(len(rows), dtype=np.int64)
    if cells.guides is not None:
        guides[:] = [len(set(cells.guides[cells.perturbation == source])) for source in effects.sources]
    return pd.DataFrame(
        {
            "gene": [cells.genes[source] for source in effects.sources],
            "cells": effects.cells.astype(np.int64),
            "guides": guides,
            "control_mean": before,
            "perturbed_mean": after,
            "remaining": np.divide(after, before, out=np.full(len(rows), np.nan), where=before > 0),
            "z": own,
            "knock_down": np.where(own < -2, "seen", np.where(own > 2, "raised", "not seen")),
            "moved_genes": others.sum(axis=1),
            "energy_distance": energy,
            "energy_p": p_values,
            "moved": others.sum(axis=1) / max(len(cells.genes) - 1, 1),
        }
    )


def _linear(cells: PerturbedCells) -> sparse.csr_matrix:
    values = normalise(cells).copy()
    if cells.scale != "continuous":
        np.expm1(values.data, out=values.data)
    return values


def composition_remarks(cells: PerturbedCells) -> list[str]:
    """Say which genes hold so much of the counts, or change by so much, that they are left out of the totals of cells."""
    said = [
        f"{gene} holds {share:.0%} of the counts; it is left out of the cells' totals, because its changes would move "
        "every other gene"
        for gene, share in dominant_genes(cells).items()
    ]
    changed = changed_genes(cells)
    if changed:
        source, genes = max(changed.items(), key=lambda one: (one[1] != [one[0]], len(one[1])))
        said.append(
            f"{len(changed):,} perturbations change genes by a large share of the counts ({source}: {', '.join(genes[:3])}); these are "
            "left out of the totals of their cells"
        )
    return said


def quality_summary(quality: pd.DataFrame, cells: PerturbedCells) -> list[str]:
    """Say the quality view in a few lines."""
    seen = int((quality["knock_down"] == "seen").sum())
    few = int((quality["cells"] < 20).sum())
    lines = [
        f"{cells.name}: {cells.values.shape[0]:,} cells x {len(cells.genes):,} genes ({cells.scale}, "
        f"{cells.identifier_namespace} ids), {len(cells.control):,} control cells",
        f"{len(quality):,} perturbed genes with {int(quality['cells'].min()):,} to {int(quality['cells'].max()):,} cells "
        f"(median {int(quality['cells'].median()):,}); {few:,} have fewer than 20",
        f"knock-down seen for {seen:,} of {len(quality):,} perturbations",
    ]
    return [*lines, *composition_remarks(cells), *cells.remarks]


def quality_file(
    cells: str | Path,
    output: str | Path | None = None,
    *,
    reading: ReadingSettings | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, list[str]]:
    """Look at a file of cells and write the table of its perturbations.

    Parameters
    ----------
    cells
        File of cells.
    output
        Table to write (.tsv); none when absent.
    reading
        How the cells are read.
    seed
        Of the permutations of the energy distance.

    Returns
    -------
    DataFrame
        Table of :func:`perturbation_quality`.
    list of str
        Lines of :func:`quality_summary`.
    """
    data = read_screen(cells, reading)
    table = perturbation_quality(data, seed=seed)
    if output is not None:
        with atomic_path(output) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.5g")
    return table, quality_summary(table, data)
