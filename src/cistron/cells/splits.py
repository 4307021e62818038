"""Splits on both axes: which genes and which cells are fitted on, chosen on, and tested on."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.cells.inputs import Cells, labels_of
from cistron.cells.settings import SplitSettings
from cistron.errors import InputError
from cistron.genes.identity import join_advice
from cistron.genes.splits import Split, normalise_chromosomes, split_at_random, split_by_group
from cistron.runtime.files import atomic_path
from cistron.runtime.seeds import random_generator

PARTS = ("train", "validation", "test")
# Names of the parts as Enformer's and others' region files spell them.
_REGION_PARTS = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class CellSplit:
    """Train, validation and test along both axes.

    Attributes
    ----------
    genes, cells
        One split an axis.
    """

    genes: Split
    cells: Split

    def require_training(self, genes: Sequence[str], cells: Sequence[str], what: str) -> None:
        """Raise unless all genes and cells belong to the training parts.

        Parameters
        ----------
        genes, cells
            Names of what something is fitted on.
        what
            What is fitted, for the message.

        Raises
        ------
        LeakageError
            Naming a gene or a cell that was held out.
        """
        self.genes.require_training(genes, f"{what} (genes)")
        self.cells.require_training(cells, f"{what} (cells)")


def split_both(
    cells: Cells,
    settings: SplitSettings,
    *,
    genes: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    donor: str = "donor",
    cell_type: str = "cell_type",
    seed: int = 0,
) -> CellSplit:
    """Split genes and cells.

    Parameters
    ----------
    cells
        The cells.
    settings
        How.
    genes
        Table indexed by gene with the columns that the split needs: ``chromosome``; ``group``; for regions
        ``chromosome`` and ``position`` (of the transcription start site).
    regions
        Table ``chromosome``, ``start``, ``end``, ``name`` (train, valid or test), for ``regions``.
    donor, cell_type
        Columns of the cells' table.
    seed
        Seed of what is random.

    Raises
    ------
    InputError
        If a column is absent, a name does not occur, or nothing is left to train or test on.
    """
    split = CellSplit(
        _split_genes(cells, settings, genes, regions, seed),
        _split_cells(cells, settings, donor, cell_type, seed),
    )
    if not split.genes.test:
        raise InputError("the split holds out no genes; name --test-chromosome, or raise --test-genes")
    return split


def _column(genes: pd.DataFrame, names: Sequence[str], column: str, how: str) -> pd.Series:
    if column not in genes:
        raise InputError(
            f"a gene split by {how} needs the {column} of each gene; give --annotation (GTF, BED or a table) with a "
            f"column {column!r}, or use --gene-split random (the genes' own columns are {', '.join(map(str, genes.columns)) or 'none'})"
        )
    found = genes[column].reindex(list(names))
    if found.isna().all():
        advice = join_advice([str(gene) for gene in genes.index], list(names), "the gene table", "the cells")
        raise InputError(f"the gene table names none of the {len(names):,} genes: {advice}")
    return found


def _split_genes(
    cells: Cells, settings: SplitSettings, genes: pd.DataFrame, regions: pd.DataFrame | None, seed: int
) -> Split:
    if settings.genes == "random":
        return split_at_random(
            cells.genes, validation=settings.validation_genes, test=settings.test_genes, seed=seed
        )
    if settings.genes == "regions":
        return _split_by_regions(cells, genes, regions)
    column = "chromosome" if settings.genes == "chromosome" else "group"
    found = _column(genes, cells.genes, column, settings.genes)
    known = found[found.notna()]
    if column == "chromosome":
        labels = normalise_chromosomes(known.astype(str).tolist())
        test = normalise_chromosomes(settings.test_chromosomes)
        validation = normalise_chromosomes(settings.validation_chromosomes)
    else:
        labels, test, validation = known.astype(str).tolist(), [], []
    if not test:
        test, drawn = _draw_groups(
            labels, settings.test_genes, settings.validation_genes, seed, set(validation)
        )
        validation = validation or drawn
    split = split_by_group(list(known.index), labels, validation=validation, test=test)
    how = f"by {settings.genes}: test {_few(test)}; validation {_few(validation) or 'none'}"
    return Split(split.train, split.validation, split.test, how=how)


def _few(names: Sequence[str]) -> str:
    names = sorted(names, key=lambda name: (len(name), name))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _draw_groups(
    labels: Sequence[str], test: float, validation: float, seed: int, taken: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Draw whole groups until their members reach the shares that are asked for."""
    if test < 0 or validation < 0 or test + validation >= 1:
        raise InputError(f"shares must be >= 0 and sum to less than 1. Given: {test} and {validation}")
    names, counts = np.unique(np.array(labels, dtype=str), return_counts=True)
    order = random_generator(seed, "split groups").permutation(len(names))
    parts: tuple[list[str], list[str]] = ([], [])
    sizes = [0, 0]
    for index in order:
        if names[index] in taken:
            continue
        for number, share in enumerate((test, validation)):
            if sizes[number] < share * len(labels):
                parts[number].append(str(names[index]))
                sizes[number] += int(counts[index])
                break
    return parts


