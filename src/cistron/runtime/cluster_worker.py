"""What a worker of a cluster does with a piece of work, and what software it must run."""

import errno
import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cistron
from cistron.errors import InputError
from cistron.runtime.threads import limit_threads

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def software_here() -> dict[str, str]:
    """Versions in which two processes must agree: results and what is sent between them hang on these."""
    import numpy

    return {
        "cistron": cistron.__version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
        "numpy": ".".join(numpy.__version__.split(".")[:2]),
    }


def software_installed() -> dict[str, str]:
    """The same by what is installed, which is what Dask tells of a worker; without cistron where it runs from its source alone."""
    found = software_here()
    try:
        return found | {"cistron": version("cistron")}
    except PackageNotFoundError:
        return {name: number for name, number in found.items() if name != "cistron"}


def other_software(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    return ", ".join(
        f"{name} {theirs.get(name) or 'of no known version'} (here {version})"
        for name, version in ours.items()
        if theirs.get(name) != version
    )


def refused(worker: str, other: str) -> InputError:
    """The error of a worker that runs another version."""
    return InputError(f"worker {worker} has {other}; start it from the environment of this command")


class FullDisk:
    """What a worker answers that has no room to write."""

    def __init__(self, worker: str, where: str) -> None:
        self.worker, self.where = worker, where


def in_worker(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    threads: int | None,
    software: Mapping[str, str],
    folder: str,
) -> Any:
    """Do one piece of work in the process of a worker, in the folder of the command, so that its relative paths hold.

    Parameters
    ----------
    function, arguments
        The work.
    threads
        Threads of numerical libraries.
    software
        Versions of the command, which must be those of the worker.
    folder
        Working directory of the command.

    Returns
    -------
    object
        What the function gave; :class:`FullDisk` where the worker had no room to write.
    """
    from distributed import get_worker

    other = other_software(software_here(), software)
    if other:
        raise refused(get_worker().address, other)
    _enter(folder, get_worker().address)
    try:
        with limit_threads(threads):
            return function(**arguments)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        return FullDisk(get_worker().address, str(error.filename or ""))


def _enter(folder: str, worker: str) -> None:
    if os.getcwd() == folder:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(
            f"worker {worker} does not see {folder} ({error.strerror}); its machine must share the disk that the command works on"
        ) from error
