"""Ridge and least squares in closed form; whitened, they are generalised least squares."""

from collections.abc import Callable, Sequence

import numpy as np

from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.regressor_settings import LinearSettings, RidgeSettings
from cistron.statistics import (
    GroupMoments,
    RidgeChoice,
    RidgeFit,
    choose_by_groups,
    group_moments,
    leave_group_out,
    predict_left_out,
)

# Fits of each group left out of the only alternative, or the choice among several from which fits are made.
Fitted = tuple[list[RidgeFit] | None, RidgeChoice | None]
Fitter = Callable[[Sequence[GroupMoments]], Fitted]


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
    free, alternatives = ridge_columns(problem, settings)
    return _closed_form(problem, free, alternatives, ridge_fitter(settings, alternatives[0].shape[1]))


def ridge_columns(problem: Problem, settings: RidgeSettings) -> tuple[np.ndarray, list[np.ndarray]]:
    """Columns that are not penalised, and alternatives of those that are: one a weight of the neighbours."""
    own = problem.features
    alternatives = [own]
    if problem.near is not None and own.shape[1]:
        # Centred first: the weights of a gene with few neighbours sum to less than 1, and a mean that is not 0 would
        # tell how many there are.
        mean = problem.near @ (own - own.mean(axis=0))
        weights = (
            settings.neighbour_weights if settings.choice == "chromosomes" else settings.neighbour_weights[:1]
        )
        alternatives = [own + weight * mean if weight else own for weight in weights]
    if settings.penalise_covariates:
        return np.ones((len(own), 1)), [np.hstack([problem.covariates, one]) for one in alternatives]
    return problem.intercept_and_covariates(), alternatives


def ridge_fitter(settings: RidgeSettings, penalised: int) -> Fitter:
    """From moments of alternatives to the choice and fits, as the settings say.

    Parameters
    ----------
    settings
        Settings of ridge.
    penalised
        Number of penalised columns; without any there is nothing to choose.
    """
    # Covariates and dimensions share no scale.
    scaling = "standardise" if settings.penalise_covariates else settings.scaling
    penalties = np.array(settings.penalties) if penalised else np.zeros(1)

    def fit(moments: Sequence[GroupMoments]) -> Fitted:
        if penalised == 0 or settings.choice == "gcv" or len(moments[0].count) < 3:
            return leave_group_out(moments[0], penalties, scaling), None
        choice = choose_by_groups(moments, penalties, scaling)
        return None, choice

    return fit


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

    def fit(moments: Sequence[GroupMoments]) -> Fitted:
        return leave_group_out(moments[0], np.zeros(1), "standardise"), None

    return _closed_form(problem, problem.intercept_and_covariates(), [problem.features], fit)


def _closed_form(
    problem: Problem, free: np.ndarray, alternatives: Sequence[np.ndarray], fit: Fitter
) -> np.ndarray:
    # Shifting columns changes nothing but the intercept, and keeps the sums of squares small.
    columns = [np.hstack([free, one - one.mean(axis=0)]) for one in alternatives]
    if problem.projection == "whiten":
        return _whitened(problem, columns, free.shape[1], fit)
    if problem.projection == "paper":
        return _published(problem, columns, free.shape[1], fit)
    return _predicted(columns, columns, problem.z, problem.folds, free.shape[1], fit)


def _predicted(
    fitted: Sequence[np.ndarray],
    columns: Sequence[np.ndarray],
    target: np.ndarray,
    folds: np.ndarray,
    free: int,
    fit: Fitter,
) -> np.ndarray:
    """Fit rows of ``fitted`` and predict rows of ``columns``, alternative by alternative; float64 [gene, trait]."""
    moments = [group_moments(one[:, :free], one[:, free:], target, folds) for one in fitted]
    fits, choice = fit(moments)
    if choice is None:
        assert fits is not None
        return predict_left_out(fits, columns[0], folds)
    predictions = np.empty(target.shape)
    for number, one in enumerate(columns):
        chosen = (choice.alternative == number)[folds]  # (gene, trait)
        if chosen.any():
            np.copyto(
                predictions, predict_left_out(choice.fits(moments[number], number), one, folds), where=chosen
            )
    return predictions


def _whitened(problem: Problem, columns: Sequence[np.ndarray], free: int, fit: Fitter) -> np.ndarray:
    assert problem.linkage is not None
    decomposition = problem.linkage.decomposition
    rotated, rotated_z = [decomposition.rotate(one) for one in columns], decomposition.rotate(problem.z)
    predictions = np.empty_like(problem.z)
    for trait in range(problem.z.shape[1]):
        weights = decomposition.weights(problem.linkage.ridge(trait))[:, None]
        white, target = [one * weights for one in rotated], rotated_z[:, [trait]] * weights
        predictions[:, [trait]] = _predicted(white, columns, target, problem.folds, free, fit)
    return predictions


def _published(problem: Problem, columns: Sequence[np.ndarray], free: int, fit: Fitter) -> np.ndarray:
    # As published, only z is projected; covariates and features are not.
    assert problem.linkage is not None
    predictions = np.empty_like(problem.z)
    for trait in range(problem.z.shape[1]):
        projection = problem.linkage.published(trait)
        target = projection.project(problem.z[:, [trait]])
        found = _predicted(columns, columns, target, problem.folds, free, fit)
        predictions[:, [trait]] = projection.back(found)
    return predictions
