"""What predicts a label from an embedding: closed-form ridge, kernel ridge, and a support-vector machine.

Kernels are computed once for a training set and serve every setting that is tried on it. Source of the support-vector
protocol: Zhong et al. 2025, gene-level tasks.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cistron.evaluation.labels.folds import Fold
from cistron.evaluation.weighted_area import area

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
COSTS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # C of the protocol
LEARNERS = ("kernel-ridge", "ridge", "svm")
_MOST_PIECES = 64


def squared_distances(values: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all rows, float64 [row, row]."""
    length = (values**2).sum(axis=1)
    distances = values @ values.T  # changed in place: memory that is new costs more than the arithmetic
    distances *= -2.0
    distances += length[:, None]
    distances += length
    np.maximum(distances, 0.0, out=distances)
    np.fill_diagonal(distances, 0.0)
    return distances


def scale_gamma(values: np.ndarray) -> float:
    """The width ``gamma="scale"`` of scikit-learn: 1 / (columns x variance of all entries)."""
    variance = float(values.var())
    return 1.0 / (values.shape[1] * variance) if variance > 0 else 1.0


@dataclass(frozen=True)
class Outcome:
    """Held-out predictions of one term.

    Attributes
    ----------
    scores
        Prediction for each row, float64 [row] or [row, class]; NaN for rows that no fold scores.
    chosen
        Setting chosen in each fold.
    """

    scores: np.ndarray
    chosen: tuple[float, ...]


Quality = Callable[
    [np.ndarray, np.ndarray], float
]  # predictions, truth -> how well they agree; NaN where unknown


def predict_term(
    values: np.ndarray, truth: np.ndarray, folds: list[Fold], learner: str, quality: Quality
) -> Outcome:
    """Predict the held-out rows of each fold, settings chosen on the inner folds.

    Parameters
    ----------
    values
        Embedding of the genes, float64 [gene, dimension].
    truth
        Label of each gene: 0 or 1, a number, or one column a class, float64 [gene] or [gene, class].
    folds
        Which rows are fitted on and which are scored.
    learner
        One of :data:`LEARNERS`.
    quality
        How well predictions agree with the truth.

    Returns
    -------
    Outcome
        Predictions. Where no setting could be tried (an inner fold of one class only) the middle one is taken.
    """
    distances = squared_distances(values) if learner == "svm" else None
    scores = np.full(truth.shape, np.nan)
    chosen = []
    for fold in folds:
        if distances is not None:
            scores[fold.test], cost = _machine(values, distances, truth, fold, quality)
            chosen.append(cost)
        else:
            scores[fold.test], penalty = _ridge(values, truth, fold, learner, quality)
            chosen.append(penalty)
    return Outcome(scores, tuple(chosen))


def _both_classes(truth: np.ndarray) -> bool:
    return bool(truth.min() < truth.max())


def _machine(
    values: np.ndarray, distances: np.ndarray, truth: np.ndarray, fold: Fold, quality: Quality
) -> tuple[np.ndarray, float]:
    """The protocol: the cost C of the best mean over inner folds that hold both classes, ties to the smaller; refit on all."""
    tried: list[list[float]] = []
    for number in range(int(fold.inner.max()) + 1):
        train, test = fold.train[fold.inner != number], fold.train[fold.inner == number]
        if not len(train) or not _both_classes(truth[train]) or not _both_classes(truth[test]):
            continue
        decisions = decision_values(*_radial(values, distances, train, test), truth[train], COSTS)
        tried.append([quality(decision, truth[test]) for decision in decisions])
    cost = COSTS[int(np.mean(tried, axis=0).argmax())] if tried else COSTS[1]
    kernels = _radial(values, distances, fold.train, fold.test)
    return decision_values(*kernels, truth[fold.train], (cost,))[0], cost


