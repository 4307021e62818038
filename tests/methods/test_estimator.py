"""scikit-learn's contract for estimators: clone, get_params, set_params."""

import pytest
from sklearn.base import clone

from cistron.cells import CellExpression
from cistron.chromatin import ExpressionPredictor
from cistron.errors import InputError
from cistron.networks import CausalBenchModel, NetworkInference
from cistron.omics import OmicsEmbedder, PreprocessingSettings, VdtfSettings


def dna_embedder(folder):
    from cistron.sequence import PRESETS, DnaEmbedder, EnformerSettings, save_weights
    from cistron.sequence.random_model import random_model
    from cistron.sequence.settings import GeneEmbeddingSettings

    assert isinstance(PRESETS["small"], EnformerSettings)
    model, tracks = random_model(PRESETS["small"], 0)
    save_weights(model, folder / "model", tracks=tracks, origin={})
    return DnaEmbedder(folder / "model", GeneEmbeddingSettings(neighbours=1), seed=4)


ESTIMATORS = {
    "omics": lambda _: OmicsEmbedder(
        {"fit.epochs": 3}, PreprocessingSettings(log="no"), 2, method="vdtf", preset="paper"
    ),
    "omics by settings": lambda _: OmicsEmbedder(VdtfSettings(layers=4)),
    "networks": lambda _: NetworkInference({"steps": 5}, method="catran", preset="paper", seed=3),
    "CausalBench": lambda _: CausalBenchModel("mean-shift", 10),
    "cells": lambda _: CellExpression(method="ridge", seed=3),
    "chromatin": lambda _: ExpressionPredictor(method="ridge", preset="window"),
    "sequence": dna_embedder,
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_clone_and_parameters(name, tmp_path):
    estimator = ESTIMATORS[name](tmp_path)
    parameters = estimator.get_params()
    for key, value in parameters.items():
        assert getattr(estimator, key) is value
    rebuilt = type(estimator)(**parameters)
    assert all(rebuilt.get_params()[key] is value for key, value in parameters.items())
    copy = clone(estimator)
    assert copy is not estimator
    assert copy.get_params() == parameters
    assert repr(copy) == repr(estimator)
    if "seed" in parameters:
        assert copy.set_params(seed=99) is copy
        assert copy.get_params()["seed"] == 99
        assert estimator.get_params()["seed"] == parameters["seed"]
    with pytest.raises(InputError, match="has no parameter 'depth'; it has"):
        estimator.set_params(depth=3)


def test_parameters_that_do_not_fit_change_nothing():
    estimator = NetworkInference(method="catran")
    with pytest.raises(InputError, match="there is no network method 'genie'"):
        estimator.set_params(seed=5, method="genie")
    assert estimator.get_params()["seed"] == 0
