"""Which genes and cell types are fitted on, chosen with and tested on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks
from cistron.genes.splits import Split, normalise_chromosome

HeldOut = Literal["genes", "cell-types", "both"]
VALIDATION_CHROMOSOMES = ("13", "14")
TEST_CHROMOSOMES = tuple(str(number) for number in range(15, 23))
TRAINING_CHROMOSOMES = tuple(str(number) for number in range(1, 13))


@dataclass(frozen=True)
class TwoAxisSplit:
    """Splits along both axes.

    Attributes
    ----------
    genes, cell_types
        Disjoint train, validation and test of each axis; what is in none is unused.
    """

    genes: Split
    cell_types: Split

    def gene_rows(self, store: GeneTracks, *parts: str) -> np.ndarray:
        """Rows of the genes in some parts, int, sorted."""
        return np.flatnonzero(np.isin(self.genes.part_of(store.genes), parts))

    def cell_numbers(self, store: GeneTracks, *parts: str) -> np.ndarray:
        """Numbers of the cell types in some parts, int, sorted."""
        return np.flatnonzero(np.isin(self.cell_types.part_of(store.cell_types), parts))


def choose_split(
    store: GeneTracks,
    held_out: HeldOut = "genes",
    validation_cell_types: Iterable[str] = (),
    test_cell_types: Iterable[str] = (),
) -> TwoAxisSplit:
    """Split genes by the store's own column ``split``, else by chromosome (train 1-12, validation 13-14, test 15-22).

    Parameters
    ----------
    store
        Data.
    held_out
        What is held out: ``genes``, ``cell-types`` (every gene is fitted on), or ``both``.
    validation_cell_types, test_cell_types
        Names, where cell types are held out.

    Raises
    ------
    InputError
        If a part would be empty, or a cell type is unknown.
    """
    validation, test = list(validation_cell_types), list(test_cell_types)
    if held_out == "genes" and (validation or test):
        raise InputError("cell types are held out with --held-out cell-types or both")
    if held_out != "genes" and not test:
        raise InputError(f"--held-out {held_out} needs --test-cell-types")
    unknown = [name for name in (*validation, *test) if name not in store.cell_types]
    if unknown:
        raise InputError(
            f"there is no cell type {unknown[0]!r} in {store.path.name}; it has {', '.join(store.cell_types)}"
        )
    train = [name for name in store.cell_types if name not in {*validation, *test}]
    if not train:
        raise InputError("the split leaves no cell type to train on; hold out fewer")
    cells = Split(frozenset(train), frozenset(validation), frozenset(test), how="by name")
    if held_out == "cell-types":
        return TwoAxisSplit(Split(frozenset(store.genes), frozenset(), frozenset(), how="none"), cells)
    return TwoAxisSplit(_gene_split(store), cells)


def _gene_split(store: GeneTracks) -> Split:
    table = store.tracks.sequences
    if "split" in table:
        return _as_split(store.genes, table["split"].tolist(), "as given")
    parts = [_part_of_chromosome(name) for name in table["chromosome"]]
    split = _as_split(store.genes, parts, "by chromosome")
    for part, where in (("train", "1 to 12"), ("validation", "13 and 14"), ("test", "15 to 22")):
        if not getattr(split, part):
            raise InputError(
                f"no gene of {store.path.name} lies on chromosomes {where} ({part}); give the data a split of their own "
                "(cistron chromatin build --split)"
            )
    return split


def _part_of_chromosome(name: str) -> str:
    name = normalise_chromosome(name)
    for part, chromosomes in (
        ("train", TRAINING_CHROMOSOMES),
        ("validation", VALIDATION_CHROMOSOMES),
        ("test", TEST_CHROMOSOMES),
    ):
        if name in chromosomes:
            return part
    return "unused"


def _as_split(names: Sequence[str], parts: Sequence[str], how: str) -> Split:
    sets = {
        part: frozenset(name for name, own in zip(names, parts) if own == part)
        for part in ("train", "validation", "test")
    }
    return Split(sets["train"], sets["validation"], sets["test"], how)
