"""What the preparations of all sources have in common: their settings, their result, and how they treat bad values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.lists import read_gene_list
from cistron.methods import Count, CountOrZero, NotNegative, check_settings
from cistron.omics.duplicates import Duplicates, Merging, merging
from cistron.omics.preprocessing import PreprocessingSettings


@dataclass(frozen=True)
class PreparationSettings:
    """Settings of ``cistron omics prepare``.

    Attributes
    ----------
    universe
        File with the genes to keep, one a line in the first column; all when absent.
    olfactory
        depmap: file with the olfactory receptor genes, one a line. Without it no bias is corrected.
    components
        depmap: components of the olfactory PCA.
    drop_last
        depmap: cell lines to leave out after it.
    whiten
        depmap: make the cell lines uncorrelated (generalised least squares).
    identifier
        depmap: which of SYMBOL (ENTREZ) names the genes.
    group
        tabula-sapiens: column of obs with the classes of cells.
    layer
        tabula-sapiens: layer to read instead of X.
    genes_in
        tabula-sapiens: column of var with the gene ids.
    per_cell
        tabula-sapiens: total that each cell is scaled to before the sum; 0 takes the values as they are.
    minimum_cells
        tabula-sapiens: smallest class of cells.
    duplicates
        What becomes of genes that occur more than once: sum, mean, first, or error. When absent: error for a matrix; first for
        the sources, which list few genes twice.
    matrix
        matrix: what is done to it.
    """

    universe: Path | None = None
    olfactory: Path | None = None
    components: Count = 4
    drop_last: CountOrZero = 4
    whiten: bool = False
    identifier: Literal["symbol", "entrez"] = "symbol"
    group: str = "cell_ontology_class"
    layer: str | None = None
    genes_in: str | None = None
    per_cell: NotNegative = 10_000.0
    minimum_cells: Count = 1
    duplicates: Duplicates | None = None
    matrix: PreprocessingSettings = field(default_factory=PreprocessingSettings)

    def __post_init__(self) -> None:
        check_settings(self)


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
    """Which rows are which gene; what becomes of genes that occur twice is a step."""
    found = merging(genes, settings.duplicates or "first", what)
    if found.remark:
        steps.append(found.remark)
    return found


def in_universe(genes: list[str], settings: PreparationSettings, steps: list[str]) -> np.ndarray:
    """Genes to keep, bool [gene]: those in the universe."""
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
    """Raise where a value is infinite or below ``least``."""
    values = frame.to_numpy()
    wrong = ~np.isnan(values) & ~((values >= least) & (np.abs(values) < np.finfo(np.float32).max))
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        limit = "" if least == -np.inf else " and not negative"
        raise InputError(
            f"{what}: {frame.columns[column]} of {frame.index[row]} is {values[row, column]:g}; expected finite numbers{limit}"
        )
