"""Fit weights (Lightning), save and load them (safetensors), tune (Optuna).

The three verbs of every network in cistron:

>>> from cistron.training import FitSettings, fit, load_model, save_model, tune

``fit(model, loss, batches)`` trains any ``torch.nn.Module``; ``save_model`` writes a folder without pickle;
``tune(objective, space)`` searches settings in a study that several processes share.
"""

from cistron.training.fit import FitReport, TrainingDivergedError, fit
from cistron.training.inference import best_device, in_batches
from cistron.training.models import ModelCard, SavedModel, load_model, load_weights, save_model, settings_from
from cistron.training.search_space import Choice, Real, SearchSpace, Whole
from cistron.training.settings import FitSettings
from cistron.training.tune import TuneReport, tune

__all__ = [
    "Choice",
    "FitReport",
    "FitSettings",
    "ModelCard",
    "Real",
    "SavedModel",
    "SearchSpace",
    "TrainingDivergedError",
    "TuneReport",
    "Whole",
    "best_device",
    "fit",
    "in_batches",
    "load_model",
    "load_weights",
    "save_model",
    "settings_from",
    "tune",
]
