"""What a cells method is given and what it gives back."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from cistron.cells.features import GeneFeatures
from cistron.cells.gene_map import GeneMap
from cistron.cells.normalisation import Normalisation
from cistron.cells.training_data import Moments, TrainingData


class Predictor(Protocol):
    """What every fitted method can do; see :meth:`cistron.cells.linear.LinearModel.predict`."""

    def predict(
        self, block: sparse.csr_matrix, normalisation: Normalisation, measured: np.ndarray
    ) -> np.ndarray:
        """Predict all genes of a block of cells."""
        ...

    def with_genes(self, outputs: np.ndarray) -> "Predictor":
        """Add genes from what the gene map gives for them."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What must be saved, by name."""
        ...


@dataclass(frozen=True)
class Fitted:
    """What a method gives back: the model, and the map by which genes that are new altogether enter it."""

    model: Predictor
    gene_map: GeneMap | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """What a method is given.

    Attributes
    ----------
    data
        Training cells x training genes.
    moments
        Their sums.
    features
        Features of all genes, training genes first and in the order of ``data``.
    seed
        Seed of everything random.
    validation
        Validation cells x training genes where there are any, for methods that stop early.
    directory
        Folder where a long fit keeps what it needs to go on; ``None`` keeps nothing.
    """

    data: TrainingData
    moments: Moments
    features: GeneFeatures
    seed: int
    validation: Any = None
    directory: Any = None
