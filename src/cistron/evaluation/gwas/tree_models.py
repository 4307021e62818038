"""Boosted trees: the published XGBoost setting, and the best boosted setting that we found.

f(W X) is not W f(X), so trees are never fitted to whitened rows: rows stay raw and the objective is that of
generalised least squares, (f - z)' Sigma^-1 (f - z) / 2, whose gradient is Sigma^-1 (f - z).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cistron.evaluation.gwas.linear_models import predict_ridge
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.regressor_settings import BoostedSettings, RidgeSettings, XgboostSettings
from cistron.runtime.seeds import seed_for


class _GlsObjective:
    """Gradient and curvature of generalised least squares on the training genes, scaled to a mean curvature of 1.

    The covariance is block-diagonal by chromosome and a fold is made of whole chromosomes, so solving with
    zeros in place of the held-out genes solves for the training genes alone.
    """

    def __init__(self, problem: Problem, training: np.ndarray, trait: int, target: np.ndarray) -> None:
        assert problem.linkage is not None
        self.decomposition = problem.linkage.decomposition
        self.ridge = problem.linkage.ridge(trait)
        self.training, self.target = training, target
        precision = self.decomposition.weights(self.ridge) ** 2
        curvature = np.empty(len(training))
        for rows, vectors in zip(self.decomposition.rows, self.decomposition.vectors):
            curvature[rows] = (vectors**2) @ precision[rows]
        self.scale = curvature[training].mean()
        self.curvature = curvature[training] / self.scale

    def __call__(self, prediction: np.ndarray, data: object) -> tuple[np.ndarray, np.ndarray]:
        residual = np.zeros((len(self.training), 1))
        residual[self.training, 0] = prediction - self.target
        gradient = self.decomposition.solve(residual, self.ridge)[self.training, 0]
        return gradient / self.scale, self.curvature


Predict = Callable[[np.ndarray], np.ndarray]
MakeObjective = Callable[[np.ndarray], "_GlsObjective | None"]


def _fitted_targets(problem: Problem) -> np.ndarray:
    """What trees are fitted to, float64 [gene, trait]: z, or its published projection."""
    if problem.projection != "paper":
        return problem.z
    assert problem.linkage is not None
    traits = range(problem.z.shape[1])
    return np.hstack([problem.linkage.published(trait).project(problem.z[:, [trait]]) for trait in traits])


def _back_projected(problem: Problem, predictions: np.ndarray) -> np.ndarray:
    """Predictions of :func:`_fitted_targets` as predictions of z."""
    if problem.projection != "paper":
        return predictions
    assert problem.linkage is not None
    traits = range(problem.z.shape[1])
    return np.hstack([problem.linkage.published(trait).back(predictions[:, [trait]]) for trait in traits])


def predict_xgboost(
    problem: Problem, settings: XgboostSettings | None = None, seed: int = 0, threads: int = 1
) -> np.ndarray:
    """Predict the genes of each fold by XGBoost on all other folds.

    Parameters
    ----------
    problem
        What is fitted.
    settings
        Settings of the regressor; defaults when absent.
    seed, threads
        Seed and threads of the tree library.

    Returns
    -------
    ndarray
        Held-out predictions, float64 [gene, trait].
    """
    import xgboost

    settings = settings or XgboostSettings()
    columns = np.hstack([problem.covariates, problem.features]).astype(np.float32)
    if columns.shape[1] == 0:
        return _training_means(problem)
    parameters = {
        "tree_method": "hist",
        "max_depth": settings.depth,
        "eta": settings.learning_rate,
        "lambda": settings.l2,
        "alpha": settings.l1,
        "max_bin": settings.bins,
        "nthread": threads,
        "seed": seed_for(seed, "xgboost") % 2**31,
        "verbosity": 0,
    }

    def bin_features(training: np.ndarray) -> Any:
        return xgboost.QuantileDMatrix(columns[training], max_bin=settings.bins, nthread=threads)

    def fit(data: Any, target: np.ndarray, objective: MakeObjective) -> Predict:
        data.set_label(target)
        model = xgboost.train(
            parameters | {"base_score": float(target.mean())},
            data,
            num_boost_round=settings.trees,
            obj=objective(target),
        )
        return model.inplace_predict

    return _held_out(problem, columns, bin_features, fit)


def predict_boosted(
    problem: Problem, settings: BoostedSettings | None = None, seed: int = 0, threads: int = 1
) -> np.ndarray:
    """Predict the genes of each fold by an average of LightGBM and closed-form ridge on all other folds.

    Parameters
    ----------
    problem
        What is fitted.
    settings
        Settings of the regressor; defaults when absent.
    seed, threads
        Seed and threads of the tree library.

    Returns
    -------
    ndarray
        Held-out predictions, float64 [gene, trait].
    """
    settings = settings or BoostedSettings()
    trees = _predict_lightgbm(problem, settings, seed, threads)
    if settings.linear_share == 0:
        return trees
    linear = predict_ridge(problem, RidgeSettings())
    return settings.linear_share * linear + (1 - settings.linear_share) * trees


def _predict_lightgbm(problem: Problem, settings: BoostedSettings, seed: int, threads: int) -> np.ndarray:
    import lightgbm

    columns = np.hstack([problem.covariates, problem.features])
    if columns.shape[1] == 0:
        return _training_means(problem)
    # A null model has few columns: a tenth of them would be none.
    share = max(settings.features_per_tree, min(1.0, 3.0 / columns.shape[1]))
    parameters = {
        "objective": "regression",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": share,
        "min_data_in_leaf": settings.rows_per_leaf,
        "lambda_l2": settings.l2,
        "max_bin": settings.bins,
        "feature_pre_filter": False,
        "num_threads": threads,
        "force_col_wise": True,  # a tree reads a tenth of the columns
        "deterministic": True,
        "seed": seed_for(seed, "boosted") % 2**31,
        "verbosity": -1,
    }
    binning = {"max_bin": settings.bins, "feature_pre_filter": False, "verbosity": -1, "num_threads": threads}

    def bin_features(training: np.ndarray) -> Any:
        return lightgbm.Dataset(columns[training], params=binning, free_raw_data=False).construct()

    def fit(data: Any, target: np.ndarray, objective: MakeObjective) -> Predict:
        mean = target.mean()
        data.set_label(target - mean)
        own = objective(target - mean)
        chosen = parameters if own is None else {**parameters, "objective": own}
        model = lightgbm.train(dict(chosen), data, settings.trees)
        return lambda rows: model.predict(rows) + mean

    return _held_out(problem, columns, bin_features, fit)


def _held_out(
    problem: Problem,
    columns: np.ndarray,
    bin_features: Callable[[np.ndarray], Any],
    fit: Callable[[Any, np.ndarray, MakeObjective], Predict],
) -> np.ndarray:
    """Predict each fold by models of all other folds; features are binned once a fold and serve all traits.

    Parameters
    ----------
    problem
        What is fitted.
    columns
        Features, float [gene, column].
    bin_features
        From which genes train (bool [gene]) to binned features.
    fit
        From binned features, target [training gene] and the objective of a target to a function that predicts rows.

    Returns
    -------
    ndarray
        Held-out predictions, float64 [gene, trait].
    """
    targets = _fitted_targets(problem)
    predictions = np.empty_like(problem.z)
    for fold in range(int(problem.folds.max()) + 1):
        training = problem.folds != fold
        data = bin_features(training)
        for trait in range(targets.shape[1]):

            def objective(
                target: np.ndarray, training: np.ndarray = training, trait: int = trait
            ) -> _GlsObjective | None:
                whiten = problem.projection == "whiten"
                return _GlsObjective(problem, training, trait, target) if whiten else None

            predict = fit(data, targets[training, trait], objective)
            predictions[~training, trait] = predict(columns[~training])
    return _back_projected(problem, predictions)


def _training_means(problem: Problem) -> np.ndarray:
    predictions = np.empty_like(problem.z)
    for fold in range(int(problem.folds.max()) + 1):
        predictions[problem.folds == fold] = problem.z[problem.folds != fold].mean(axis=0)
    return predictions
