"""What an embedding tells of pairs of genes beyond trivial columns of the two genes.

Genes are dealt to groups that share as few pairs as may be, pairs across groups are left out, and each group is left out of
the fit in turn. No gene is then in two groups, so the groups are independent, which the interval rests on.
"""

from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.evaluation.pairs.features import pair_kernels
from cistron.evaluation.pairs.folds import known_positives
from cistron.evaluation.pairs.negatives import balanced_pairs
from cistron.evaluation.rivals import Gain, gain_beyond
from cistron.runtime.seeds import random_generator

GROUPS = 8
_LEAST_GROUPS = 4
_LANDMARKS = 100
_PAIRS_PER_COLUMN = 10
_EVEN = 1.1  # a group holds at most that many times its share of the genes


@dataclass(frozen=True)
class GroupedPairs:
    """Pairs within groups of genes that share no gene.

    Attributes
    ----------
    first, second
        Gene numbers, int [pair].
    label
        Whether the pair is a positive, bool [pair].
    group
        Group of the two genes, int [pair], numbered from 0 without gaps.
    listed
        Pairs of the whole list.
    """

    first: np.ndarray
    second: np.ndarray
    label: np.ndarray
    group: np.ndarray
    listed: int


def deal_genes(first: np.ndarray, second: np.ndarray, genes: int, groups: int, seed: int) -> np.ndarray:
    """Deal genes to groups of even size such that many pairs lie within one, int [gene].

    Genes are taken in random order, each to the group with most of its partners, weighted by the room that is left (linear
    deterministic greedy partitioning, Stanton and Kliot 2012), three times over.

    Parameters
    ----------
    first, second
        Gene numbers of the pairs, int [pair].
    genes, groups
        Number of genes and of groups.
    seed
        Seed of the order.
    """
    partners: list[list[int]] = [[] for _ in range(genes)]
    for a, b in zip(first.tolist(), second.tolist()):
        partners[a].append(b)
        partners[b].append(a)
    generator = random_generator(seed, "groups of genes of pairs")
    room = _EVEN * genes / groups
    group = np.full(genes, -1, dtype=np.int64)
    sizes = np.zeros(groups)
    for _ in range(3):
        for gene in generator.permutation(genes):
            if group[gene] >= 0:
                sizes[group[gene]] -= 1
            near = group[partners[gene]]
            inside = np.bincount(near[near >= 0], minlength=groups)
            chosen = int(np.argmax((inside + 0.5) * (1.0 - sizes / room)))
            group[gene] = chosen
            sizes[chosen] += 1
    return group


def group_pairs(
    first: np.ndarray, second: np.ndarray, label: np.ndarray, genes: int, *, balanced: bool, directed: bool, seed: int
) -> GroupedPairs | None:  # fmt: skip
    """Pairs within groups of genes; ``None`` where fewer than four groups hold positives and negatives.

    Parameters
    ----------
    first, second, label
        Pairs by gene numbers, and their labels.
    genes
        Number of genes.
    balanced
        Make degree-preserving negatives within each group; else the given ones are used.
    directed
        Whether (a, b) and (b, a) differ.
    seed
        Seed of groups and negatives.
    """
    used = label if balanced else np.ones(len(label), dtype=bool)
    dealt = deal_genes(first[used], second[used], genes, GROUPS, seed)
    known = known_positives(first, second, label, directed)
    parts = []
    for number in range(GROUPS):
        inside = used & (dealt[first] == number) & (dealt[second] == number)
        part = first[inside], second[inside], label[inside]
        if balanced and inside.any():
            made = balanced_pairs(
                *part[:2], known, directed=directed, seed=seed, draw=1_000_000 + number
            )  # draws of folds are numbered from 0
            part = made.first, made.second, made.label
        if len(part[2]) and part[2].any() and not part[2].all():
            parts.append(part)
    if len(parts) < _LEAST_GROUPS:
        return None
    group = np.repeat(np.arange(len(parts)), [len(part[2]) for part in parts])
    whole = [np.concatenate(one) for one in zip(*parts)]
    return GroupedPairs(whole[0], whole[1], whole[2], group, int(used.sum()))


def trivial_pair_columns(columns: np.ndarray, pairs: GroupedPairs, directed: bool) -> np.ndarray:
    """Columns of pairs, float64 [pair, column]: those of both genes, or what does not depend on their order.

    Parameters
    ----------
    columns
        Trivial columns of genes, float64 [gene, column].
    pairs
        Pairs.
    directed
        Whether (a, b) and (b, a) differ.
    """
    a, b = columns[pairs.first], columns[pairs.second]
    found = np.hstack([a, b] if directed else [a + b, np.abs(a - b)])
    found = found[:, found.std(axis=0) > 1e-9]
    return found / found.std(axis=0) if found.size else found


def occurrence_columns(first: np.ndarray, second: np.ndarray, genes: int) -> np.ndarray:
    """Logarithm of how often each gene occurs in the list, float64 [gene, 1]; uses no label.

    Parameters
    ----------
    first, second
        Gene numbers of the listed pairs, int [pair].
    genes
        Number of genes.
    """
    return np.log1p(np.bincount(np.r_[first, second], minlength=genes).astype(np.float64))[:, None]


def kernel_columns(values: np.ndarray, pairs: GroupedPairs, combination: str, seed: int) -> np.ndarray:
    """Columns whose products are nearly the radial kernel of pairs (Williams and Seeger 2001), float64 [pair, column].

    Parameters
    ----------
    values
        Embedding, float64 [gene, dimension]; standardised here.
    pairs
        Pairs.
    combination
        How the two vectors of a pair are joined.
    seed
        Seed of the pairs that the others are compared with.
    """
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    number = min(_LANDMARKS, max(1, len(pairs.label) // 4))
    generator = random_generator(seed, "landmarks of pairs", len(pairs.label))
    chosen = np.sort(generator.choice(len(pairs.label), size=number, replace=False))
    own = pairs.first[chosen], pairs.second[chosen]
    kernel, across = pair_kernels(values, own, (pairs.first, pairs.second), combination)
    eigenvalues, vectors = np.linalg.eigh(kernel)
    kept = eigenvalues > 1e-6 * eigenvalues[-1]
    found: np.ndarray = across @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))
    return found


def pair_gain(
    values: np.ndarray, trivial: np.ndarray, pairs: GroupedPairs, combination: str, seed: int
) -> Gain:
    """The gain in AUROC of one embedding and combination.

    Parameters
    ----------
    values
        Embedding, float64 [gene, dimension].
    trivial
        Columns of :func:`trivial_pair_columns`.
    pairs
        Pairs.
    combination
        How the two vectors of a pair are joined.
    seed
        Seed of the run.

    Raises
    ------
    InputError
        If there are no trivial columns, or too few pairs for them.
    """
    if not trivial.shape[1] or len(pairs.label) < _PAIRS_PER_COLUMN * trivial.shape[1]:
        raise InputError(
            f"a gain beyond {trivial.shape[1]} trivial columns of pairs needs ten pairs for each. Given: {len(pairs.label):,}"
        )
    columns = kernel_columns(values, pairs, combination, seed)
    return gain_beyond(trivial, columns, pairs.label[:, None], pairs.group, ("auroc",))["auroc"]
