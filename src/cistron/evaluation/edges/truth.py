"""Edges against a known network: ranking, signs and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.genes.identity import match_genes
from cistron.runtime.seeds import random_generator


@dataclass(frozen=True)
class Judged:
    """All ordered pairs of a universe of genes with their score and truth.

    Attributes
    ----------
    genes
        The universe.
    score
        Float [source, target]; pairs that the network does not list share the lowest score.
    listed
        Whether the network lists the pair, bool [source, target].
    true
        Whether the pair is an edge, bool [source, target].
    allowed
        Pairs that count: no gene with itself, and only sources that may be judged.
    """

    genes: tuple[str, ...]
    score: np.ndarray
    listed: np.ndarray
    true: np.ndarray
    allowed: np.ndarray

    @property
    def base_rate(self) -> float:
        """Share of true edges among all pairs: the AUPRC of a random order."""
        return float(self.true[self.allowed].mean())


def _matrix(edges: Edges, column: str, number: dict[str, int], fill: float) -> np.ndarray:
    values = np.full((len(number), len(number)), fill)
    table = edges.table
    rows, columns = table["source"].map(number), table["target"].map(number)
    inside = rows.notna() & columns.notna()
    values[rows[inside].astype(int), columns[inside].astype(int)] = table.loc[inside, column]
    return values


def judge(
    network: Edges, truth: Edges, genes: Sequence[str] | None = None, sources: Sequence[str] | None = None
) -> Judged:
    """Compare a network with the known one, pair by pair.

    Parameters
    ----------
    network, truth
        Networks with identifiers of one namespace.
    genes
        Universe of genes, for example all that were measured; the genes of the truth when absent.
    sources
        Genes whose outgoing pairs count, for example those that were perturbed; all when absent.

    Raises
    ------
    IdentifierError
        If network and truth share no gene; the message names the namespaces.
    InputError
        If no true edge is within the universe.
    """
    of_truth = pd.unique(truth.table[["source", "target"]].to_numpy().ravel()).tolist()
    universe = tuple(genes) if genes is not None else tuple(sorted(of_truth))
    match_genes(of_truth, universe, f"truth {truth.name}", "the measured genes", minimum=2)
    if len(network):
        of_network = pd.unique(network.table[["source", "target"]].to_numpy().ravel()).tolist()
        match_genes(of_network, universe, f"network {network.name}", f"truth {truth.name}", minimum=2)
    number = {gene: position for position, gene in enumerate(universe)}
    true = _matrix(truth, "weight", number, np.nan)
    score = _matrix(network, "weight", number, np.nan)
    listed = np.isfinite(score)
    lowest = float(network.table["weight"].min()) if len(network) else 0.0
    score = np.where(listed, score, lowest - 1)
    allowed = ~np.eye(len(universe), dtype=bool)
    if sources is not None:
        allowed &= np.isin(np.array(universe, dtype=object), list(sources))[:, None]
    judged = Judged(universe, score, listed, np.isfinite(true), allowed)
    if not judged.true[allowed].any():
        raise InputError(
            f"truth {truth.name}: none of its {len(truth):,} edges lies among the genes that are judged"
        )
    return judged


def average_precision(score: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the precision-recall steps; pairs of equal score enter together (as scikit-learn does).

    Parameters
    ----------
    score
        float [pair].
    true
        bool [pair].
    weight
        Weight of each pair; all alike when ``None``.
    """
    order = np.argsort(-score, kind="stable")
    score, hits = score[order], true[order].astype(np.float64)
    mass = np.ones(len(score)) if weight is None else weight[order]
    last = np.flatnonzero(np.append(np.diff(score) != 0, True))
    found, seen = np.cumsum(hits * mass)[last], np.cumsum(mass)[last]
    if not len(found) or found[-1] == 0:
        return float("nan")
    steps = np.diff(found, prepend=0.0)
    return float((steps * found / np.maximum(seen, 1e-12)).sum() / found[-1])


