"""The range of each number, in its annotation, and the one place that checks it."""

import dataclasses
import math
import numbers
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from cistron.errors import InputError

_LARGEST = 1e30  # what single precision can still be multiplied with
_LARGEST_WHOLE = 10**12  # beyond any count that fits a machine; int("1e308") would be accepted otherwise


class SettingError(InputError):
    """A setting outside its range. The command line prints the option in place of the setting's name.

    Parameters
    ----------
    setting
        Dotted name, for example ``fit.epochs``.
    problem
        What was expected and what was given.
    """

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting} {problem}")
        self.setting, self.problem = setting, problem

    def within(self, name: str) -> "SettingError":
        """The same error, for settings that stand in the field ``name`` of others."""
        return SettingError(f"{name}.{self.setting}", self.problem)


@dataclass(frozen=True)
class Range:
    """The values that a number may take; it stands in the annotation of a setting or an option.

    Attributes
    ----------
    low, high
        Smallest and largest value; no bound where ``None``. NaN and infinities are refused everywhere.
    open_low, open_high
        The bound itself is outside.
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        if not math.isfinite(value):
            return False
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        return above and (self.high is None or (value < self.high if self.open_high else value <= self.high))

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "must be a finite number"
        if self.high is None:
            if self.open_low:
                return "must be positive" if self.low == 0 else f"must be more than {self.low:g}"
            return f"must be {self.low:g} or more"
        if self.low is None:
            return f"must be {'less than' if self.open_high else 'at most'} {self.high:g}"
        text = f"must lie between {self.low:g} and {self.high:g}"
        outside = [
            f"{bound:g}" for bound, left in ((self.low, self.open_low), (self.high, self.open_high)) if left
        ]
        return f"{text}, without {' and '.join(outside)}" if outside else text


Count = Annotated[int, Range(1)]  # 1 or more
CountOrZero = Annotated[int, Range(0)]  # 0 or more
Positive = Annotated[float, Range(0, open_low=True)]
NotNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
PositiveShare = Annotated[float, Range(0, 1, open_low=True)]  # 0 < share <= 1
OpenShare = Annotated[float, Range(0, 1, open_low=True, open_high=True)]  # 0 < share < 1


@dataclass(frozen=True)
class _Rules:
    """What an annotation allows: kinds of number, a range, choices; ``numeric`` where nothing but numbers fits."""

    whole: bool
    numeric: bool
    range: Range
    choices: tuple[Any, ...]


def _leaf_types(hint: Any) -> Iterator[tuple[Any, Range | None]]:
    """The types that a value, or an element of a tuple, may have."""
    if get_origin(hint) is Annotated:
        ranges = [one for one in hint.__metadata__ if isinstance(one, Range)]
        for leaf, inner in _leaf_types(hint.__origin__):
            yield leaf, ranges[0] if ranges else inner
    elif get_origin(hint) in (Union, types.UnionType, tuple):
        for part in get_args(hint):
            if part is not Ellipsis:
                yield from _leaf_types(part)
    else:
        yield hint, None


@cache
def _rules(hint: Any) -> _Rules:
    leaves = [(leaf, one) for leaf, one in _leaf_types(hint) if leaf is not type(None)]
    ranges = [one for _, one in leaves if one is not None]
    choices = tuple(value for leaf, _ in leaves if get_origin(leaf) is Literal for value in get_args(leaf))
    kinds = {leaf for leaf, _ in leaves}
    return _Rules(
        bool(kinds) and kinds <= {int},
        bool(kinds) and kinds <= {int, float},
        ranges[0] if ranges else Range(),
        choices if all(get_origin(leaf) is Literal for leaf, _ in leaves) else (),
    )


def check_value(name: str, value: Any, hint: Any) -> None:
    """Check one value, or each element of a tuple, against what its annotation allows.

    Parameters
    ----------
    name
        Name of the setting or option, for the message.
    value
        The value; ``None`` is always accepted.
    hint
        Annotation, with a :class:`Range` where it has one.

    Raises
    ------
    SettingError
        If a number is out of range, not finite, or no number, or a text is none of the choices.
    """
    rules = _rules(hint)
    for one in value if isinstance(value, tuple) else (value,):
        if one is None:
            continue
        if rules.choices and one not in rules.choices:
            choices = ", ".join(map(str, rules.choices[:-1])) + f" or {rules.choices[-1]}"
            raise SettingError(name, f"must be {choices.removeprefix(' or ')}. Given: {one!r}")
        if not isinstance(one, numbers.Real) or isinstance(one, bool):
            if rules.numeric and not isinstance(one, bool):
                raise SettingError(name, f"must be a number. Given: {one!r}")
            continue
        if rules.whole and not isinstance(one, numbers.Integral):
            raise SettingError(name, f"must be a whole number. Given: {one}")
        number = float(one)
        if rules.whole and abs(number) > (_LARGEST_WHOLE if rules.range != Range() else 2**63):
            raise SettingError(name, f"is too large. Given: {one}")
        if math.isfinite(number) and abs(number) > _LARGEST:
            raise SettingError(name, f"is too large. Given: {one}")
        if not rules.range.holds(number):
            raise SettingError(name, f"{rules.range}. Given: {one}")


_types: dict[type, dict[str, Any]] = {}


def setting_types(settings: type) -> dict[str, Any]:
    """Annotation of each field of a settings class, with its range."""
    if settings not in _types:
        hints = get_type_hints(settings, include_extras=True)
        _types[settings] = {one.name: hints[one.name] for one in dataclasses.fields(settings)}
    return _types[settings]


def check_settings(settings: Any) -> None:
    """Check every number and every choice of a settings object; called from ``__post_init__``.

    Raises
    ------
    SettingError
        If one is outside what its annotation allows.
    """
    for name, hint in setting_types(type(settings)).items():
        check_value(name, getattr(settings, name), hint)
