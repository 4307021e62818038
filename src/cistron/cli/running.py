"""Run one command: its signature tells which arguments are inputs and outputs, and one rule for outputs holds for all commands."""

import dataclasses
import inspect
import os
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cistron.cli.followers import discarded_outputs, is_follower
from cistron.cli.summary import RunSummary
from cistron.errors import InputError
from cistron.runtime import Output, RunRecord, claim_outputs, limit_threads, run_on, show
from cistron.runtime.cloud import cloud_url, exists, require_here
from cistron.runtime.files import destination_of, require_ordinary
from cistron.runtime.outputs import are_finished
from cistron.runtime.text_files import refuse_stand_in

# What does not change a result: how it is computed, and what is printed or drawn of it.
INCIDENTAL = frozenset(
    {
        "threads",
        "workers",
        "scheduler",
        "batch_size",
        "memory",
        "report",
        "figures",
        "allow_loss",
        "allow_shortfall",
        "trials",
    }
)


class _NotGiven:
    def __repr__(self) -> str:
        return "not given"


NOT_GIVEN = _NotGiven()  # default of an option for which None is a value that can be given


@dataclasses.dataclass(frozen=True)
class Writes:
    """Mark of a parameter that names an output, for the annotation: ``Annotated[Path, Parameter(...), Writes()]``.

    Attributes
    ----------
    maintained, shared, growing
        As of :class:`cistron.runtime.Output`.
    """

    maintained: bool = False
    shared: bool = False
    growing: bool = False


@dataclasses.dataclass(frozen=True)
class Fetched:
    """Mark of an input that a user may not have yet.

    Attributes
    ----------
    how
        What to do where it is absent.
    """

    how: str


@dataclasses.dataclass(frozen=True)
class MayBeAbsent:
    """Mark of a parameter that names a file or folder that need not exist, or whose absence the command explains better."""


@dataclasses.dataclass(frozen=True)
class Lists:
    """Mark of a parameter that names a table of further input files.

    Attributes
    ----------
    column
        Column of the paths, which are relative to the table.
    """

    column: str = "path"


@dataclasses.dataclass(frozen=True)
class InCloud:
    """Mark of an input that may lie in an object store (:mod:`cistron.runtime.cloud`); other inputs must be on this machine."""


@dataclasses.dataclass(frozen=True)
class Reads:
    """Mark of a parameter of texts that are paths of input files.

    Attributes
    ----------
    words
        Texts that are no files.
    """

    words: tuple[str, ...] = ()


