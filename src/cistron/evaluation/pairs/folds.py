"""Gene-disjoint folds of pairs: no gene of a scored pair is in a pair that was fitted on."""

from dataclasses import dataclass

import numpy as np

from cistron.evaluation.pairs.negatives import balanced_pairs
from cistron.runtime.seeds import random_generator


@dataclass(frozen=True)
class PairFold:
    """One fit on pairs.

    Attributes
    ----------
    train, test
        ``(first, second, label)``: gene numbers and labels.
    exchange
        Exchange of each test pair (:class:`cistron.evaluation.pairs.negatives.Balanced`); ``None`` for given negatives.
    inner
        Inner fold of each training pair: ``(train, validation)`` masks, for choosing settings.
    unused
        Positives that had to be left out.
    """

    train: tuple[np.ndarray, np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray, np.ndarray]
    exchange: np.ndarray | None
    inner: tuple[tuple[np.ndarray, np.ndarray], ...]
    unused: int = 0

    @property
    def positive_genes(self) -> int:
        """Genes that the positives of the test consist of."""
        first, second, label = self.test
        return len(np.unique(np.r_[first[label], second[label]]))


def gene_groups(genes: int, folds: int, seed: int, repeat: int) -> np.ndarray:
    """Deal genes to folds at random.

    Parameters
    ----------
    genes
        Number of genes.
    folds
        Number of folds.
    seed, repeat
        Seed of the run and number of the deal.

    Returns
    -------
    ndarray
        Fold of each gene, int [gene].
    """
    order = random_generator(seed, "folds of genes of pairs", repeat).permutation(genes)
    group = np.empty(genes, dtype=np.int64)
    group[order] = np.arange(genes) % folds
    return group


def inner_masks(
    first: np.ndarray, second: np.ndarray, label: np.ndarray, seed: int, draw: int
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Two halves of the genes of the training pairs, each fitted on in turn; pairs across are left out.

    Parameters
    ----------
    first, second, label
        Training pairs by gene numbers, and their labels.
    seed, draw
        Seed of the run and number of the fold.
    """
    genes = np.unique(np.r_[first, second])
    half = random_generator(seed, "inner folds of pairs", draw).permutation(len(genes)) % 2
    side = np.zeros(int(genes.max()) + 1, dtype=np.int64) if len(genes) else np.zeros(1, dtype=np.int64)
    side[genes] = half
    inside = [(side[first] == one) & (side[second] == one) for one in (0, 1)]
    usable = all(mask.any() and label[mask].min() < label[mask].max() for mask in inside)
    return ((inside[0], inside[1]), (inside[1], inside[0])) if usable else ()


def made_folds(
    first: np.ndarray,
    second: np.ndarray,
    label: np.ndarray,
    genes: int,
    *,
    folds: int,
    repeats: int,
    balanced: bool,
    directed: bool,
    most: int,
    seed: int,
) -> list[PairFold]:
    """Repeated gene-disjoint folds.

    Parameters
    ----------
    first, second, label
        Pairs by gene numbers.
    genes
        Number of genes.
    folds, repeats
        Groups of genes, and how often they are dealt again.
    balanced
        Make degree-preserving negatives inside each part; else the given ones are used.
    directed
        Whether (a, b) and (b, a) differ.
    most
        Largest number of training pairs of a fold; more are thinned at random.
    seed
        Seed of the run.
    """
    known = known_positives(first, second, label, directed)
    made = []
    for repeat in range(repeats):
        group = gene_groups(genes, folds, seed, repeat)
        for place in range(folds):
            test = (group[first] == place) & (group[second] == place)
            train = (group[first] != place) & (group[second] != place)
            fold = _fold(
                (first, second, label),
                train,
                test,
                known,
                balanced,
                directed,
                most,
                seed,
                repeat * folds + place,
            )
            if fold is not None:
                made.append(fold)
    return made


def known_positives(
    first: np.ndarray, second: np.ndarray, label: np.ndarray, directed: bool
) -> set[tuple[int, int]]:
    """All positives as keys.

    Parameters
    ----------
    first, second, label
        Pairs by gene numbers, and their labels.
    directed
        Whether (a, b) and (b, a) differ; else the smaller number stands first.
    """
    pairs = zip(first[label].tolist(), second[label].tolist())
    return {(a, b) if directed or a < b else (b, a) for a, b in pairs}


def given_folds(
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    folds: tuple[np.ndarray, ...],
    inner: tuple[tuple[np.ndarray, ...], ...],
    *,
    balanced: bool,
    directed: bool,
    most: int,
    seed: int,
) -> list[PairFold]:
    """Folds of the table.

    Parameters
    ----------
    pairs
        First and second genes and labels.
    folds, inner
        Columns of the table.
    balanced, directed, most, seed
        As of :func:`made_folds`.
    """
    known = known_positives(*pairs, directed)
    made = []
    for number, column in enumerate(folds):
        train, test = column == "train", column == "test"
        fold = _fold(pairs, train, test, known, balanced, directed, most, seed, number)
        if fold is None:
            continue
        if not balanced and number < len(inner) and inner[number] and most >= int(train.sum()):
            masks = [(one[train] == "train", one[train] == "validation") for one in inner[number]]
            fold = PairFold(fold.train, fold.test, None, tuple(masks), 0)
        made.append(fold)
    return made


def _fold(
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    train: np.ndarray,
    test: np.ndarray,
    known: set[tuple[int, int]],
    balanced: bool,
    directed: bool,
    most: int,
    seed: int,
    draw: int,
) -> PairFold | None:
    first, second, label = pairs
    exchange, unused = None, 0
    if balanced:
        parts = []
        for mask, number in ((train & label, 2 * draw), (test & label, 2 * draw + 1)):
            if not mask.any():
                return None
            parts.append(
                balanced_pairs(first[mask], second[mask], known, directed=directed, seed=seed, draw=number)
            )
        fitted = (parts[0].first, parts[0].second, parts[0].label)
        scored = (parts[1].first, parts[1].second, parts[1].label)
        exchange, unused = parts[1].exchange, parts[1].unused
    else:
        fitted = (first[train], second[train], label[train])
        scored = (first[test], second[test], label[test])
    if len(fitted[2]) > most:
        generator = random_generator(seed, "thinned pairs", draw)
        chosen = np.sort(generator.choice(len(fitted[2]), size=most, replace=False))
        fitted = tuple(one[chosen] for one in fitted)  # type: ignore[assignment]
    for part in (fitted, scored):
        if not len(part[2]) or part[2].all() or not part[2].any():
            return None
    return PairFold(fitted, scored, exchange, inner_masks(*fitted, seed, draw), unused)
