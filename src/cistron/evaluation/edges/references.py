"""Edges against collections of known interactions (CORUM, STRING, ligand-receptor pairs, ChIP-Atlas).

CausalBench counts true positives only, which grows with the size of the network. Here each collection also gives
precision and recall among the pairs that it could know, and the enrichment over random pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.genes.identity import match_genes


@dataclass(frozen=True)
class ReferenceScore:
    """Overlap of a network with a collection of known interactions.

    Attributes
    ----------
    true_positives
        Edges that the collection holds, as CausalBench counts them (an undirected pair counts once).
    judged
        Edges whose source and target the collection could know.
    precision, low, high
        ``true_positives / judged`` with its 95% Wilson interval.
    recall
        Share of the collection's pairs among the given genes that are found.
    base_rate
        Precision of random pairs.
    """

    true_positives: int
    judged: int
    precision: float
    low: float
    high: float
    recall: float
    base_rate: float

    @property
    def enrichment(self) -> float:
        """Precision over that of random pairs."""
        return self.precision / self.base_rate if self.base_rate else float("nan")


def wilson(successes: int, number: int, z: float = 1.959963985) -> tuple[float, float]:
    """Give the 95% interval of a share (Wilson 1927).

    Parameters
    ----------
    successes, number
        Counts.
    z
        Quantile of the normal distribution; that of 95% by default.
    """
    if not number:
        return 0.0, 1.0
    share = successes / number
    centre = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2)) / (1 + z**2 / number)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def score_against_reference(
    network: Edges, reference: Edges, genes: Sequence[str], *, directed: bool
) -> ReferenceScore:
    """Score a network against a collection.

    Parameters
    ----------
    network
        Edges to score.
    reference
        Known pairs.
    genes
        Genes that were measured: both lists are cut to them.
    directed
        Whether the order of a pair counts (ChIP-Atlas) or not (complexes, protein interactions).

    Raises
    ------
    IdentifierError
        If the collection shares fewer than two genes with those measured.
    InputError
        If the collection holds no pair among the genes.
    """
    known = reference.table[["source", "target"]].astype(str)
    match_genes(
        pd.unique(known.to_numpy().ravel()).tolist(),
        list(genes),
        f"reference {reference.name}",
        "the measured genes",
        2,
    )
    measured = set(genes)
    known = known[known["source"].isin(measured) & known["target"].isin(measured)]
    if not len(known):
        raise InputError(
            f"reference {reference.name}: none of its pairs lies among the {len(genes):,} measured genes"
        )

    def form(source: str, target: str) -> tuple[str, str]:
        return (source, target) if directed or source <= target else (target, source)

    pairs = {form(a, b) for a, b in zip(known["source"], known["target"]) if a != b}
    sources, targets = set(known["source"]), measured
    if not directed:
        sources = sources | set(known["target"])
    found = {form(a, b) for a, b in network.pairs() if a in measured and b in measured}
    if directed:
        judged = {pair for pair in found if pair[0] in sources}
        possible = len(sources) * (len(targets) - 1)
    else:
        judged = {pair for pair in found if pair[0] in sources and pair[1] in sources}
        possible = len(sources) * (len(sources) - 1) // 2
    hits = len(judged & pairs)
    low, high = wilson(hits, len(judged))
    precision = hits / len(judged) if judged else float("nan")
    return ReferenceScore(
        hits, len(judged), precision, low, high, hits / len(pairs), len(pairs) / max(possible, 1)
    )
