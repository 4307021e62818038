"""The parameters that a search varies: their names and ranges."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Real:
    """A number between ``low`` and ``high``, on a log scale if ``log``."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole number between ``low`` and ``high``, both included."""

    low: int
    high: int
    log: bool = False
    step: int = 1


@dataclass(frozen=True)
class Choice:
    """One of several values (text, numbers, truth values)."""

    options: tuple[Any, ...]


SearchSpace = Mapping[str, Real | Whole | Choice]


def describe_space(space: SearchSpace) -> dict[str, Any]:
    """Give a search space as plain JSON; two spaces are the same when this is."""
    return {
        name: {"kind": type(choice).__name__.lower(), **_listed(asdict(choice))}
        for name, choice in sorted(space.items())
    }


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def suggest(trial: "optuna.Trial", space: SearchSpace) -> dict[str, Any]:
    """Let a trial choose a value of each parameter."""
    parameters: dict[str, Any] = {}
    for name, choice in space.items():
        if isinstance(choice, Real):
            parameters[name] = trial.suggest_float(name, choice.low, choice.high, log=choice.log)
        elif isinstance(choice, Whole):
            parameters[name] = trial.suggest_int(
                name, choice.low, choice.high, log=choice.log, step=choice.step
            )
        else:
            parameters[name] = trial.suggest_categorical(name, choice.options)
    return parameters
