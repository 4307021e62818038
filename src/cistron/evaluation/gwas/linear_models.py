"""Ridge and least squares in closed form; whitened, they are generalised least squares."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cistron.errors import InputError
from cistron.evaluation.gwas.problem import Problem
from cistron.methods import Positive, check_settings
from cistron.statistics import DEFAULT_PENALTIES, group_moments, leave_group_out, predict_left_out


@dataclass(frozen=True)
class RidgeSettings:
    """Settings of ``ridge``.

    Attributes
    ----------
    penalties
        Penalties on scaled dimensions; one is chosen for each trait and fold by generalised cross-validation
        on the training chromosomes.
    scaling
        standardise penalises all dimensions alike; keep lets dimensions of large variance count for more;
        auto chooses for each trait and fold by generalised cross-validation.
    penalise_covariates
        Penalise covariates like dimensions; they are fitted freely when False.
    """

    penalties: tuple[Positive, ...] = tuple(float(penalty) for penalty in DEFAULT_PENALTIES)
    scaling: Literal["auto", "standardise", "keep"] = "auto"
    penalise_covariates: bool = False

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.penalties:
            raise InputError("penalties: none was given; give at least one positive number")


@dataclass(frozen=True)
class LinearSettings:
    """Least squares has no settings."""


def predict_ridge(
    problem: Problem, settings: RidgeSettings | None = None, seed: int = 0, threads: int = 1
) -> np.ndarray:
    """Predict the genes of each fold by ridge on all other folds.

    Covariates and intercept are fitted freely, dimensions are scaled on the training genes. Whitened
    rows give generalised least squares; predictions are made from rows that are not whitened, because the
    mean of z given the features does not change with linkage.

    Parameters
    ----------
    problem
        What is fitted.
    settings
        Settings of the regressor; defaults when absent.
    seed, threads
        Not used: a closed form has nothing random and sets no threads.

    Returns
    -------
    ndarray
        Held-out predictions, float64 [gene, trait].
    """
    settings = settings or RidgeSettings()
    scaling = settings.scaling
    if settings.penalise_covariates:
        scaling = "standardise"  # covariates and dimensions share no scale
        free, penalised = np.ones((len(problem.z), 1)), np.hstack([problem.covariates, problem.features])
    else:
        free, penalised = problem.intercept_and_covariates(), problem.features
    penalties = np.array(settings.penalties) if penalised.shape[1] else np.zeros(1)
    return _closed_form(problem, free, penalised, penalties, scaling)


def predict_linear(
    problem: Problem, settings: LinearSettings | None = None, seed: int = 0, threads: int = 1
) -> np.ndarray:
    """Predict the genes of each fold by (generalised) least squares on all other folds.

    Parameters
    ----------
    problem
        What is fitted.
    settings
        Settings of the regressor; defaults when absent.
    seed, threads
        Not used: a closed form has nothing random and sets no threads.

    Returns
    -------
    ndarray
        Held-out predictions, float64 [gene, trait].
    """
    return _closed_form(
        problem, problem.intercept_and_covariates(), problem.features, np.zeros(1), "standardise"
    )


def _closed_form(
    problem: Problem, free: np.ndarray, penalised: np.ndarray, penalties: np.ndarray, scaling: str
) -> np.ndarray:
    # Shifting columns changes nothing but the intercept, and keeps the sums of squares small.
    penalised = penalised - penalised.mean(axis=0)
    columns = np.hstack([free, penalised])
    if problem.projection == "whiten":
        return _whitened(problem, columns, free.shape[1], penalties, scaling)
    if problem.projection == "paper":
        return _published(problem, free, penalised, penalties, scaling)
    fits = leave_group_out(group_moments(free, penalised, problem.z, problem.folds), penalties, scaling)
    return predict_left_out(fits, columns, problem.folds)


def _whitened(
    problem: Problem, columns: np.ndarray, free: int, penalties: np.ndarray, scaling: str
) -> np.ndarray:
    assert problem.linkage is not None
    decomposition = problem.linkage.decomposition
    rotated, rotated_z = decomposition.rotate(columns), decomposition.rotate(problem.z)
    predictions = np.empty_like(problem.z)
    for trait in range(problem.z.shape[1]):
        weights = decomposition.weights(problem.linkage.ridge(trait))[:, None]
        white, target = rotated * weights, rotated_z[:, [trait]] * weights
        fits = leave_group_out(
            group_moments(white[:, :free], white[:, free:], target, problem.folds), penalties, scaling
        )
        predictions[:, trait] = predict_left_out(fits, columns, problem.folds)[:, 0]
    return predictions


def _published(
    problem: Problem, free: np.ndarray, penalised: np.ndarray, penalties: np.ndarray, scaling: str
) -> np.ndarray:
    # As published, only z is projected; covariates and features are not.
    assert problem.linkage is not None
    columns = np.hstack([free, penalised])
    predictions = np.empty_like(problem.z)
    for trait in range(problem.z.shape[1]):
        projection = problem.linkage.published(trait)
        target = projection.project(problem.z[:, [trait]])
        fits = leave_group_out(group_moments(free, penalised, target, problem.folds), penalties, scaling)
        predictions[:, [trait]] = projection.back(predict_left_out(fits, columns, problem.folds))
    return predictions
