"""What the preparations of all sources have in common: their settings, their result, and how they treat bad values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.lists import read_gene_list
from cistron.omics.duplicates import Merging, merging
from cistron.omics.settings_preparation import PreparationSettings


@dataclass(frozen=True)
class Prepared:
    """A matrix ready to be written: names, blocks of rows in order, and what was done."""

    genes: list[str]
    samples: list[str]
    blocks: Iterator[np.ndarray]
    steps: list[str]
    sample_table: dict[str, np.ndarray] = field(default_factory=dict)


def listed_genes(path: Path) -> list[str]:
    """Genes of a list, Ensembl ids without version."""
    genes = read_gene_list(path, "list of genes")
    return normalise_identifiers(genes, guess_namespace(genes))


def merged_genes(genes: list[str], settings: PreparationSettings, what: str, steps: list[str]) -> Merging:
    """Which rows are which gene; what becomes of genes that occur twice is a step.

    Parameters
    ----------
    genes
        Gene of each row.
    settings
        Of the preparation.
    what
        What the rows are of, for the message.
    steps
        List of what was done, which is added to.
    """
    found = merging(genes, settings.duplicates or "first", what)
    if found.remark:
        steps.append(found.remark)
    return found


def in_universe(genes: list[str], settings: PreparationSettings, steps: list[str]) -> np.ndarray:
    """Genes to keep, bool [gene]: those in the universe.

    Parameters
    ----------
    genes
        Genes in order.
    settings
        Of the preparation.
    steps
        List of what was done, which is added to.
    """
    if settings.universe is None:
        return np.ones(len(genes), dtype=bool)
    universe = set(listed_genes(settings.universe))
    inside = pd.Index(genes).isin(list(universe))
    if not inside.any():
        raise InputError(
            f"none of {len(genes):,} genes is in {settings.universe}; check that both use the same ids "
            f"({genes[0]} against {min(universe)})"
        )
    steps.append(f"{int((~inside).sum()):,} of {len(genes):,} genes outside the universe left out")
    return inside


def refuse_unmeasurable(frame: pd.DataFrame, what: str, least: float = 0.0) -> None:
    """Raise where a value is infinite or below ``least``.

    Parameters
    ----------
    frame
        Numbers [gene, sample].
    what
        What the table is, for the message.
    least
        Smallest value that can be measured.
    """
    values = frame.to_numpy()
    wrong = ~np.isnan(values) & ~((values >= least) & (np.abs(values) < np.finfo(np.float32).max))
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        limit = "" if least == -np.inf else " and not negative"
        raise InputError(
            f"{what}: {frame.columns[column]} of {frame.index[row]} is {values[row, column]:g}; expected finite numbers{limit}"
        )
