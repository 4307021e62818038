"""The program ``cistron``: finds the command, runs it, turns our errors into one line and exit code 2."""

import difflib
import errno
import inspect
import os
import re
import signal
import sys
import tomllib
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Toml
from cyclopts.exceptions import MissingArgumentError, UnusedCliTokensError

import cistron
from cistron.cli.method_options import note_given, note_tokens, option_of_setting
from cistron.cli.options import EVERY, check_arguments, default_text
from cistron.cli.running import run_command
from cistron.cli.summary import RunSummary, watched
from cistron.errors import CistronError, InputError
from cistron.methods import SettingError
from cistron.runtime import plain, say, set_progress

app = App(
    name="cistron",
    help="Learn what genes do from five kinds of evidence, and measure honestly what that knowledge is worth.",
    version=cistron.__version__,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(
        negative_iterable=(), show_default=default_text
    ),  # no --empty-... beside every list
    help_epilogue="A table of --config names its command: [omics.embed].",
)
app.meta.suppress_keyboard_interrupt = False  # main() says how to go on
# Each wing's commands load when they are called: `cistron --help` loads no torch.
COMMANDS = {
    "demo": "Run the main job on the built-in world with planted truth.",
    "data": "List and fetch public data sets.",
    "genes": "Map gene identifiers.",
    "embedding": "Check, convert and combine gene embeddings.",
    "store": "Check that zarr stores are whole.",
    "omics": "Gene embeddings from omics matrices.",
    "cells": "Expression in single cells from gene embeddings.",
    "networks": "Gene networks from perturbed single cells.",
    "sequence": "Tracks and gene embeddings from DNA.",
    "chromatin": "Expression from histone marks.",
    "evaluate": "Score embeddings, predictions and networks.",
    "study": "Score every embedding on every task.",
    "world": "Write small files of every kind, to try the commands on.",
    "gene": "Show what a study knows of a gene.",
    "report": "Build reports from scores.",
    "completion": "Print a completion script for a shell.",
}
for _name, _help in COMMANDS.items():
    app.command(f"cistron.cli.{_name}:app", name=_name, help=_help)


_FULL = re.compile(
    r"errno = 28|No space left|\d+ requested and \d+ written"
)  # what HDF5 and NumPy say of a full disk
_LONGEST_LINE = 2000  # letters of an error
_summary: ContextVar[RunSummary | None] = ContextVar("summary", default=None)
# What is not part of the base installation, and the extra that brings it.
_EXTRAS = {"torch": "torch", "lightning": "torch", "safetensors": "torch", "optuna": "torch"}
# Packages whose exceptions tell of a file that is damaged or of another kind.
_READERS = frozenset(
    {
        "anndata",
        "gzip",
        "h5py",
        "json",
        "lzma",
        "pandas",
        "pyarrow",
        "pybigtools",
        "safetensors",
        "zarr",
        "zipfile",
        "zlib",
    }
)

_FLAG = Parameter(group=EVERY, negative=())


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Annotated[Path | None, Parameter(group=EVERY)] = None,
    quiet: Annotated[bool, _FLAG] = False,
    overwrite: Annotated[bool, _FLAG] = False,
    verbose: Annotated[bool, _FLAG] = False,
    log_file: Annotated[Path | None, Parameter(group=EVERY)] = None,
    json: Annotated[bool, _FLAG] = False,
    threads: Annotated[int | None, Parameter(group=EVERY)] = None,
) -> object:
    """Run one command.

    Parameters
    ----------
    config
        TOML file with options, one table a command; options on the command line win.
    quiet
        Show no progress and no remarks.
    overwrite
        Replace an output that another run wrote: a file, or a folder that cistron wrote. Without it such an output is an
        error, and the same run goes on where it stopped or is left as it is.
    verbose
        Also say versions, time and peak memory.
    log_file
        File to which everything that is printed is added, with times.
    json
        End with one line of JSON on standard output: outputs, results, remarks, error, exit code, seconds. Results for
        people go to standard error.
    threads
        Threads of numerical libraries, in this process and those that it starts; all cores when absent (tasks of evaluate: 1).
    """
    set_progress(not quiet and os.environ.get("CISTRON_PROGRESS", "1") != "0")
    summary = _summary.get() or RunSummary(list(tokens))
    if json and _has_own_json(tokens):
        tokens, json = (*tokens, "--json"), False
    with watched(summary, verbose=verbose, log_file=log_file, as_json=json):
        _require_known(tokens)
        app.config = (note_given,) if config is None else (_options_of(config), note_given)
        try:
            command, bound = _parsed(tokens)
            if threads is not None and "threads" in inspect.signature(command).parameters:
                command, bound = _parsed((*tokens, "--threads", str(threads)))
            if command.__module__.split(".")[0] == "cyclopts":  # a group without a command prints its help
                return command(*bound.args, **bound.kwargs)
            summary.command = _command(list(tokens))
            check_arguments(command, bound.arguments)
            return run_command(command, bound, summary, overwrite=overwrite, threads=threads)
        finally:
            app.config = ()


