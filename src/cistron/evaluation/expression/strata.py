"""Which cells and genes are scored together, and cells pooled by type."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.expression.alignment import RESERVED

# part of the split: how it is called in a stratum
PARTS = {"train": "seen", "test": "unseen", "validation": "validation"}


@dataclass(frozen=True)
class Stratum:
    """Cells and genes that are scored together.

    Attributes
    ----------
    name
        For example ``unseen genes, seen cells``.
    cells, genes
        Numbers of rows in the tables of :class:`cistron.evaluation.expression.alignment.Aligned`.
    genes_seen, cells_seen
        Whether the genes and the cells are of the training part.
    """

    name: str
    cells: np.ndarray
    genes: np.ndarray
    genes_seen: bool
    cells_seen: bool


def strata_of(
    observations: pd.DataFrame, genes: pd.DataFrame, unit: str, generator: np.random.Generator
) -> list[Stratum]:
    """Divide cells and genes into seen and unseen (four quadrants), with the validation parts on their own; empty parts are left out.

    Genes of a stratum come in random order, which permutations within blocks rely on.

    Parameters
    ----------
    observations, genes
        Tables with a column ``split``.
    unit
        ``cell`` or ``cell type``.
    generator
        Of the order of genes.

    Raises
    ------
    InputError
        If no stratum has an observation and 3 genes.
    """
    found = []
    for cell_part in PARTS:
        for gene_part in PARTS:
            if {cell_part, gene_part} == {"validation", "test"}:
                continue  # neither fit for choosing nor for reporting
            cells, chosen = (
                np.flatnonzero(frame["split"].astype(str).to_numpy() == part)
                for frame, part in ((observations, cell_part), (genes, gene_part))
            )
            if not len(cells) or len(chosen) < 3:
                continue
            name = f"{PARTS[gene_part]} genes, {PARTS[cell_part]} {unit}s"
            found.append(
                Stratum(
                    name, cells, generator.permutation(chosen), gene_part == "train", cell_part == "train"
                )
            )
    if not found:
        sizes = ", ".join(
            f"{count} {part} {kind}"
            for kind, frame in ((f"{unit}s", observations), ("genes", genes))
            for part, count in frame["split"].astype(str).value_counts().items()
        )
        raise InputError(f"no part of the split has a {unit} and 3 genes to score. Given: {sizes}")
    return found


def headline(names: Iterable[str]) -> str:
    """Choose the stratum to report first: unseen genes before seen ones, then unseen cells before seen ones."""
    return min(
        names,
        key=lambda name: [
            ("unseen", "validation", "seen").index(part.split()[0]) for part in name.split(", ")
        ],
    )


def scored_strata(scores: pd.DataFrame) -> list[str]:
    """Give the strata in which some prediction has a defined correlation; all of them where none has."""
    shown = scores[~scores["embedding"].isin(RESERVED) & scores["low"].notna()]
    return list((shown if len(shown) else scores)["stratum"].unique())


def pool_matrix(labels: np.ndarray, minimum: int) -> tuple[np.ndarray, list[str]]:
    """Weights that average cells of one label.

    Parameters
    ----------
    labels
        Text [cell]; cells of an empty label are left out.
    minimum
        Fewest cells of a label; others are left out.

    Returns
    -------
    ndarray
        float32 [label, cell], 1 where a cell belongs to a label.
    list of str
        The labels.
    """
    names, codes, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    kept = np.flatnonzero((counts >= minimum) & (names != ""))
    return (codes[None, :] == kept[:, None]).astype(np.float32), [str(names[number]) for number in kept]


def pool(values: np.ndarray, members: np.ndarray, logarithm: bool = False) -> np.ndarray:
    """Mean over the cells of each label that have a value, float32 [label, gene]; NaN where none has.

    Parameters
    ----------
    values
        float32 [cell, gene].
    members
        Of :func:`pool_matrix`.
    logarithm
        Values are log1p: average before the logarithm.
    """
    if logarithm:
        values = np.expm1(values)
    seen = np.isfinite(values)
    total = members @ np.where(seen, values, np.float32(0))
    number = members @ seen.astype(np.float32)
    with np.errstate(invalid="ignore"):
        mean = np.where(number > 0, total / np.maximum(number, 1), np.nan).astype(np.float32)
    return np.log1p(mean) if logarithm else mean
