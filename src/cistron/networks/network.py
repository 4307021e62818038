"""What every method returns: scores of all ordered pairs of genes, and how the strongest become a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.genes.identity import match_genes


@dataclass(frozen=True)
class Network:
    """Scores of ordered pairs of genes.

    Attributes
    ----------
    genes
        Identifiers, the order of both axes.
    weight
        Float [source, target]; higher is stronger, NaN where the method cannot tell (never on purpose ranked).
    sign
        -1, 0 or +1 [source, target], where the method knows it.
    probability
        Calibrated probability of a direct edge [source, target], where the method gives one.
    direct
        Probability that an effect is direct, given that there is one [source, target].
    stability
        Share of resamples that find the edge again [source, target].
    gene_embedding
        Float [gene, dimension] of methods that learn one.
    details
        Remarks and intermediate numbers worth keeping.
    """

    genes: tuple[str, ...]
    weight: np.ndarray
    sign: np.ndarray | None = None
    probability: np.ndarray | None = None
    direct: np.ndarray | None = None
    stability: np.ndarray | None = None
    gene_embedding: np.ndarray | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self.genes)
        for name in ("weight", "sign", "probability", "direct", "stability"):
            values = getattr(self, name)
            if values is not None and values.shape != (size, size):
                raise InputError(f"network: {name} must be [{size}, {size}]. Given: {values.shape}")

    def from_sources(self, sources: Sequence[str]) -> "Network":
        """Keep pairs whose source is one of ``sources`` only; the others get no weight.

        Raises
        ------
        IdentifierError
            If none of the sources is a gene of the network.
        """
        match_genes(list(sources), self.genes, "regulators", "the measured genes", minimum=1)
        weight = self.weight.copy()
        weight[~np.isin(np.array(self.genes, dtype=object), list(sources))] = np.nan
        return replace(self, weight=weight)

    def strongest(self, edges: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Give sources and targets of the strongest edges, strongest first; ties in the order of the genes."""
        scores = np.where(np.isfinite(self.weight), self.weight, -np.inf)
        np.fill_diagonal(scores, -np.inf)
        flat = scores.ravel()
        usable = int(np.isfinite(flat).sum())
        wanted = usable if edges is None else min(edges, usable)
        if wanted < flat.size // 4:
            cut = np.argpartition(-flat, wanted)[:wanted] if wanted else np.empty(0, dtype=np.int64)
            threshold = flat[cut].min() if wanted else np.inf
            cut = np.flatnonzero(flat >= threshold)  # all that tie with the last, so that ties break by order
        else:
            cut = np.flatnonzero(np.isfinite(flat))
        order = cut[np.argsort(-flat[cut], kind="stable")][:wanted]
        return np.unravel_index(order, scores.shape)  # type: ignore[return-value]

    def edges(
        self,
        count: int | None = 1000,
        *,
        name: str,
        method: str,
        identifier_namespace: str = "other",
        seed: int = 0,
        parameters: Mapping[str, Any] | None = None,
    ) -> Edges:
        """Make a table of the ``count`` strongest edges (all when ``None``).

        Parameters
        ----------
        count
            Number of edges; all that are scored when ``None``.
        name
            Name of the network.
        method
            Name of the method.
        identifier_namespace
            Namespace of the genes.
        seed, parameters
            Kept in the header.
        """
        source, target = self.strongest(count)
        names = np.array(self.genes, dtype=object)
        table = pd.DataFrame(
            {
                "source": names[source],
                "target": names[target],
                "weight": self.weight[source, target].astype(np.float64),
            }
        )
        if self.sign is not None:
            table["sign"] = self.sign[source, target].astype(np.int64)
        for column in ("probability", "direct", "stability"):
            values = getattr(self, column)
            if values is not None:
                table[column] = np.clip(values[source, target].astype(np.float64), 0, 1)
        return Edges(table, name, method, identifier_namespace, seed, dict(parameters or {}))