def _options_of(config: Path) -> Toml:
    """Options of a configuration file, all of whose tables name commands."""
    if not config.exists():
        raise InputError(f"configuration file {config} does not exist")
    try:
        tables = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration file {config} is not valid TOML: {error}") from error
    _check_tables(tables, config)
    return Toml(config, must_exist=True)


def _parsed(tokens: Sequence[str]) -> tuple[Callable[..., object], inspect.BoundArguments]:
    """Parse a command line; where words are left over, options that take several values take them: ``--gene A B``."""
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    except UnusedCliTokensError:
        before = app.default_parameter
        app.default_parameter = Parameter.combine(before, Parameter(consume_multiple=True))
        try:
            command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        finally:
            app.default_parameter = before
    return command, bound


def _check_tables(tables: dict[str, object], config: Path) -> None:
    """Raise on a table that names no command: its options would be ignored without a word."""
    for name, options in tables.items():
        if name not in COMMANDS or not isinstance(options, dict):
            raise InputError(
                f"configuration file {config}: {name!r} is no command; options stand in tables such as [omics.embed]. "
                f"Commands: {', '.join(COMMANDS)}"
            )
        commands = [command for command in app[name] if not command.startswith("-")]
        for command, inner in options.items():
            if isinstance(inner, dict) and commands and command not in commands:
                raise InputError(
                    f"configuration file {config}: [{name}.{command}] is no command; expected one of "
                    f"{', '.join(f'[{name}.{known}]' for known in commands)}"
                )


def _complain(message: str) -> None:
    text = plain(" ".join(message.split()))
    if len(text) > _LONGEST_LINE:
        text = f"{text[:_LONGEST_LINE]}..."
    sys.stderr.write(f"cistron: error: {text}\n")
    sys.stderr.flush()


def _command(tokens: list[str]) -> str:
    """The command that tokens name, without its arguments: ``omics embed``."""
    first = next((number for number, token in enumerate(tokens) if token in COMMANDS), len(tokens))
    tokens = tokens[first:]  # --config and its like may stand before the command
    if not tokens:
        return ""
    inner = [token for token in tokens[1:2] if token in list(app[tokens[0]]) and not token.startswith("-")]
    return " ".join([tokens[0], *inner])


@contextmanager
def _terminable() -> Iterator[list[int]]:
    """SIGTERM (of a batch system, of ``kill``) ends a command as an interrupt does; yields the signals that came."""
    came: list[int] = []

    def _interrupt(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield came
        return
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _warnings_as_remarks() -> Iterator[None]:
    """Warnings of libraries become remarks of one line, without the source line that raised them."""

    def remark(message: Warning | str, category: type[Warning], *place: object) -> None:
        say(f"{category.__name__}: {' '.join(str(message).split())}")

    before = warnings.showwarning
    warnings.showwarning = remark  # type: ignore[assignment]  # the file and line are of no use to a user
    try:
        yield
    finally:
        warnings.showwarning = before


def _trouble(error: BaseException) -> str | None:
    """One line for an error of the machine or of a file (disk full, no permission); ``None`` if the error is a defect of cistron."""
    number = getattr(error, "errno", None)
    # HDF5 and others wrap what the system said in exceptions of their own.
    if number == errno.ENOSPC or _FULL.search(str(error)):
        name = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        return (
            f"cannot write: {name}no space left on device; make room, or choose an --output on another disk"
        )
    if isinstance(error, MemoryError) or "DefaultCPUAllocator: not enough memory" in str(error):
        return "the machine has not enough memory for this; use fewer --workers, smaller settings, or a larger machine"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error or type(error).__name__}"
    if type(error).__module__.split(".")[0] in _READERS or isinstance(error, EOFError | UnicodeError):
        return (
            f"a file cannot be read or written ({type(error).__name__}: {str(error) or 'no more is known'})"
        )
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 1 a defect of cistron, 2 bad input, 130 interrupted, 143 terminated.

    Parameters
    ----------
    arguments
        Command and options; those of the process when absent.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    note_tokens(tokens)
    summary = RunSummary(tokens)
    _summary.set(summary)
    code, error = _outcome(tokens)
    if error:
        _complain(error)
    if "--json" in tokens and not _has_own_json(tokens):
        try:
            print(summary.as_json(code, error), flush=True)  # noqa: T201
        except OSError:
            _drop_output()
            return code or 2
    return code