def _radial(
    values: np.ndarray, distances: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Radial kernels of the training rows, and of the test rows against them."""
    gamma = scale_gamma(values[train])
    kernels = [part_of(distances, rows, train) for rows in (train, test)]
    for kernel in kernels:
        kernel *= -gamma
        np.exp(kernel, out=kernel)
    return kernels[0], kernels[1]


def part_of(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A new matrix of some rows and columns.

    Parts of a table mostly stand together, and slices are copied faster than lists.

    Parameters
    ----------
    matrix
        float64 [row, column].
    rows, columns
        Places, int.
    """
    pieces = [_slices(rows), _slices(columns)]
    if len(pieces[0]) * len(pieces[1]) > _MOST_PIECES:
        return matrix.take(rows, axis=0).take(columns, axis=1)
    return np.block([[matrix[across, down] for down in pieces[1]] for across in pieces[0]])


def _slices(places: np.ndarray) -> list[slice]:
    """Runs of numbers that follow each other."""
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    return [slice(int(run[0]), int(run[-1]) + 1) for run in runs]


def decision_values(
    kernel: np.ndarray, across: np.ndarray, truth: np.ndarray, costs: tuple[float, ...]
) -> list[np.ndarray]:
    """Decision values of the test rows, one array a cost; the kernels serve all of them.

    Where no weight is at its bound, a larger bound changes nothing: the machine of the smaller cost is that of
    all larger ones.

    Parameters
    ----------
    kernel, across
        Kernels of the training rows, float64 [row, row], and of the test rows against them, float64 [test, row].
    truth
        0 or 1, float64 [row].
    costs
        Costs C, rising.
    """
    import sklearn
    from sklearn.svm import SVC

    member = truth > 0.5
    balanced = len(member) / 2.0 / np.where(member, member.sum(), (~member).sum())
    found: list[np.ndarray] = []
    with (
        warnings.catch_warnings(),
        sklearn.config_context(assume_finite=True, skip_parameter_validation=True),
    ):
        warnings.simplefilter("ignore")  # of a solver that ends early, which the protocol does not look at
        for cost in costs:
            # The same as class_weight="balanced", whose preparation takes as long as a small problem.
            machine = SVC(kernel="precomputed", C=cost).fit(kernel, truth, balanced)
            weights, support = machine.dual_coef_[0], machine.support_
            found.append(across[:, support] @ weights + machine.intercept_[0])
            if (np.abs(weights) < (1 - 1e-9) * cost * balanced[support]).all():
                break
    return found + found[-1:] * (len(costs) - len(found))


def _ridge(
    values: np.ndarray, truth: np.ndarray, fold: Fold, learner: str, quality: Quality
) -> tuple[np.ndarray, float]:
    """(Kernel) ridge with penalty and scaling of the columns chosen on the inner folds."""
    settings = [(scaled, penalty) for scaled in (False, True) for penalty in PENALTIES]
    tried = []
    for number in range(int(fold.inner.max()) + 1):
        train, test = fold.train[fold.inner != number], fold.train[fold.inner == number]
        if not len(train) or not _both_classes(truth[train]) or not _both_classes(truth[test]):
            continue
        tried.append(
            [
                quality(predicted, truth[test])
                for scaled in (False, True)
                for predicted in ridge_path(
                    values[train], values[test], truth[train], PENALTIES, learner, scaled
                )
            ]
        )
    scaled, penalty = settings[len(PENALTIES) // 2]
    if tried:
        mean = np.nanmean(np.nan_to_num(tried, nan=-1.0), axis=0)
        best = np.flatnonzero(mean >= mean.max() - 1e-12)
        scaled, penalty = settings[int(best[-1])]  # of equals the larger penalty
    found = ridge_path(values[fold.train], values[fold.test], truth[fold.train], (penalty,), learner, scaled)
    return found[0], penalty


def ridge_path(
    train: np.ndarray,
    test: np.ndarray,
    truth: np.ndarray,
    penalties: tuple[float, ...],
    learner: str,
    scaled: bool,
) -> list[np.ndarray]:
    """Predictions of ridge for several penalties from one decomposition.

    Parameters
    ----------
    train, test
        Features, float64 [row, column].
    truth
        Targets of the training rows, float64 [row] or [row, target].
    penalties
        Penalties on the scale of a kernel whose mean diagonal is 1.
    learner
        ``ridge`` (linear kernel) or ``kernel-ridge`` (radial kernel, ``gamma="scale"``).
    scaled
        Standardise the columns first.

    Returns
    -------
    list of ndarray
        Predictions for the test rows, one array a penalty.
    """
    mean = train.mean(axis=0)
    spread = train.std(axis=0) if scaled else np.ones(train.shape[1])
    train, test = ((one - mean) / np.where(spread > 0, spread, 1.0) for one in (train, test))
    centre = truth.mean(axis=0)
    if learner == "ridge" and train.shape[1] < len(train):
        size = max(float((train**2).sum(axis=1).mean()), 1e-300)
        eigenvalues, vectors = np.linalg.eigh(train.T @ train / size)
        cross, ahead = vectors.T @ (train.T @ (truth - centre)) / size, test @ vectors
    else:
        kernel, across = _kernels(train, test, learner)
        row, whole = kernel.mean(axis=0), kernel.mean()
        across = across - across.mean(axis=1, keepdims=True) - row + whole
        kernel = kernel - row - row[:, None] + whole
        eigenvalues, vectors = np.linalg.eigh(kernel)
        cross, ahead = vectors.T @ (truth - centre), across @ vectors
    shape = (-1,) + (1,) * (truth.ndim - 1)
    kept = np.maximum(eigenvalues, 0.0).reshape(shape)
    return [centre + ahead @ (cross / (kept + penalty)) for penalty in penalties]


def _kernels(train: np.ndarray, test: np.ndarray, learner: str) -> tuple[np.ndarray, np.ndarray]:
    if learner == "ridge":
        size = max(float((train**2).sum(axis=1).mean()), 1e-300)
        return train @ train.T / size, test @ train.T / size
    gamma = scale_gamma(train)
    across = (test**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2.0 * (test @ train.T)
    return np.exp(-gamma * squared_distances(train)), np.exp(-gamma * np.maximum(across, 0.0))


def area_of(predicted: np.ndarray, truth: np.ndarray) -> float:
    """AUROC of a member label, or the mean over classes one against the rest."""
    if truth.ndim == 1:
        return area(predicted, truth > 0.5)
    found = [area(predicted[:, column], truth[:, column] > 0.5) for column in range(truth.shape[1])]
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def correlation_of(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Pearson's correlation; 0 where the prediction is constant."""
    if predicted.std() < 1e-12 or truth.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(predicted, truth)[0, 1])