def roc_area(score: np.ndarray, true: np.ndarray) -> float:
    """Area under the ROC curve by ranks; ties count one half."""
    from scipy.stats import rankdata

    positive = int(true.sum())
    negative = len(true) - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(score)[true].sum() - positive * (positive + 1) / 2) / (positive * negative))


def precision_at(judged: Judged, edges: int) -> tuple[float, float]:
    """Precision and recall of the ``edges`` strongest listed pairs; ties in the order of the genes."""
    inside = judged.allowed & judged.listed
    true = judged.true[inside]
    order = np.argsort(-judged.score[inside], kind="stable")[:edges]
    found = int(true[order].sum())
    return found / max(min(edges, len(order)), 1), found / int(judged.true[judged.allowed].sum())


def average_precision_interval(
    judged: Judged, *, resamples: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """Average precision with a 95% bootstrap interval over target genes, the units that were drawn alike.

    Parameters
    ----------
    judged
        Scored pairs.
    resamples
        Bootstrap samples.
    seed
        Seed of these.

    Returns
    -------
    float, float, float
        Value, low, high.
    """
    targets = np.nonzero(judged.allowed)[1]
    score, true = judged.score[judged.allowed], judged.true[judged.allowed]
    value = average_precision(score, true)
    random = random_generator(seed, "bootstrap over targets")
    size = len(judged.genes)
    if len(score) > 2_000_000:  # a sort of millions of pairs: fewer resamples say enough
        resamples = min(resamples, 20)
    draws = []
    for _ in range(resamples):
        times = np.bincount(random.integers(0, size, size), minlength=size).astype(np.float64)
        draws.append(average_precision(score, true, times[targets]))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return value, float(min(low, value)), float(max(high, value))


def sign_accuracy(network: Edges, truth: Edges) -> tuple[float, int]:
    """Share of the true edges found whose sign is right, over those with a sign on both sides, and their number."""
    if "sign" not in network.table or "sign" not in truth.table:
        return float("nan"), 0
    both = network.table.merge(truth.table, on=["source", "target"], suffixes=("", "_true"))
    both = both[(both["sign"] != 0) & (both["sign_true"] != 0)]
    return (float((both["sign"] == both["sign_true"]).mean()) if len(both) else float("nan")), len(both)


def calibration_curve(network: Edges, judged: Judged, bins: int = 10) -> pd.DataFrame:
    """Observed share of true edges by stated probability.

    Parameters
    ----------
    network
        Edges with probabilities.
    judged
        Scored pairs.
    bins
        Bins of the probability.

    Returns
    -------
    DataFrame
        One row a bin that holds edges: ``low, high, n, stated`` (mean probability), ``observed`` (share true).
    """
    number = {gene: position for position, gene in enumerate(judged.genes)}
    stated = _matrix(network, "probability", number, np.nan)
    inside = judged.allowed & np.isfinite(stated)
    probability, true = stated[inside], judged.true[inside]
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(probability, edges) - 1, 0, bins - 1)
    rows = []
    for position in range(bins):
        here = place == position
        if here.any():
            rows.append(
                {
                    "low": edges[position],
                    "high": edges[position + 1],
                    "n": int(here.sum()),
                    "stated": float(probability[here].mean()),
                    "observed": float(true[here].mean()),
                }
            )
    return pd.DataFrame(rows, columns=["low", "high", "n", "stated", "observed"])


def calibration_error(curve: pd.DataFrame, at_least: float = 0.05) -> float:
    """Mean distance of stated and observed over bins, weighted by their edges.

    Pairs below the probability ``at_least`` are left out: there are so many that they alone make any method
    look calibrated.
    """
    curve = curve[curve["stated"] >= at_least]
    if not len(curve):
        return float("nan")
    return float(np.average((curve["stated"] - curve["observed"]).abs(), weights=curve["n"]))