def _has_own_json(tokens: Sequence[str]) -> bool:
    """Whether a command gives JSON itself: ``data list`` gives its records."""
    return _command(list(tokens)) == "data list"


def _outcome(tokens: list[str]) -> tuple[int, str | None]:
    """Run the program; give its exit code and the line that says what went wrong."""
    came: list[int] = []
    try:
        with _terminable() as came, _warnings_as_remarks():
            _require_known(tokens)  # with --help, too
            app.meta(tokens, exit_on_error=False, print_error=False, result_action="return_value")
            sys.stdout.flush()
    except SettingError as error:
        return 2, f"{option_of_setting(error.setting)} {error.problem}"
    except CistronError as error:
        return 2, str(error)
    except CycloptsError as error:
        command = " ".join(["cistron", *_command(tokens).split()])
        told = _missing(error, tokens) if isinstance(error, MissingArgumentError) else str(error)
        return 2, f"{told.removesuffix('...').rstrip('., ')}; see '{command} --help'"
    except KeyboardInterrupt:
        how = "terminated" if came else "interrupted"
        return (143 if came else 130), f"{how}; what is finished is kept, run the same command again to go on"
    except BrokenPipeError:
        _drop_output()
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            traceback.print_exc()
            return 1, f"the installation of cistron is not whole: {error}; install it again"
        return (
            2,
            f"this needs the package {error.name}, which is not installed: pip install '.[{extra}]' in the checkout (docs/start/install.md)",
        )
    except Exception as error:
        message = _trouble(error)
        if message is None:
            traceback.print_exc()
            return (
                1,
                f"this is a defect of cistron {cistron.__version__}; please report it with the lines above",
            )
        _drop_output()
        return 2, message
    return 0, None


def _require_known(tokens: Sequence[str]) -> None:
    """Raise on a first word that is no command, naming all commands that are near, those inside groups included."""
    if not tokens or tokens[0] in COMMANDS or tokens[0].startswith("-"):
        return
    word = tokens[0]
    near = difflib.get_close_matches(word, COMMANDS, n=4, cutoff=0.6)
    for name in COMMANDS:
        inner = [one for one in app[name] if not one.startswith("-")]
        near += [f"{name} {one}" for one in difflib.get_close_matches(word, inner, n=2, cutoff=0.75)]
    meant = f"did you mean {', '.join(repr(one) for one in near)}? " if near else ""
    raise InputError(f"unknown command {word!r}; {meant}expected one of {', '.join(COMMANDS)}")


def _missing(error: MissingArgumentError, tokens: Sequence[str]) -> str:
    """All that a command needs and was not given; or the option that stands there without its value."""
    first = error.argument
    if first is None or error.app is None or error.keyword or first.tokens:
        return str(error)
    given = {token.partition("=")[0] for token in tokens}
    by_place = first.field_info.kind is not inspect.Parameter.KEYWORD_ONLY
    needed: list[str] = []
    for one in error.app.assemble_argument_collection():
        positional = one.field_info.kind is not inspect.Parameter.KEYWORD_ONLY
        absent = one.required and given.isdisjoint(one.names) and (by_place or not positional)
        if one.name == first.name or (absent and (needed or not positional)):
            needed.append(one.name.removeprefix("--").upper() if positional else one.name)
    return f"{' '.join(error.command_chain or ())} needs {' and '.join(needed)}"


def _drop_output() -> None:
    """Drop unwritten output when standard output is closed, so that the interpreter does not fail again when it exits."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end_zarr() -> None:
    """End the thread in which zarr reads and writes.

    By itself zarr waits a fifth of a second for it when the process ends, and prints a traceback on a busy machine
    where that is too short.
    """
    zarr = sys.modules.get("zarr.core.sync")
    loop, thread = (getattr(zarr, name, [None])[0] for name in ("loop", "iothread"))
    if loop is not None and thread is not None and thread.is_alive():
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)


def program() -> None:
    """Entry point of ``cistron``: run :func:`main` and exit with its code, without flushing an output that cannot be written.

    HDF5 tries once more at the end of the process to write files that a full disk refused, and ends it with a
    segmentation fault.
    """
    code = main()
    _end_zarr()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 2
    if code == 2:
        os._exit(code)
    sys.exit(code)
