"""Further processes of a training on several devices: they do the same work as the first, and write nothing that is kept."""

import contextlib
import inspect
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cistron.runtime import set_progress
from cistron.runtime.processes import process_rank

WORKING = ".fitting"  # behind the name of an output: the folder in which a long fit can be taken up again


def is_follower(arguments: inspect.BoundArguments) -> bool:
    """Whether a command was asked for several devices or machines and this process is not the first of them."""
    processes = 1
    for name in ("devices", "nodes"):
        processes *= arguments.arguments.get(name) or 1
    return processes > 1 and process_rank() > 0


@contextlib.contextmanager
def discarded_outputs(
    arguments: inspect.BoundArguments, outputs: Iterable[str]
) -> Iterator[inspect.BoundArguments]:
    """Give the arguments with outputs in a temporary folder; nothing is printed meanwhile.

    The folder of a fit is linked to that of the first process, because all take it up from one checkpoint.

    Parameters
    ----------
    arguments
        Arguments of the command.
    outputs
        Names of those that are outputs.
    """
    with tempfile.TemporaryDirectory(prefix="cistron-") as folder, open(os.devnull, "w") as nowhere:
        changed = inspect.BoundArguments(arguments.signature, dict(arguments.arguments))
        for name in outputs:
            given = arguments.arguments.get(name)
            if given is None:
                continue
            path = Path(folder) / Path(given).name
            working = Path(given).absolute()
            path.with_name(path.name + WORKING).symlink_to(working.with_name(working.name + WORKING))
            changed.arguments[name] = path
        set_progress(False)
        with contextlib.redirect_stdout(nowhere):
            yield changed
