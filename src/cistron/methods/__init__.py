"""What a method is, in every wing: one record, one list, one rule for presets, one place that checks settings.

A wing lists its methods in its ``methods.py``. A record names the function that does the work as text
(``"package.module:function"``), so that reading a list loads no torch, lightning, lightgbm or xgboost.

Settings are frozen data classes. The range of each number stands in its annotation, and ``__post_init__`` calls
:func:`check_settings`:

>>> from dataclasses import dataclass
>>> from cistron.methods import Count, Share, check_settings
>>> @dataclass(frozen=True)
... class ToySettings:
...     factors: Count = 8
...     dropout: Share = 0.1
...
...     def __post_init__(self) -> None:
...         check_settings(self)
>>> ToySettings(dropout=float("nan"))
Traceback (most recent call last):
...
cistron.methods.ranges.SettingError: dropout must lie between 0 and 1. Given: nan
"""

from cistron.methods.estimator import Estimator
from cistron.methods.ranges import (
    Count,
    CountOrZero,
    NotNegative,
    OpenShare,
    Positive,
    PositiveShare,
    Range,
    SettingError,
    Share,
    check_settings,
    check_value,
    setting_types,
)
from cistron.methods.record import Method, MethodList, NoSettings, Traits, setting_names, with_given

__all__ = [
    "Count",
    "CountOrZero",
    "Estimator",
    "Method",
    "MethodList",
    "NoSettings",
    "NotNegative",
    "OpenShare",
    "Positive",
    "PositiveShare",
    "Range",
    "SettingError",
    "Share",
    "Traits",
    "check_settings",
    "check_value",
    "setting_names",
    "setting_types",
    "with_given",
]
