"""Presets, names that were given, lookups; and that lists of methods load nothing heavy."""

import subprocess
import sys

import pytest

from cistron.cells import CellExpression
from cistron.chromatin import ExpressionPredictor
from cistron.chromatin.settings import NetworkSettings
from cistron.errors import InputError
from cistron.methods import Method, MethodList, NoSettings, setting_names, with_given
from cistron.networks import METHODS, NetworkInference
from cistron.omics import OmicsEmbedder, PcaSettings, VdtfSettings
from cistron.omics.settings import VdtfFit

LISTS = [
    "cistron.omics.methods",
    "cistron.networks.methods",
    "cistron.cells.methods",
    "cistron.chromatin.methods",
    "cistron.sequence.methods",
    "cistron.evaluation.gwas.regressors",
]


@pytest.mark.parametrize("module", LISTS)
def test_lists_and_settings_load_no_heavy_library(module):
    code = (
        f"import sys, {module}; heavy = [m for m in ('torch', 'lightning', 'lightgbm', 'xgboost') if m in sys.modules]; "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", LISTS)
def test_every_record_names_a_function_and_settings_that_can_be_made(module):
    import importlib

    found = importlib.import_module(module)
    methods = next(value for value in vars(found).values() if isinstance(value, MethodList))
    for name, record in methods.items():
        assert name == record.name
        where, _, function = record.make.partition(":")
        assert callable(getattr(importlib.import_module(where), function))
        for preset in record.preset_names:
            assert isinstance(record.settings_of(preset), record.settings)
        for setting in record.options.values():
            assert setting in setting_names(record.settings_of())
        assert record.summary
        assert record.meaning
        assert record.reference


def test_what_was_given_wins_even_if_it_equals_the_class_default():
    assert NetworkSettings.paper().members == 1
    given = with_given(NetworkSettings.paper(), {"members": 3, "fit.epochs": 40})
    assert (given.members, given.fit.epochs) == (NetworkSettings().members, NetworkSettings().fit.epochs)
    assert (given.merge, given.fit.schedule) == ("late", "constant")
    settings = METHODS.settings("catran", "paper", {"shuffle": "cells"})
    assert (settings.shuffle, settings.batch_cells) == ("cells", 2048)
    whole = with_given(VdtfSettings.paper(), {"fit": VdtfFit(epochs=2), "fit.patience": None})
    assert (whole.fit.epochs, whole.fit.patience, whole.fit.schedule) == (2, None, "cosine")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("fit.epoch", "did you mean 'fit.epochs'"),
        ("kl_wieght", "did you mean 'kl_weight'"),
        ("layers.first", "has no setting 'layers.first'"),
        ("fit", "has no setting 'fit'"),
        ("zzz", "it has gene_dimension"),
    ],
)
def test_an_unknown_setting_names_the_nearest(name, advice):
    with pytest.raises(InputError, match=advice):
        with_given(VdtfSettings(), {name: "3"})


@pytest.mark.parametrize(
    "estimator",
    [
        lambda **more: OmicsEmbedder(method="vdtf", **more),
        lambda **more: NetworkInference(method="catran", **more),
        lambda **more: CellExpression(method="transformer", **more),
        lambda **more: ExpressionPredictor(method="network", **more),
    ],
)
def test_estimators_follow_the_same_rule(estimator):
    paper = estimator(preset="paper").settings_in_force()
    usual = type(paper)()
    changed = [name for name in setting_names(paper) if "." not in name]
    changed = [name for name in changed if getattr(paper, name) != getattr(usual, name)][-1:]
    told = estimator(preset="paper", settings={name: getattr(usual, name) for name in changed})
    in_force = told.settings_in_force()
    for name in setting_names(paper):
        if "." not in name:
            wanted = usual if name in changed else paper
            assert getattr(in_force, name) == getattr(wanted, name)
    with pytest.raises(InputError, match="exclude each other"):
        estimator(preset="paper", settings=usual)
    with pytest.raises(InputError, match="has no settings 'best'; it has default, paper"):
        estimator(preset="best")


def test_several_matrices_take_the_preset_for_several():
    embedder = OmicsEmbedder(method="vdtf", preset="paper")
    assert embedder.settings_in_force(several=True) == VdtfSettings.paper_many()
    assert embedder.settings_in_force() == VdtfSettings.paper()


def test_settings_tell_the_method_where_only_one_takes_them():
    assert OmicsEmbedder(PcaSettings(3)).record.name == "pca"
    first = Method("first", "a", NoSettings, print, "b", "c", aliases=("one",))
    second = Method("second", "a", NoSettings, print, "b", "c")
    methods = MethodList("toy", first, second)
    with pytest.raises(InputError, match="methods that take it: first, second"):
        methods.method_of(NoSettings())
    assert methods.find("one") is first
    with pytest.raises(InputError, match="there is no toy method 'third'; methods are first, second"):
        methods.find("third")
