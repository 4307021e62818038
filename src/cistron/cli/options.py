"""Options that mean the same on every command."""

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cistron.cli.running import Writes

RUNNING = Group("Running", sort_key=100)

Seed = Annotated[int, Parameter(group=RUNNING, help="Seed of the run; the same seed gives the same answer.")]
Threads = Annotated[
    int | None, Parameter(group=RUNNING, help="Threads of numerical libraries; all cores when absent.")
]
Workers = Annotated[int, Parameter(group=RUNNING, help="Local processes for independent work.")]
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