def marks_of(command: Callable[..., Any]) -> dict[str, list[Any]]:
    """Marks of each parameter of a command.

    Parameters
    ----------
    command
        Function of the command line.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    return {
        name: [
            mark
            for mark in getattr(hint, "__metadata__", ())
            if isinstance(mark, Writes | Lists | Reads | MayBeAbsent | Fetched | InCloud)
        ]
        for name, hint in hints.items()
        if name != "return"
    }


def run_command(
    command: Callable[..., Any],
    bound: inspect.BoundArguments,
    summary: RunSummary,
    *,
    overwrite: bool,
    threads: int | None = None,
) -> Any:
    """Call a command under the rule for outputs (:mod:`cistron.runtime.outputs`).

    Parameters
    ----------
    command
        Function of the command line.
    bound
        Its arguments.
    summary
        The command as the user typed it; gets the outputs.
    overwrite
        Whether results of other runs may be replaced.
    threads
        Limit of numerical libraries for a command without such an option of its own.

    Returns
    -------
    object
        What the command returns.

    Raises
    ------
    InputError
        If an input does not exist or an output must not be written.
    """
    marks = marks_of(command)
    writes = {name: mark for name, found in marks.items() for mark in found if isinstance(mark, Writes)}
    arguments = inspect.BoundArguments(bound.signature, dict(bound.arguments))
    arguments.apply_defaults()
    outputs = [
        Output(Path(arguments.arguments[name]), mark.maintained, mark.shared, mark.growing)
        for name, mark in writes.items()
        if arguments.arguments[name] is not None
    ]
    for output in outputs:
        url = cloud_url(output.path)
        if url is not None:
            raise InputError(
                f"{url}: outputs are written on this machine; give a path here, and copy the result there"
            )
    check_paths(command, bound)
    command = _limited(command, arguments.arguments.get("threads", threads))
    command = _placed(command, arguments.arguments, threads)
    if not outputs:
        return command(*bound.args, **bound.kwargs)
    given = {
        key: value
        for key, value in arguments.arguments.items()
        if key not in writes and value is not NOT_GIVEN
    }
    lists = {key: mark.column for key, found in marks.items() for mark in found if isinstance(mark, Lists)}
    inputs: list[Path] = []
    named = {key: mark for key, found in marks.items() for mark in found if isinstance(mark, Reads)}
    for key, mark in named.items():  # texts that name files: their content counts as well
        given[key] = [text if text in mark.words else Path(text) for text in given[key]]
    settings = _without_paths({key: value for key, value in given.items() if key not in INCIDENTAL}, inputs)
    for key, column in lists.items():
        if given[key] is not None:
            inputs += _listed(given[key], column)
    _require_apart(outputs, inputs)
    if all(output.maintained for output in outputs):
        inputs = []  # made again in any case
    summary.outputs = [str(output.path) for output in outputs]
    record = RunRecord(summary.command, settings, inputs, int(given.get("seed") or 0))
    if is_follower(arguments.arguments):
        if not overwrite and are_finished(outputs, record):
            return None  # the first process leaves them as they are, and waits for nobody
        with discarded_outputs(bound, writes) as changed:
            return command(*changed.args, **changed.kwargs)
    with claim_outputs(outputs, record, overwrite=overwrite) as claim:
        if not claim.finished:
            return command(*bound.args, **bound.kwargs)
        summary.already_finished = True
        show(f"{outputs[0].path} is finished: the same run wrote it before (--overwrite runs it again)")
        if given.get("report"):
            _draw_again(outputs[0].path)
    return None


def _draw_again(output: Path) -> None:
    """Make the page of a finished run where it is gone: it lies in a folder of scores, and beside a store (a design)."""
    store = output.suffix == ".zarr"
    page = output.with_name(f"{output.stem}.report.html") if store else output / "report.html"
    if page.exists() or not (store or (output / "scores.parquet").exists()):
        return
    from cistron.report import build_report
    from cistron.report.design import design_report

    show(f"report: {design_report(output, page) if store else build_report([output], page)}")


def _limited(command: Callable[..., Any], threads: int | None) -> Callable[..., Any]:
    """The command under its ``--threads``: for all of its work, libraries that it loads and processes that it starts."""
    if threads is None:
        return command

    def limited(*given: Any, **named: Any) -> Any:
        with limit_threads(threads):
            return command(*given, **named)

    return limited


def _placed(
    command: Callable[..., Any], arguments: Mapping[str, Any], threads: int | None
) -> Callable[..., Any]:
    """The command with its independent work where ``--workers`` and ``--scheduler`` say, if it has these options."""
    workers, scheduler = arguments.get("workers") or 1, arguments.get("scheduler")
    if workers == 1 and scheduler is None:
        return command

    def placed(*given: Any, **named: Any) -> Any:
        with run_on(workers, scheduler, threads=arguments.get("threads", threads)):
            return command(*given, **named)

    return placed


def _require_apart(outputs: Sequence[Output], inputs: Sequence[Path]) -> None:
    """Raise where an output is an input, holds one or lies in one (``--overwrite`` would change it), or another output."""
    places, here = [destination_of(output.path) for output in outputs], Path.cwd()
    for number, (output, place) in enumerate(zip(outputs, places)):
        for other in places[:number]:
            if place == other or place in other.parents or other in place.parents:
                raise InputError(
                    f"two outputs are one or lie in each other: {outputs[0].path} and {output.path}; give each a path of its own"
                )
        for given in [] if output.maintained else inputs:
            if cloud_url(given) is not None:
                continue
            source = destination_of(given)
            if place == source or (place.is_file() and place.samefile(source)):
                raise InputError(f"{output.path} is an input of this command; give another --output")
            if source in place.parents:
                raise InputError(
                    f"{output.path} lies inside {given}, an input of this command; give an --output outside"
                )
            if place in source.parents and place not in (here, *here.parents):  # the claim tells of these
                raise InputError(
                    f"{given}, an input of this command, lies inside {output.path}; give another --output"
                )


def _without_paths(value: Any, inputs: list[Path]) -> Any:
    """Replace each path in the settings by the number of the input, because two runs are the same if their contents are, whatever the names."""
    if isinstance(value, Path):
        found = _existing(value)
        if not found:
            return value.name
        inputs.extend(found)
        return f"input {len(inputs)}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in INCIDENTAL}
        return {key: _without_paths(item, inputs) for key, item in kept.items()}
    if isinstance(value, list | tuple):
        return [_without_paths(item, inputs) for item in value]
    return value


def _existing(path: Path) -> list[Path]:
    """The file or folder, or all files whose names begin with this prefix (a TensorFlow checkpoint is named by its prefix)."""
    if exists(path):
        return [path]
    if cloud_url(path) is not None:
        return []
    parent = path.parent
    if not path.name or not parent.is_dir():
        return []
    return sorted(
        other for other in parent.iterdir() if other.name.startswith(f"{path.name}.") and other.is_file()
    )


def _listed(table: Path, column: str) -> Iterator[Path]:
    """Files that a table names; what cannot be read is for the command to say."""
    import csv

    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t" if table.suffix != ".csv" else ","))
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    for row in rows:
        name = str(row.get(column) or "")
        path = Path(name) if cloud_url(name) else table.parent / name
        if cloud_url(name) or path.is_file():
            yield path


def writing_commands(app: Any) -> dict[str, Callable[..., Any]]:
    """All commands that write, by the words a user types; read off the application.

    Parameters
    ----------
    app
        The cyclopts application.
    """
    found = {}
    for words, command in _commands(app, ()):
        if any(isinstance(mark, Writes) for marks in marks_of(command).values() for mark in marks):
            found[" ".join(words)] = command
    return found


def _commands(app: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    if app.default_command is not None and words:
        yield words, app.default_command
    for name in app:
        if not name.startswith("-"):
            yield from _commands(app[name], (*words, name))


def check_paths(command: Callable[..., Any], bound: inspect.BoundArguments) -> None:
    """Raise on an input that does not exist, before anything heavy is imported.

    Parameters
    ----------
    command
        Function of the command line.
    bound
        Its arguments.

    Raises
    ------
    InputError
        Naming the file.
    """
    marks = marks_of(command)
    for name, value in bound.arguments.items():
        own = marks.get(name, [])
        for mark in own:
            if isinstance(mark, Reads):
                value = [Path(text) for text in value if text not in mark.words]
        if not any(isinstance(mark, Writes | MayBeAbsent) for mark in own):
            for path in _paths(value):
                if not any(isinstance(mark, InCloud) for mark in own):
                    require_here(path)
                if not _existing(path):
                    hints = [f"; {mark.how}" for mark in own if isinstance(mark, Fetched)]
                    raise InputError(
                        f"{cloud_url(path) or path} does not exist{''.join(hints) or _near(path)}"
                    )
                require_ordinary(path)  # an input is read more than once, so it cannot be a pipe
                if cloud_url(path) is None and path.is_file():
                    refuse_stand_in(path)


def _near(path: Path) -> str:
    """What lies in the folder of an absent file under a name like its own, for the message."""
    if cloud_url(path) is not None:
        return ""
    if path.is_symlink():
        return f"; it is a link to {path.readlink()}, which is not there"
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {folder} (this is {Path.cwd()})"
    near = get_close_matches(path.name, sorted(os.listdir(folder))[:5000], n=2, cutoff=0.75)
    return f"; did you mean {' or '.join(str(folder / name) for name in near)}?" if near else ""


def _paths(value: Any) -> Iterator[Path]:
    """Paths in an argument, those in lists and in settings included."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _paths(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _paths(getattr(value, field.name))
