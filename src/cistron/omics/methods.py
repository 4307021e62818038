"""The list of embedding methods. A new one is a file and an entry here (page ``docs/guide/adding_an_embedder.md``)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.omics.pca import PcaSettings, principal_components
from cistron.omics.preprocessing import PreparedMatrix


@dataclass(frozen=True)
class EmbeddingValues:
    """What a method gives.

    Attributes
    ----------
    values
        float32 [gene, dimension].
    facts
        Facts about the fit, plain JSON types.
    remark
        One sentence about the fit.
    standard_deviation
        Posterior standard deviation, float32 [gene, dimension], or None.
    """

    values: np.ndarray
    facts: dict[str, Any]
    remark: str
    standard_deviation: np.ndarray | None = None


@dataclass(frozen=True)
class EmbeddingMethod:
    """One way from a matrix to an embedding.

    Attributes
    ----------
    name
        Name on the command line.
    settings
        Frozen data class of its settings.
    fit
        ``fit(prepared, settings, seed) -> EmbeddingValues``.
    reference
        Where it comes from.
    meaning
        What a dimension means.
    """

    name: str
    settings: type
    fit: Callable[[PreparedMatrix, Any, int], EmbeddingValues]
    reference: str
    meaning: str


def _pca(prepared: PreparedMatrix, settings: PcaSettings, seed: int) -> EmbeddingValues:
    result = principal_components(prepared, settings, seed)
    explained = float(result.explained.sum())
    return EmbeddingValues(
        result.scores,
        {"explained_variance": [round(float(share), 6) for share in result.explained]},
        f"{result.scores.shape[1]} components explain {explained:.1%} of the variance",
    )


METHODS = {
    method.name: method
    for method in (
        EmbeddingMethod(
            "pca",
            PcaSettings,
            _pca,
            "Hotelling 1933; randomised for many samples: Halko, Martinsson and Tropp 2011",
            "score of the gene on a principal component of the samples",
        ),
    )
}


def embedding_method(name: str) -> EmbeddingMethod:
    """Find a method by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in METHODS:
        raise InputError(f"there is no embedding method {name!r}; expected {', '.join(METHODS)}")
    return METHODS[name]
