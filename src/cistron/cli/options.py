"""Options that mean the same on every command."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from cyclopts import Group, Parameter

from cistron.cli.running import Writes
from cistron.methods import Count, check_value

RUNNING = Group("Running", sort_key=100)

Seed = Annotated[int, Parameter(group=RUNNING, help="Seed of the run; the same seed gives the same answer.")]
Threads = Annotated[
    Count | None, Parameter(group=RUNNING, help="Threads of numerical libraries; all cores when absent.")
]
Workers = Annotated[Count, Parameter(group=RUNNING, help="Local processes for independent work.")]
Scheduler = Annotated[
    str | None,
    Parameter(group=RUNNING, help="Address of a running Dask scheduler, for example tcp://host:8786."),
]
AllowLoss = Annotated[
    bool,
    Parameter(
        group=RUNNING, negative=(), help="Go on when mapping identifiers loses more than 5% of the genes."
    ),
]
Output = Annotated[Path, Parameter(name=["--output", "-o"], help="File or folder to write."), Writes()]
Destination = Annotated[Path, Writes()]  # an output that stands without an option's name
FurtherOutput = Annotated[Path | None, Writes()]  # written only where it is given
# A named set of settings: `default`, `paper` where the method reproduces a publication.
PRESET = Parameter(name=["--settings", "--preset"])


def check_arguments(command: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Check every number that a command is given against the range in its annotation; NaN and infinities never pass.

    Settings classes check themselves. This is for the plain parameters of a command.

    Parameters
    ----------
    command
        The command.
    arguments
        Its arguments by name, as parsed.

    Raises
    ------
    SettingError
        If a number is out of range.
    """
    hints = get_type_hints(command, include_extras=True)
    for name in inspect.signature(command).parameters:
        value = arguments.get(name)
        if isinstance(value, (int, float, tuple)) and name in hints:
            check_value(_option_of(name, hints[name]), value, hints[name])


def _option_of(name: str, hint: Any) -> str:
    """The first name that an annotation gives a parameter, without the hyphens before it."""
    for one in getattr(hint, "__metadata__", ()):
        names = tuple(one.name or ()) if isinstance(one, Parameter) else ()
        if names and names[0].startswith("--"):
            return names[0].removeprefix("--")
    return name
