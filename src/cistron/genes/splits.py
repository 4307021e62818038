"""Splits of genes, and the guard that keeps held-out genes away from code that fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError, LeakageError
from cistron.genes.chromosomes import AUTOSOMES, normalise_chromosome, normalise_chromosomes
from cistron.runtime.seeds import random_generator

__all__ = [
    "AUTOSOMES",
    "Split",
    "chromosome_groups",
    "normalise_chromosome",
    "normalise_chromosomes",
    "split_at_random",
    "split_by_group",
]


def chromosome_groups(chromosomes: Sequence[str], number: int | None = None) -> np.ndarray:
    """Assign each gene to a fold such that no chromosome is divided.

    Parameters
    ----------
    chromosomes
        Chromosome of each gene.
    number
        Number of folds; ``None`` gives each chromosome its own. Chromosomes are dealt, largest first, to
        the fold with the fewest genes.

    Returns
    -------
    ndarray of int
        Fold of each gene [gene].

    Raises
    ------
    InputError
        If there are fewer than two chromosomes, or more folds than chromosomes.
    """
    names = np.array(normalise_chromosomes(chromosomes), dtype=str)
    found, position, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(found) < 2:
        raise InputError(
            f"leaving a chromosome out needs genes on at least 2 chromosomes. "
            f"Given: {len(names):,} genes, all on {', '.join(found) or 'none'}"
        )
    if number is None:
        order = sorted(range(len(found)), key=lambda index: (len(found[index]), found[index]))
        rank = np.empty(len(found), dtype=np.int64)
        rank[order] = np.arange(len(found))
        return rank[position]
    if not 2 <= number <= len(found):
        raise InputError(
            f"chromosome groups must be between 2 and {len(found)} (chromosomes). Given: {number}"
        )
    sizes = np.zeros(number)
    fold = np.empty(len(found), dtype=np.int64)
    for index in np.argsort(-counts, kind="stable"):
        fold[index] = int(np.argmin(sizes))
        sizes[fold[index]] += counts[index]
    return fold[position]


@dataclass(frozen=True)
class Split:
    """Names of train, validation and test along one axis; disjoint by construction.

    Raises
    ------
    LeakageError
        If a name stands in two parts.
    """

    train: frozenset[str]
    validation: frozenset[str]
    test: frozenset[str]
    how: str = ""

    def __post_init__(self) -> None:
        for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
            both = getattr(self, first) & getattr(self, second)
            if both:
                raise LeakageError(
                    f"{len(both):,} names are in both {first} and {second}, for example {sorted(both)[0]}"
                )

    def part_of(self, names: Iterable[str]) -> list[str]:
        """Give ``train``, ``validation``, ``test`` or ``unused`` for each name."""
        parts = {name: part for part in ("train", "validation", "test") for name in getattr(self, part)}
        return [parts.get(str(name), "unused") for name in names]

    def require_training(self, names: Iterable[str], what: str) -> None:
        """Raise unless all ``names`` belong to train.

        Raises
        ------
        LeakageError
            If a name is held out or unknown to the split.
        """
        held_out = [name for name in map(str, names) if name not in self.train]
        if held_out:
            raise LeakageError(
                f"{what} was given {len(held_out):,} names outside the training part to fit on, "
                f"for example {held_out[0]}; select the training part first"
            )


def split_by_group(
    names: Sequence[str],
    groups: Sequence[str],
    *,
    validation: Iterable[str] = (),
    test: Iterable[str] = (),
) -> Split:
    """Split names by their group (chromosome, homology component, donor): whole groups are held out.

    Parameters
    ----------
    names
        Names to split.
    groups
        Group of each name.
    validation, test
        Groups that are held out.

    Raises
    ------
    InputError
        If a held-out group does not occur, or nothing is left to train on.
    """
    groups = [str(group) for group in groups]
    validation, test = set(map(str, validation)), set(map(str, test))
    absent = (validation | test) - set(groups)
    if absent:
        raise InputError(
            f"held-out group {sorted(absent)[0]} does not occur; groups are {', '.join(sorted(set(groups)))}"
        )
    parts: dict[str, set[str]] = {"train": set(), "validation": set(), "test": set()}
    for name, group in zip(names, groups, strict=True):
        part = "test" if group in test else "validation" if group in validation else "train"
        parts[part].add(str(name))
    if not parts["train"]:
        raise InputError("the split leaves nothing to train on; hold out fewer groups")
    return Split(
        frozenset(parts["train"]), frozenset(parts["validation"]), frozenset(parts["test"]), how="by group"
    )


def split_at_random(
    names: Sequence[str], *, validation: float = 0.1, test: float = 0.2, seed: int = 0
) -> Split:
    """Split names at random in given proportions.

    Parameters
    ----------
    names
        Names to split; their order does not matter.
    validation, test
        Shares of the names.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        If the proportions are negative or leave nothing to train on.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise InputError(f"proportions must be >= 0 and sum to less than 1. Given: {validation} and {test}")
    ordered = np.array(sorted(map(str, names)))
    random_generator(seed, "split").shuffle(ordered)
    tested, validated = round(test * len(ordered)), round(validation * len(ordered))
    return Split(
        frozenset(ordered[tested + validated :].tolist()),
        frozenset(ordered[tested : tested + validated].tolist()),
        frozenset(ordered[:tested].tolist()),
        how=f"at random, seed {seed}",
    )
