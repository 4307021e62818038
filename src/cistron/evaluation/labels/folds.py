"""Which genes are fitted on and which are scored: given parts, groups of chromosomes, or random folds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.evaluation.labels.tables import HOLD_OUT
from cistron.genes.splits import chromosome_groups
from cistron.runtime.seeds import random_generator

_INNER = 3


@dataclass(frozen=True)
class Fold:
    """One fit.

    Attributes
    ----------
    train, test
        Row numbers of the genes, int.
    inner
        Inner fold of each training row, int [train], numbered from 0, for choosing settings.
    """

    train: np.ndarray
    test: np.ndarray
    inner: np.ndarray


def given_folds(parts: np.ndarray) -> list[Fold]:
    """Folds of a column of parts.

    Where a part is called ``holdout`` or ``test`` it alone is scored, and the others choose the settings; else each part
    is scored in turn.
    """
    number, names = pd.factorize(parts, sort=True)  # of text much faster than numpy.unique
    held = [place for place, name in enumerate(names) if str(name).lower().replace("-", "_") in HOLD_OUT]
    outer = held or (list(range(len(names))) if len(names) > 1 else [])
    return [fold for place in outer if (fold := _fold(number, place)) is not None]


def made_folds(
    genes: int, member: np.ndarray | None, chromosomes: np.ndarray | None, folds: int, seed: int
) -> list[Fold]:
    """Folds of whole chromosomes where these are known, else of genes at random (members spread evenly).

    Parameters
    ----------
    genes
        Number of genes.
    member
        Whether each is a member, bool [gene], for labels of that kind.
    chromosomes
        Chromosome of each gene, or ``None``.
    folds
        Number of folds.
    seed
        Of the random folds.
    """
    if chromosomes is not None:
        found = len(set(chromosomes))
        if found < 2:
            return []
        number = chromosome_groups(list(chromosomes), min(folds, found))
    else:
        order = random_generator(seed, "folds of genes", genes).permutation(genes)
        if member is not None:
            order = order[np.argsort(member[order], kind="stable")]
        number = np.empty(genes, dtype=np.int64)
        number[order] = np.arange(genes) % folds
    return [fold for place in range(int(number.max()) + 1) if (fold := _fold(number, place)) is not None]


def _fold(number: np.ndarray, place: int) -> Fold | None:
    train, test = np.flatnonzero(number != place), np.flatnonzero(number == place)
    if not len(train) or not len(test):
        return None
    inner = np.unique(number[train], return_inverse=True)[1]
    return Fold(train, test, inner % _INNER if inner.max() >= _INNER else inner)
