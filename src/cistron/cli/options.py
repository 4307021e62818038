"""Options that mean the same on every command."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from cyclopts import Group, Parameter

from cistron.cli.running import Fetched, Reads, Writes
from cistron.methods import Count, check_value

RUNNING = Group("Running", sort_key=100)
READING = Group("Reading cells and matrices", sort_key=20)
EVERY = Group("Every command", sort_key=200)
_MOST_SHOWN = 6  # values of a default in the help


def default_text(value: Any) -> Any:
    """Text of a default in the help; ``None`` where the option is off or empty."""
    if value is None or value is False or value == () or value == "":
        return None
    if value is True:
        return "yes"
    if isinstance(value, tuple):
        shown = [f"{one:g}" if isinstance(one, float) else str(one) for one in value]
        if len(shown) > _MOST_SHOWN:
            shown = [*shown[:3], "...", shown[-1]]
        return " ".join(shown)
    return f"{value:g}" if isinstance(value, float) else str(value)


Seed = Annotated[int, Parameter(group=RUNNING, help="Seed of the run; the same seed gives the same answer.")]
# Every command takes --threads (cistron.cli.main); one that has it itself has a number of its own where it is absent.
Threads = Annotated[
    Count | None,
    Parameter(group=RUNNING, show=False, help="Threads of numerical libraries; all cores when absent."),
]
# run_command (cistron.cli.running) places the independent work of a command by these two; a command need not hand them on.
Workers = Annotated[
    Count,
    Parameter(group=RUNNING, help="Local processes for independent work; the result is that of one process."),
]
Devices = Annotated[
    Count | None,
    Parameter(
        group=RUNNING,
        help="Devices (GPUs, or processes without a GPU) of each machine to which the batches of a training are dealt; 1 when absent.",
    ),
]
Nodes = Annotated[
    Count | None,
    Parameter(
        group=RUNNING,
        help="Machines of a training, each of which runs this command (torchrun, SLURM); 1 when absent.",
    ),
]
Strategy = Annotated[
    str | None,
    Parameter(
        group=RUNNING,
        help="Lightning's strategy for several devices, for example ddp; its choice when absent.",
    ),
]
TrainingPrecision = Annotated[
    Literal["fp32", "mixed"] | None,
    Parameter(
        group=RUNNING, help="Matrix products of a training: exact, or in bfloat16; the method's when absent."
    ),
]
Scheduler = Annotated[
    str | None,
    Parameter(
        group=RUNNING,
        help="Address of a running Dask scheduler (tcp://host:8786), whose workers do the independent work in place of local processes; "
        "they read the files under the paths given here.",
    ),
]
AllowLoss = Annotated[
    bool,
    Parameter(
        group=RUNNING, negative=(), help="Go on when mapping identifiers loses more than 5% of the genes."
    ),
]
Output = Annotated[Path, Parameter(name=["--output", "-o"], help="File or folder to write."), Writes()]
# An output that may stand without an option's name: `convert SOURCE DESTINATION`.
Destination = Annotated[Path, Parameter(name=["--output", "-o", "--destination"]), Writes()]
FurtherOutput = Annotated[Path | None, Writes()]  # written only where it is given
# Options for cells and matrices of AnnData; they mean the same on every command that reads them.
Layer = Annotated[
    str | None,
    Parameter(
        group=READING,
        help="Layer of the values; raw is AnnData's .raw with its genes. When absent, cells are read from layers['counts'] where "
        "there is one, else from X, and matrices of genes x samples from X.",
    ),
]
GeneColumn = Annotated[
    str | None,
    Parameter(
        name="--gene-column",
        group=READING,
        help="Column of var with the gene ids; the names of var when absent. Genes without an id are left out.",
    ),
]
Modality = Annotated[
    str | None,
    Parameter(
        group=READING,
        help="Modality of a .h5mu, feature type of Cell Ranger's files, or genome of its version 2.",
    ),
]
GenesIn = Annotated[
    Literal["auto", "rows", "columns"],
    Parameter(group=READING, help="Axis that holds the genes; auto looks at the identifiers."),
]
ScaleName = Literal["auto", "counts", "log-normalised", "continuous"]
Scale = Annotated[
    ScaleName,
    Parameter(group=READING, help="What the values are; auto accepts raw counts only."),
]
CellType = Annotated[
    str | None,
    Parameter(
        name="--cell-type",
        group=READING,
        help="Column of obs with the cell types; cell_type where there is one.",
    ),
]
Donor = Annotated[str, Parameter(group=READING, help="Column of obs with the donors.")]
GeneMap = Annotated[
    tuple[str, ...],
    Parameter(
        name="--gene-map",
        group=READING,
        help="Tables between gene ids by which genes that are named differently are joined: files (HGNC, GTF) or the fetched data sets "
        "hgnc_complete_set, gencode_v44, gencode_v19; each is asked for what those before it do not know.",
    ),
    Reads(("hgnc_complete_set", "gencode_v44", "gencode_v19", "gencode_mouse_m25")),
    Fetched("give a file, or fetch one with 'cistron data fetch hgnc_complete_set' and give its name"),
]
Perturbation = Annotated[
    str | None,
    Parameter(
        group=READING,
        help="Column of obs that names what was perturbed in each cell: a gene, a guide, several joined by + , ; | or _. "
        "When absent: perturbation, or the one column whose labels are genes of the file and controls.",
    ),
]
ControlLabels = Annotated[
    tuple[str, ...],
    Parameter(
        group=READING,
        help="Labels of the control cells in that column, or patterns with *; guessed and said when absent.",
    ),
]
Excluded = Annotated[tuple[str, ...], Parameter(group=READING, help="Labels whose cells are not used.")]
Guide = Annotated[str | None, Parameter(group=READING, help="Column of obs that names the guide.")]
MinimumCells = Annotated[
    Count, Parameter(name="--minimum-cells", group=READING, help="Fewest cells of a perturbation.")
]


def renamed(name: str, *old_names: str) -> Parameter:
    """Name an option and keep the spellings it had before, which work until 0.3.

    Parameters
    ----------
    name, *old_names
        With their hyphens.
    """
    return Parameter(name=[name, *old_names])


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
