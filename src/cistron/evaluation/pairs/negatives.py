"""Negatives that keep how often each gene occurs: partners of two positives are exchanged inside a fold.

A list of pairs in which some genes are mostly positive is predicted by how often a gene occurs, without any biology. After an
exchange every gene stands in as many negatives as positives, so that nothing about a single gene tells a pair apart.
"""

from dataclasses import dataclass

import numpy as np

from cistron.runtime.seeds import random_generator

_TRIES = 200  # partners tried for a positive before it is given up
_ENOUGH = 40  # exchanges that are possible, of which the one with the partners of most alike degree is taken


@dataclass(frozen=True)
class Balanced:
    """Pairs of which every gene is in as many positives as negatives.

    Attributes
    ----------
    first, second
        Gene numbers, int [pair].
    label
        Whether the pair is a positive, bool [pair].
    exchange
        Number of the exchange that a pair belongs to, int [pair]: two positives and the two negatives made of them.
    unused
        Positives that found no partner to exchange with.
    """

    first: np.ndarray
    second: np.ndarray
    label: np.ndarray
    exchange: np.ndarray
    unused: int


def balanced_pairs(
    first: np.ndarray,
    second: np.ndarray,
    known: set[tuple[int, int]],
    *,
    directed: bool,
    seed: int,
    draw: int,
) -> Balanced:
    """Match positives two by two and exchange their partners.

    Parameters
    ----------
    first, second
        Genes of the positives of one fold, int [pair].
    known
        All positive pairs of the whole list, which no negative may be; of an undirected list with the smaller number first.
    directed
        Whether (a, b) and (b, a) differ; then only the second genes are exchanged.
    seed, draw
        Seed of the run and number of the draw.

    Returns
    -------
    Balanced
        Positives whose gene is in most others (hubs) choose first, because they find fewest partners. Partners of like degree
        are exchanged, so that also the sum over both genes of how often they occur is spread alike.
    """
    generator = random_generator(seed, "balanced pairs", draw)
    number = len(first)
    degree = (
        np.bincount(np.r_[first, second], minlength=int(max(first.max(), second.max())) + 1)
        if number
        else np.zeros(1)
    )
    hub = np.maximum(degree[first], degree[second]) if number else np.zeros(0)
    order = np.lexsort((generator.random(number), -hub))
    free = np.ones(number, dtype=bool)
    made: set[tuple[int, int]] = set()
    positives: list[int] = []
    negatives: list[tuple[int, int]] = []

    def key(a: int, b: int) -> tuple[int, int]:
        return (a, b) if directed or a < b else (b, a)

    def allowed(a: int, b: int) -> bool:
        return a != b and key(a, b) not in known and key(a, b) not in made

    for place in order:
        if not free[place]:
            continue
        free[place] = False
        others = generator.permutation(np.flatnonzero(free))[:_TRIES]
        a, b = int(first[place]), int(second[place])
        best: tuple[int, int, int, int] | None = (
            None  # how unlike the partners are, the other pair, the new partners
        )
        found = 0
        for other in others.tolist():
            c, d = int(first[other]), int(second[other])
            for x, y in [(d, c)] if directed else [(d, c), (c, d)]:
                if allowed(a, x) and allowed(y, b) and key(a, x) != key(y, b):
                    unlike = abs(int(degree[b]) - int(degree[x]))
                    best = min(best, (unlike, other, x, y)) if best else (unlike, other, x, y)
                    found += 1
            if best and (best[0] == 0 or found >= _ENOUGH):
                break
        if best is not None:
            _, other, x, y = best
            made |= {key(a, x), key(y, b)}
            positives += [int(place), other]
            negatives += [(a, x), (y, b)]
            free[other] = False
    kept = np.array(positives, dtype=np.int64)
    exchange = np.repeat(np.arange(len(kept) // 2), 2)
    extra = np.array(negatives, dtype=np.int64).reshape(-1, 2)
    return Balanced(
        np.r_[first[kept], extra[:, 0]],
        np.r_[second[kept], extra[:, 1]],
        np.r_[np.ones(len(kept), dtype=bool), np.zeros(len(extra), dtype=bool)],
        np.r_[exchange, exchange],
        number - len(kept),
    )


def occurrence_scores(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How often both genes of each pair occur in the scored list, without looking at a label; float64 [pair]."""
    times = np.bincount(np.r_[first, second])
    return (times[first] + times[second]).astype(np.float64)


def positive_rates(
    first: np.ndarray, second: np.ndarray, label: np.ndarray, exchange: np.ndarray | None = None
) -> np.ndarray:
    """Share of positives among the other pairs of each gene, summed over both genes; float64 [pair].

    Parameters
    ----------
    first, second
        Genes, int [pair].
    label
        Whether the pair is a positive, bool [pair].
    exchange
        Number of the exchange of each pair: its other pairs are left out as well. Without this a positive would be told by
        that its gene has one positive fewer than negatives left.

    Returns
    -------
    ndarray
        A gene that is in no other pair counts with the share of positives in the list.
    """
    size = int(max(first.max(), second.max())) + 1
    overall = float(label.mean())
    groups = np.arange(len(label)) if exchange is None else np.asarray(exchange)
    times = np.bincount(np.r_[first, second], minlength=size).astype(np.float64)
    hits = np.bincount(np.r_[first, second], np.r_[label, label].astype(np.float64), minlength=size)
    # what a gene loses when the group of a pair is left out
    whole = groups.astype(np.int64) * size
    width = (int(groups.max()) + 1) * size
    lost_times = np.bincount(np.r_[whole + first, whole + second], minlength=width)
    lost_hits = np.bincount(
        np.r_[whole + first, whole + second], np.r_[label, label].astype(float), minlength=width
    )
    total = np.zeros(len(label))
    for gene in (first, second):
        left = times[gene] - lost_times[whole + gene]
        rate = (hits[gene] - lost_hits[whole + gene]) / np.maximum(left, 1.0)
        total += np.where(left > 0, rate, overall)
    return total
