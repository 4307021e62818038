"""The list of methods: one record each. A new method is one function, one settings class and one entry here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from cistron.cells.bilinear import BilinearSettings, fit_bilinear
from cistron.cells.features import GeneFeatures
from cistron.cells.gene_map import GeneMap
from cistron.cells.linear import LinearModel
from cistron.cells.normalisation import Normalisation
from cistron.cells.ridge import RidgeSettings, fit_ridge_method
from cistron.cells.training_data import Moments, TrainingData, gene_folds
from cistron.cells.transformer_settings import TransformerSettings
from cistron.errors import InputError


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


@dataclass(frozen=True)
class NoSettings:
    """A method without settings."""


@dataclass(frozen=True)
class Method:
    """One way to predict expression.

    Attributes
    ----------
    name
        As the command line knows it.
    fit
        ``fit(problem, settings)`` gives a :class:`Fitted`.
    settings
        Class of its settings; the defaults are the recommended ones.
    about
        What a prediction is.
    reference
        Where it comes from.
    needs_types
        Whether it compares cells with cell types.
    """

    name: str
    fit: Callable[[Problem, Any], Fitted]
    settings: type
    about: str
    reference: str
    needs_types: bool = False


def _baseline(
    problem: Problem, mean: np.ndarray, loadings: np.ndarray, anchors: np.ndarray, rule: str, unseen: float
) -> Fitted:
    """A linear model that gives genes never seen the mean and loadings ``unseen`` (NaN: undefined)."""
    more = len(problem.features.genes) - len(mean)
    moments = problem.moments
    return Fitted(
        LinearModel(
            np.r_[mean, np.full(more, 0.0 if np.isfinite(unseen) else np.nan)],
            np.vstack([loadings, np.full((more, loadings.shape[1]), unseen)]),
            anchors,
            moments.mean,
            np.maximum(moments.variance, 1e-6),
            moments.share,
            gene_folds(problem.data.cells.genes, problem.seed),
            rule,
        )
    )


def _gene_mean(problem: Problem, settings: NoSettings) -> Fitted:
    mean = problem.moments.mean
    none = np.zeros((len(mean), 1))
    return _baseline(problem, mean, none, none, "none", np.nan)


def _size_factor(problem: Problem, settings: NoSettings) -> Fitted:
    mean = problem.moments.mean
    one = np.ones((len(mean), 1))
    return _baseline(problem, mean - mean.mean(), one, one, "depth", 1.0)


def _nearest_type(problem: Problem, settings: NoSettings) -> Fitted:
    moments = problem.moments
    anchors = (moments.type_mean - moments.mean).T
    return _baseline(problem, np.zeros(len(moments.mean)), moments.type_mean.T, anchors, "nearest", np.nan)


def _bilinear(problem: Problem, settings: BilinearSettings) -> Fitted:
    given = (problem.data, problem.moments, problem.features, settings, problem.seed, problem.validation)
    return Fitted(*fit_bilinear(*given))


def _ridge(problem: Problem, settings: RidgeSettings) -> Fitted:
    given = (problem.data, problem.moments, problem.features, settings, problem.seed, problem.validation)
    return Fitted(*fit_ridge_method(*given))


def _transformer(problem: Problem, settings: TransformerSettings) -> Fitted:
    from cistron.cells.transformer_fit import fit_transformer

    return Fitted(*fit_transformer(problem, settings))


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "bilinear",
            _bilinear,
            BilinearSettings,
            "mean and loadings of the gene, from its features and its own training cells, times factors of the cell",
            "probabilistic principal components (Tipping and Bishop 1999) with kernel ridge on gene features",
        ),
        Method(
            "ridge",
            _ridge,
            RidgeSettings,
            "ridge from gene features to the mean of every cell type; a cell is its nearest type",
            "Hoerl and Kennard 1970",
        ),
        Method(
            "transformer",
            _transformer,
            TransformerSettings,
            "attention of the gene over the cell's other genes",
            "rosa (Sofroniew 2023), mended; settings paper as published",
        ),
        Method(
            "nearest-type",
            _nearest_type,
            NoSettings,
            "mean of the gene in the nearest cell type; undefined for genes never seen",
            "baseline",
            needs_types=True,
        ),
        Method(
            "gene-mean",
            _gene_mean,
            NoSettings,
            "mean of the gene over training cells; undefined for genes never seen",
            "baseline",
        ),
        Method(
            "size-factor",
            _size_factor,
            NoSettings,
            "mean of the cell's visible genes, plus the gene's own mean where it was seen",
            "baseline (Decima 2024 uses it)",
        ),
    )
}


def method_named(name: str) -> Method:
    """Look up a method.

    Raises
    ------
    InputError
        If there is none of that name; the message lists them.
    """
    if name not in METHODS:
        raise InputError(f"there is no cells method {name!r}; methods are {', '.join(METHODS)}")
    return METHODS[name]
