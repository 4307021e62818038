"""What a run leaves for other programs: a log with times (``--log-file``) and one JSON object (``--json``)."""

import json
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

import cistron
from cistron.errors import InputError
from cistron.runtime import listening, say

_LIBRARIES = ("numpy", "pandas", "anndata", "torch", "zarr")


class RunSummary:
    """What one command did, gathered while it runs.

    Attributes
    ----------
    command
        Words of the command, for example ``"omics embed"``.
    outputs
        Files and folders that it writes, as they were given.
    already_finished
        Whether an earlier run had written them.
    """

    def __init__(self, tokens: list[str], command: str = "") -> None:
        self.tokens, self.command = tokens, command
        self.outputs: list[str] = []
        self.already_finished = False
        self._lines: dict[str, list[str]] = {"result": [], "remark": []}
        self._started = time.monotonic()

    def listen(self, kind: str, text: str) -> None:
        """Keep one line; a listener of :func:`cistron.runtime.listening`."""
        self._lines[kind].append(text)

    def as_json(self, exit_code: int, error: str | None) -> str:
        """One line of JSON.

        Parameters
        ----------
        exit_code
            Exit code of the program.
        error
            What went wrong; ``None`` if nothing did.
        """
        found: dict[str, Any] = {
            "command": self.command,
            "arguments": self.tokens,
            "exit_code": exit_code,
            "error": error,
            "outputs": self.outputs if exit_code == 0 else [],
            "already_finished": self.already_finished,
            "results": self._lines["result"],
            "remarks": self._lines["remark"],
            "seconds": round(time.monotonic() - self._started, 3),
            "version": cistron.__version__,
        }
        return json.dumps(found, ensure_ascii=False)


def peak_memory() -> float:
    """Largest memory of this process so far, in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)  # bytes there, kilobytes elsewhere


def environment() -> str:
    """Versions of Python, cistron and the libraries that results depend on, in one line."""
    found = [f"cistron {cistron.__version__}", f"Python {platform.python_version()}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return f"{', '.join(found)}, {platform.machine()} {platform.system()}"


@contextmanager
def log_to(path: Path, tokens: list[str]) -> Iterator[None]:
    """Append what is printed to a file, with times; the command comes first, and an error last.

    Parameters
    ----------
    path
        Log file; lines are added to one that exists.
    tokens
        The command line.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        handle: TextIO = path.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"log file {path} cannot be written: {error.strerror}") from error

    def write(kind: str, text: str) -> None:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        for line in text.splitlines() or [""]:
            handle.write(f"{now}\t{kind}\t{line}\n")
        handle.flush()

    with handle, listening(write):
        write("start", f"cistron {' '.join(tokens)}")
        write("start", environment())
        try:
            yield
        except BaseException as error:
            write("error", str(error) or type(error).__name__)
            raise
        write("end", f"finished, peak memory {peak_memory():.2f} GB")


@contextmanager
def watched(summary: RunSummary, *, verbose: bool, log_file: Path | None, as_json: bool) -> Iterator[None]:
    """Run a command under ``--verbose``, ``--log-file`` and ``--json``.

    Parameters
    ----------
    summary
        Gathers what the command did.
    verbose
        Say versions first; time and memory last.
    log_file
        File that gets all lines with times.
    as_json
        Print results on standard error, because standard output is for the JSON object.
    """
    with ExitStack() as stack:
        stack.enter_context(listening(summary.listen, results_aside=as_json))
        if log_file is not None:
            stack.enter_context(log_to(log_file, summary.tokens))
        started = time.monotonic()
        if verbose:
            say(environment())
        yield
        if verbose:
            say(f"{time.monotonic() - started:.1f} s, peak memory {peak_memory():.2f} GB")
