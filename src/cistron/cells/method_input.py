"""What a cells method is given and what it gives back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from cistron.cells.inputs import Cells
from cistron.cells.inputs_features import GeneFeatures
from cistron.cells.kernel_ridge import KernelRidge
from cistron.cells.normalisation import Normalisation
from cistron.cells.training_data import Moments, TrainingData


class Predictor(Protocol):
    """What every fitted method can do."""

    def predict(
        self, block: sparse.csr_matrix, normalisation: Normalisation, measured: np.ndarray
    ) -> np.ndarray:
        """Predict all genes of cells; no value of a gene takes part in its own prediction.

        Parameters
        ----------
        block
            Values of the training genes as they came, sparse [cell, training gene].
        normalisation
            Of training genes.
        measured
            Whether the data set measures each training gene, bool [training gene].

        Returns
        -------
        ndarray
            float32 [cell, gene], training genes first; NaN where a gene is undefined.
        """
        ...

    def with_genes(self, outputs: np.ndarray) -> "Predictor":
        """Add genes from what the regression on gene features gives for them."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save, by name."""
        ...


@dataclass(frozen=True)
class Fitted:
    """What a method gives back.

    Attributes
    ----------
    model
        The fitted model.
    feature_regression
        Regression from the features of a gene to what the model needs of it, for genes that are added later; ``None``
        where the method has none.
    facts
        What is worth recording of the fit, as plain values.
    """

    model: Predictor
    feature_regression: KernelRidge | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodInput:
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
        Training genes of all cells, and the row numbers of the validation cells, for methods that stop early; ``None``
        where there are no validation cells.
    directory
        Folder where a long fit keeps what it needs to go on; ``None`` keeps nothing.
    """

    data: TrainingData
    moments: Moments
    features: GeneFeatures
    seed: int
    validation: tuple[Cells, np.ndarray] | None = None
    directory: str | Path | None = None