def _split_by_regions(cells: Cells, genes: pd.DataFrame, regions: pd.DataFrame | None) -> Split:
    if regions is None:
        raise InputError(
            "a gene split by regions needs --regions FILE.bed with train, valid or test in column 4"
        )
    chromosome = _column(genes, cells.genes, "chromosome", "regions")
    position = _column(genes, cells.genes, "position", "regions")
    regions = regions.assign(part=regions["name"].str.lower().map(_REGION_PARTS))
    if regions["part"].isna().any():
        strange = regions.loc[regions["part"].isna(), "name"].iloc[0]
        raise InputError(f"regions: column 4 must be train, valid or test. Given: {strange!r}")
    regions = regions.assign(chromosome=normalise_chromosomes(regions["chromosome"].tolist()))
    by_chromosome = dict(iter(regions.groupby("chromosome")))
    parts: dict[str, set[str]] = {part: set() for part in PARTS}
    known = chromosome.notna() & position.notna()
    for gene in chromosome.index[known]:
        table = by_chromosome.get(normalise_chromosomes([str(chromosome[gene])])[0])
        place = int(position[gene])
        found = (
            set()
            if table is None
            else set(table.loc[(table["start"] <= place) & (place < table["end"]), "part"])
        )
        # What a model was trained on is never held out; a gene in no region is trained on, for it proves nothing.
        part = "train" if "train" in found or not found else "validation" if "validation" in found else "test"
        parts[part].add(str(gene))
    how = f"by the regions of a sequence model ({sum(map(len, parts.values())):,} genes placed)"
    return Split(frozenset(parts["train"]), frozenset(parts["validation"]), frozenset(parts["test"]), how)


def _split_cells(cells: Cells, settings: SplitSettings, donor: str, cell_type: str, seed: int) -> Split:
    names = list(map(str, cells.observations.index))
    if settings.cells == "none":
        return Split(frozenset(names), frozenset(), frozenset(), how="all cells are trained on")
    if settings.cells == "random":
        return split_at_random(
            names, validation=settings.validation_cells, test=settings.test_cells, seed=seed
        )
    labels = labels_of(cells, donor if settings.cells == "donor" else cell_type).tolist()
    test, validation = _draw_groups(labels, settings.test_cells, settings.validation_cells, seed)
    split = split_by_group(names, labels, validation=validation, test=test)
    how = f"by {settings.cells}: test {_few(test)}; validation {_few(validation) or 'none'}"
    return Split(split.train, split.validation, split.test, how=how)


def write_split(split: CellSplit, path: str | Path) -> None:
    """Write both axes as JSON: ``how`` and the sorted names of each part."""
    document = {
        "schema": "cistron.split",
        "schema_version": 1,
        **{
            axis: {"how": one.how, **{part: sorted(getattr(one, part)) for part in PARTS}}
            for axis, one in (("genes", split.genes), ("cells", split.cells))
        },
    }
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(document, indent=0) + "\n")


def read_split(path: str | Path) -> CellSplit:
    """Read what :func:`write_split` wrote, or a file of the same form made by hand.

    Raises
    ------
    InputError
        If it cannot be read.
    LeakageError
        If a gene or a cell stands in two parts.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"split {path} does not exist")
    try:
        document = json.loads(path.read_text())
        axes = [_axis(document[axis], path.name) for axis in ("genes", "cells")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"split {path.name} cannot be read ({type(error).__name__}); expected JSON with genes and cells, each with "
            "train, validation and test"
        ) from error
    if not axes[0].train or not axes[1].train:
        raise InputError(f"split {path.name} leaves nothing to train on")
    return CellSplit(*axes)


def _axis(document: Mapping[str, Any], name: str) -> Split:
    train, validation, test = (frozenset(map(str, document.get(part, ()))) for part in PARTS)
    return Split(train, validation, test, str(document.get("how", name)))
