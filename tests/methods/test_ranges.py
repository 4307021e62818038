"""Every number of every settings class has a range, checked in one place."""

import dataclasses
import importlib
import math
import pkgutil
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

import pytest

import cistron
from cistron.methods import (
    Count,
    OpenShare,
    Positive,
    PositiveShare,
    Range,
    SettingError,
    Share,
    check_value,
    setting_types,
)
from cistron.methods.ranges import _leaf_types

NEEDED = {"PersonSettings": {"variants": Path("x.vcf")}}
# numbers of which every finite value means something
FREE = {
    ("BaseEditSettings", "window"),
    ("DesignSettings", "level"),
    ("DesignSettings", "region"),
}


def settings_classes() -> list[type]:
    found = {}
    for module in pkgutil.walk_packages(cistron.__path__, "cistron."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if (
                isinstance(value, type)
                and dataclasses.is_dataclass(value)
                and (name.endswith("Settings") or (name.endswith("Fit") and "epochs" in setting_types(value)))
            ):
                found[f"{value.__module__}.{name}"] = value
    return [found[name] for name in sorted(found)]


def numeric_fields(settings: type):
    for name, hint in setting_types(settings).items():
        leaves = list(_leaf_types(hint))
        if any(leaf in (int, float) for leaf, _ in leaves):
            yield name, hint, next((one for _, one in leaves if one is not None), None), leaves


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_numbers_out_of_range_are_refused(settings):
    needed = NEEDED.get(settings.__name__, {})
    made = settings(**needed)
    for name, hint, span, leaves in numeric_fields(settings):
        if (settings.__name__, name) not in FREE:
            assert span is not None, f"{settings.__name__}.{name} has no range"
        usual = getattr(made, name)
        wrong = [math.nan, math.inf, -math.inf, "text"]
        if span is not None and span.low is not None:
            wrong += [span.low - 1, *([span.low] if span.open_low else [])]
        if span is not None and span.high is not None:
            wrong += [span.high + 1, *([span.high] if span.open_high else [])]
        if all(leaf in (int, type(None)) for leaf, _ in leaves):
            wrong += [2.5, 10**13 if span is not None else 2**70]
        for value in wrong:
            given = (value,) if get_origin(hint) is tuple else value
            with pytest.raises(SettingError, match=name):
                dataclasses.replace(made, **{name: given})
        assert dataclasses.replace(made, **{name: usual}) == made


def test_the_list_of_settings_classes_is_not_empty():
    names = {one.__name__ for one in settings_classes()}
    assert {
        "VdtfSettings",
        "GwasSettings",
        "EdgeEvaluationSettings",
        "FitSettings",
        "CatranSettings",
    } <= names


@pytest.mark.parametrize(
    ("hint", "right", "wrong", "says"),
    [
        (Count, [1, 7], [0, -1, 1.5], "must be 1 or more|whole number"),
        (Share, [0, 0.5, 1], [-0.1, 1.1, math.nan], "must lie between 0 and 1"),
        (PositiveShare, [0.1, 1], [0, 1.1], "must lie between 0 and 1, without 0"),
        (OpenShare, [0.1], [0, 1], "without 0 and 1"),
        (Positive, [1e-9, 1e30], [0, math.inf], "must be positive"),
        (Annotated[int, Range(2, 8)] | None, [2, 8, None], [1, 9], "must lie between 2 and 8"),
        (tuple[Count, ...], [(1, 2), ()], [(1, 0)], "must be 1 or more"),
        (Annotated[float, Range(high=3)], [-1e9, 3], [3.5], "must be at most 3"),
        (float, [-1.0, 2], [math.nan, math.inf], "finite number"),
        (Literal["a", "b"], ["a"], ["c"], "must be a or b"),
        (bool, [True, False], [], ""),
        (str, ["x"], [], ""),
        (int, [-5, 2**62], [2.5, 2**70], "whole number|too large"),
    ],
)
def test_what_a_range_holds(hint, right, wrong, says):
    for value in right:
        check_value("x", value, hint)
    for value in wrong:
        with pytest.raises(SettingError, match=says):
            check_value("x", value, hint)


def test_a_setting_of_nested_settings_is_named_whole():
    from cistron.methods import with_given
    from cistron.omics import VdtfSettings

    with pytest.raises(SettingError, match=r"^fit\.epochs must be 1 or more\. Given: 0$") as error:
        with_given(VdtfSettings(), {"fit.epochs": 0})
    assert error.value.setting == "fit.epochs"


def test_literals_are_what_the_annotation_says():
    from cistron.omics import VdtfSettings

    assert get_args(setting_types(VdtfSettings)["start"]) == ("pca", "samples", "random")
    with pytest.raises(SettingError, match=r"start must be pca, samples or random\. Given: 'middle'"):
        VdtfSettings(start="middle")
