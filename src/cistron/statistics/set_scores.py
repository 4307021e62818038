"""AUROC and average precision of many sets by held-out ranks, with intervals and with chance measured on rearranged rows."""

from collections.abc import Iterable, Sequence

import numpy as np

from cistron.statistics.estimate import Estimate
from cistron.statistics.held_out_ranks import LeftOutModel, Members

METRICS = ("auroc", "auprc")
# Least deviation of an average precision in those of a binomial share; chosen on planted worlds (benchmarks/genesets_intervals.py).
_LEAST_PRECISION = 0.5


def auroc_by_group(members: Members, ranks: np.ndarray) -> np.ndarray:
    """AUROC of each set within each group, float64 [group, set]; 0.5 where a group has no member or nothing else.

    Parameters
    ----------
    members
        The sets.
    ranks
        Mid-rank of each entry among the rows of its group, float64 [entry].
    """
    inside = members.counts()
    outside = members.sizes[:, None] - inside
    wins = members.sums(ranks) - inside * (inside + 1) / 2
    pairs = inside * outside
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), 0.5)


def average_precision(members: Members, ranks: np.ndarray, left_out: int = -1) -> np.ndarray:
    """Average precision of each set over all groups, genes ordered by the share of their group that they exceed.

    Parameters
    ----------
    members
        The sets.
    ranks
        Mid-rank of each entry among the rows of its group, float64 [entry].
    left_out
        A group that is not counted.

    Returns
    -------
    ndarray
        float64 [set]; NaN for a set without members.
    """
    sizes = members.sizes
    kept = np.ones(len(ranks), dtype=bool)
    if left_out >= 0:
        kept = members.groups != left_out
        sizes = np.where(np.arange(len(sizes)) == left_out, 0, sizes)
    share = ranks[kept] / (members.sizes[members.groups[kept]] + 1.0)
    sets = members.sets[kept]
    order = np.lexsort((-share, sets))
    share, sets = share[order], sets[order]
    # Genes at or above a member: its place among the regular ranks of every group.
    above = np.zeros(len(share))
    for size in sizes[sizes > 0]:
        above += size - np.ceil(share * (size + 1) - 1e-9) + 1
    start = np.searchsorted(sets, np.arange(members.number))
    place = np.arange(len(sets)) - start[sets] + 1.0
    last = np.flatnonzero(np.r_[(np.diff(sets) != 0) | (np.diff(share) != 0), True])  # ties enter together
    place = place[last[np.searchsorted(last, np.arange(len(sets)))]]
    precision = place / np.maximum(above, place)
    number = np.bincount(sets, minlength=members.number)
    with np.errstate(invalid="ignore"):
        return np.bincount(sets, precision, minlength=members.number) / number


def set_estimates(model: LeftOutModel, metrics: Sequence[str] = METRICS) -> dict[str, Estimate]:
    """AUROC and average precision of each set with the effects of groups and of pairs of groups.

    Parameters
    ----------
    model
        Fitted ridge.
    metrics
        Which of the two are computed.

    Returns
    -------
    dict
        ``auroc``: members against other genes of the same group, groups weighted by their members. ``auprc``: average
        precision over all genes.
    """
    members = model.members
    groups, sizes = len(members.sizes), members.sizes
    ranks, counts = model.ranks(), members.counts()
    number = counts.sum(axis=0)
    area = auroc_by_group(members, ranks)
    auroc = (counts * area).sum(axis=0) / number
    wanted = "auprc" in metrics
    precision = average_precision(members, ranks) if wanted else np.zeros(members.number)
    trained = {metric: np.zeros((groups, groups, members.number)) for metric in METRICS}
    changed = ranks.copy()
    for own, dropped, entries, without in model.pair_ranks():
        changed[entries] = without
        loss = np.bincount(members.sets[entries], ranks[entries] - without, minlength=members.number)
        outside = np.maximum(sizes[own] - counts[own], 1)
        trained["auroc"][own, dropped] = loss / outside / number
        if wanted:
            trained["auprc"][own, dropped] = precision - average_precision(members, changed)
        changed[entries] = ranks[entries]
    within = model.ranks_within()
    found = (counts * auroc_by_group(members, within)).sum(axis=0) / number
    held = {
        "auroc": _ratio(auroc - 0.5, found - 0.5),
        "auprc": _ratio(auroc - 0.5, found - 0.5),
    }
    left = [average_precision(members, ranks, group) if wanted else precision for group in range(groups)]
    tested = {
        "auroc": counts * (area - auroc) / number,
        "auprc": np.nan_to_num((precision - np.stack(left)) * (number - counts) / number),
    }
    share = ranks / (sizes[members.groups] + 1.0)
    mean = members.sums(share).sum(axis=0) / number
    spread = members.sums((share - mean[members.sets]) ** 2).sum(axis=0)
    least = {
        "auroc": spread / number**2 * (sizes.sum() / (sizes.sum() - number)) ** 2,
        "auprc": _LEAST_PRECISION**2 * precision * (1.0 - precision) / number,
    }
    carriers = number**2 / (counts**2).sum(axis=0)
    value = {"auroc": auroc, "auprc": precision}
    return {
        metric: Estimate.of_groups(
            value[metric],
            tested[metric],
            trained[metric],
            least[metric],
            held=held[metric],
            carriers=carriers,
            bounded=True,
        )
        for metric in metrics
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.clip(part / np.maximum(whole, 1e-9), 0.0, 1.0)


def drawn_scores(members: Members, drawn: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Scores of rearranged rows by metric, float64 [draw, set]."""
    counts = members.counts()
    number = counts.sum(axis=0)
    found: dict[str, list[np.ndarray]] = {metric: [] for metric in METRICS}
    for ranks in drawn:
        found["auroc"].append((counts * auroc_by_group(members, ranks)).sum(axis=0) / number)
        found["auprc"].append(average_precision(members, ranks))
    return {metric: np.array(values) for metric, values in found.items()}
