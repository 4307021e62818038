"""AUROC and average precision of many sets, with any resampling of chromosomes, from counts of pairs.

For a positive gene p and a chromosome b, let n_b(p) be the genes of b that score above p. All that a bootstrap
over chromosomes changes is how often each chromosome is taken, so both metrics follow from these counts exactly.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SetScores:
    """Metrics of one set.

    Attributes
    ----------
    auroc, auprc
        Area under the receiver operating characteristic; average precision.
    auroc_draws, auprc_draws
        The same for each bootstrap sample, float64 [draw]; NaN where a sample has no positive.
    positives
        Genes of the set that were scored.
    """

    auroc: float
    auprc: float
    auroc_draws: np.ndarray
    auprc_draws: np.ndarray
    positives: int


def score_set(scores: np.ndarray, member: np.ndarray, blocks: np.ndarray, draws: np.ndarray) -> SetScores:
    """Score one set.

    Parameters
    ----------
    scores
        Held-out score of each gene, higher for members, float64 [gene].
    member
        Whether the gene is in the set, bool [gene].
    blocks
        Chromosome of each gene, int [gene], numbered from 0.
    draws
        Times that each chromosome is taken, float64 [draw, chromosome].

    Returns
    -------
    SetScores
        Ties count half (AUROC), or as far as they go (average precision: a group of ties enters at once).
    """
    number = draws.shape[1]
    order = np.argsort(scores, kind="stable")
    positives = np.flatnonzero(member)
    values = scores[positives]
    # Genes of each chromosome at or above each positive, and strictly above it: searches in sorted scores.
    at_least, above = np.empty((2, len(positives), number))
    for block in range(number):
        inside = scores[order[blocks[order] == block]]
        at_least[:, block] = len(inside) - np.searchsorted(inside, values, side="left")
        above[:, block] = len(inside) - np.searchsorted(inside, values, side="right")
    mine_at_least, mine_above = _among(values, blocks[positives], number)
    sizes = np.bincount(blocks, minlength=number) - np.bincount(blocks[positives], minlength=number)
    weights = np.vstack([np.ones(number), draws])
    own = weights[:, blocks[positives]]  # (draws, positives)
    negative_above = weights @ (above - mine_above).T
    negative_tied = weights @ (at_least - mine_at_least).T - negative_above
    count = own.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = (own * (negative_above + 0.5 * negative_tied)).sum(axis=1)
        auroc = 1.0 - lost / (count * (weights @ sizes))
        precision = (weights @ mine_at_least.T) / (weights @ at_least.T)
        auprc = np.where(own > 0, own * precision, 0.0).sum(axis=1) / count
    return SetScores(float(auroc[0]), float(auprc[0]), auroc[1:], auprc[1:], len(positives))


def _among(values: np.ndarray, blocks: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Positives of each chromosome at or above, and strictly above, each positive; float64 [positive, chromosome]."""
    at_least, above = np.empty((2, len(values), number))
    for block in range(number):
        inside = np.sort(values[blocks == block])
        at_least[:, block] = len(inside) - np.searchsorted(inside, values, side="left")
        above[:, block] = len(inside) - np.searchsorted(inside, values, side="right")
    return at_least, above
