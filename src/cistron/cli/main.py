"""The program ``cistron``: finds the command, runs it, turns our errors into one line and exit code 2."""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Toml

import cistron
from cistron.cli.method_options import note_given, note_tokens, option_of_setting
from cistron.cli.options import check_arguments
from cistron.errors import CistronError, InputError
from cistron.methods import SettingError
from cistron.runtime.progress import set_progress

app = App(
    name="cistron",
    help="Learn what genes do from five kinds of evidence, and measure honestly what that knowledge is worth.",
    version=cistron.__version__,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative_iterable=()),  # no --empty-... beside every list
    help_epilogue="Every command takes --config FILE.toml (a table a command, for example [omics.embed]) and --quiet.",
)
app.meta.suppress_keyboard_interrupt = False  # main() says how to go on
# Each wing's commands load when they are called: `cistron --help` loads no torch.
COMMANDS = {
    "demo": "Run the main job on the built-in world with planted truth.",
    "data": "List and fetch public data sets.",
    "genes": "Map gene identifiers.",
    "embedding": "Check, convert and combine gene embeddings.",
    "omics": "Gene embeddings from omics matrices.",
    "cells": "Expression in single cells from gene embeddings.",
    "networks": "Gene networks from perturbed single cells.",
    "sequence": "Tracks and gene embeddings from DNA.",
    "chromatin": "Expression from histone marks.",
    "evaluate": "Score embeddings, predictions and networks.",
    "report": "Build reports from scores.",
}
for _name, _help in COMMANDS.items():
    app.command(f"cistron.cli.{_name}:app", name=_name, help=_help)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Path | None = None,
    quiet: Annotated[bool, Parameter(negative=())] = False,
) -> object:
    """Run one command.

    Parameters
    ----------
    config
        TOML file with options, one table a command; options on the command line win.
    quiet
        Show no progress and no remarks.
    """
    set_progress(not quiet and os.environ.get("CISTRON_PROGRESS", "1") != "0")
    if config is not None:
        if not config.exists():
            raise InputError(f"configuration file {config} does not exist")
        try:
            tables = tomllib.loads(config.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"configuration file {config} is not valid TOML: {error}") from error
        _check_tables(tables, config)
        app.config = (Toml(config, must_exist=True), note_given)
    else:
        app.config = (note_given,)
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        check_arguments(command, bound.arguments)
        return command(*bound.args, **bound.kwargs)
    finally:
        app.config = ()


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
    print("cistron: error: " + " ".join(message.split()), file=sys.stderr)


def _command(tokens: list[str]) -> str:
    """The command that tokens name, without its arguments."""
    if not tokens or tokens[0] not in COMMANDS:
        return "cistron"
    inner = [token for token in tokens[1:2] if token in list(app[tokens[0]]) and not token.startswith("-")]
    return " ".join(["cistron", tokens[0], *inner])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 2 bad input, 130 interrupted.

    Parameters
    ----------
    arguments
        Command and options; those of the process when absent.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    note_tokens(tokens)
    try:
        app.meta(
            tokens,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except SettingError as error:
        _complain(f"{option_of_setting(error.setting)} {error.problem}")
        return 2
    except CistronError as error:
        _complain(str(error))
        return 2
    except CycloptsError as error:
        _complain(f"{str(error).removesuffix('...').rstrip('., ')}; see '{_command(tokens)} --help'")
        return 2
    except KeyboardInterrupt:
        _complain("interrupted; what is finished is kept, run the same command again to go on")
        return 130
    except BrokenPipeError:
        return 0
    return 0
