"""Gradient boosting on the mean signal of each mark in parts of the window (LightGBM); each gene in each cell type is an example."""

from typing import Any

import numpy as np

from cistron.chromatin.fitting_data import FittingData, validation_examples
from cistron.chromatin.linear_path import bin_means
from cistron.chromatin.settings_peers import BoostingSettings
from cistron.chromatin.signal import Signal
from cistron.runtime import Progress


def boosting_features(values: np.ndarray, measured: np.ndarray, settings: BoostingSettings) -> np.ndarray:
    """Features of genes in cell types, float32 [gene, cell type, feature]; NaN where a mark is missing.

    Parameters
    ----------
    values
        float32 [gene, cell type, mark, bin].
    measured
        bool [gene, cell type, mark].
    settings
        ``bins`` and ``other_cell_types`` are used.
    """
    features = bin_means(values, settings.bins).astype(np.float32)
    known = np.repeat(measured, settings.bins, axis=2)
    own = np.where(known, features, np.float32(np.nan))
    if not settings.other_cell_types:
        return own
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, features, 0).sum(axis=1, keepdims=True) / np.where(count, count, np.nan)
    return np.concatenate([own, np.broadcast_to(mean, own.shape)], axis=2)


def _examples(
    signal: Signal, expression: np.ndarray, settings: BoostingSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Features [example, feature] and expression [example] of what was measured."""
    features = np.concatenate(
        [
            boosting_features(values, np.broadcast_to(signal.measured, values.shape[:3]), settings)
            for _, values in signal.blocks()
        ]
    )
    seen = np.isfinite(expression)
    return features[seen], expression[seen]


def fit_boosting(data: FittingData, settings: BoostingSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add trees until the validation part no longer gains."""
    import lightgbm

    signal = data.signal("train")
    features, expression = _examples(signal, data.training_expression(signal), settings)
    held = validation_examples(data)
    options = {
        "objective": "regression",
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.minimum_examples,
        "learning_rate": settings.learning_rate,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "feature_fraction": settings.feature_share,
        "seed": data.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    training = lightgbm.Dataset(features, expression)
    watched: list[Any] = []
    stop: list[Any] = []
    if held is not None:
        watched = [lightgbm.Dataset(*_examples(*held, settings), reference=training)]
        stop = [lightgbm.early_stopping(settings.patience, verbose=False)]
    with Progress("boosting", settings.trees, "trees") as progress:
        stop.append(lambda _: progress.advance())
        booster = lightgbm.train(options, training, settings.trees, watched, callbacks=stop)
    best = booster.best_iteration or settings.trees
    return {"trees": booster.model_to_string(num_iteration=best)}, {"trees_kept": int(best)}


def predict_boosting(
    trees: str, values: np.ndarray, measured: np.ndarray, settings: BoostingSettings
) -> np.ndarray:
    """Predict expression, float32 [gene, cell type].

    Parameters
    ----------
    trees
        Model in LightGBM's text form.
    values
        float32 [gene, cell type, mark, bin].
    measured
        bool [gene, cell type, mark].
    settings
        As fitted.
    """
    import lightgbm

    features = boosting_features(values, measured, settings)
    found = lightgbm.Booster(model_str=trees).predict(features.reshape(-1, features.shape[2]))
    return np.asarray(found, np.float32).reshape(values.shape[:2])
