"""Further processes of a training on several devices: they do the same work as the first, and write nothing that is kept."""

import contextlib
import inspect
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cistron.errors import LostProcessError
from cistron.runtime import set_progress
from cistron.runtime.processes import process_rank


def is_follower(arguments: Mapping[str, Any]) -> bool:
    """Whether a command was asked for several devices or machines and this process is not the first of them.

    Parameters
    ----------
    arguments
        Arguments by name; ``devices`` may be an option of the command or a setting of its method (``network__fit__devices``).
    """
    processes = 1
    for name in ("devices", "nodes"):
        given = [value for key, value in arguments.items() if key == name or key.endswith(f"__fit__{name}")]
        processes *= max((value for value in given if isinstance(value, int)), default=1)
    return processes > 1 and process_rank() > 0


def fitting_folders(output: Path) -> Iterator[Path]:
    """Folders beside an output in which a long fit can be taken up again, whether they exist or not."""
    yield output.with_name(output.name + ".fitting")
    yield output.with_name(output.name + ".fit")
    if output.suffix:
        yield output.with_suffix(".fit")


@contextlib.contextmanager
def discarded_outputs(
    arguments: inspect.BoundArguments, outputs: Iterable[str]
) -> Iterator[inspect.BoundArguments]:
    """Give the arguments with outputs in a temporary folder; nothing is printed meanwhile.

    The folder of a fit is linked to that of the first process, because all take it up from one checkpoint. Who keeps a fit
    (:func:`cistron.runtime.processes.keeps`) leaves a linked one alone.

    Parameters
    ----------
    arguments
        Arguments of the command.
    outputs
        Names of those that are outputs.

    Raises
    ------
    SystemExit
        With the code of an error that the first process reports.
    """
    parent = os.getppid()
    with tempfile.TemporaryDirectory(prefix="cistron-") as folder, open(os.devnull, "w") as nowhere:
        changed = inspect.BoundArguments(arguments.signature, dict(arguments.arguments))
        for name in outputs:
            given = arguments.arguments.get(name)
            if given is None:
                continue
            path = Path(folder) / Path(given).name
            for own, first in zip(fitting_folders(path), fitting_folders(Path(given).absolute())):
                own.symlink_to(first)
            changed.arguments[name] = path
        set_progress(False)
        with contextlib.redirect_stdout(nowhere):
            try:
                yield changed
            except LostProcessError:
                # Told of once: by the first process, or by the others where it is the one that is gone.
                if os.getppid() == parent:
                    raise SystemExit(2) from None
                raise
