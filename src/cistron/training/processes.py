"""The processes of a fit on several devices: who takes which batch, and what the others do when one of them is lost."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cistron.errors import CistronError, LostProcessError
from cistron.runtime.processes import end_process, process_rank

_LOOK = 0.5  # seconds between two looks at the other processes
# Seconds in which a call that exchanges numbers may fail by itself (gloo: at once) before this process is ended (a GPU's may wait for ever).
_GRACE = 10.0
# What gloo, NCCL and torch's store say of a process that is gone.
_SAID_OF_LOST = (
    "gloo",
    "nccl",
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "tcpstore",
)


def dealt(batches: Iterable[Any], rank: int, ranks: int) -> Iterator[Any]:
    """Deal batches to ``ranks`` processes in turn; an incomplete last round is left out, so that all take as many steps.

    Parameters
    ----------
    batches
        Batches of an epoch, the same in every process.
    rank
        Number of this process, from 0.
    ranks
        Number of processes.
    """
    waiting: list[Any] = []
    for batch in batches:
        waiting.append(batch)
        if len(waiting) == ranks:
            yield waiting[rank]
            waiting = []


def lost_process_message(description: str, processes: int, directory: Path | None) -> Callable[[str], str]:
    """Give a function from what happened to the line that a user reads.

    Parameters
    ----------
    description
        What the progress says.
    processes
        Number of processes.
    directory
        Folder of checkpoints, if there is one.
    """
    on = ", which goes on from the last checkpoint" if directory is not None else ""
    return lambda what: f"{description} on {processes} processes: {what}; run the same command again{on}"


@contextmanager
def watched_processes(processes: int, message: Callable[[str], str]) -> Iterator[None]:
    """Watch the other processes while Lightning fits.

    Lightning itself ends the first process by SIGKILL, without a word, some seconds after one that it started has ended.

    Parameters
    ----------
    processes
        Number of processes of the fit; with 1 nothing is watched.
    message
        Of :func:`lost_process_message`.

    Raises
    ------
    LostProcessError
        If the fit fails because another process is gone.
    """
    if processes == 1:
        yield
        return
    from lightning.pytorch.strategies.launchers import subprocess_script

    watch = _Watch(message)
    of_lightning = subprocess_script._launch_process_observer
    subprocess_script._launch_process_observer = watch.take_children  # type: ignore[assignment]
    watch.start()
    try:
        yield
    except CistronError:
        raise
    except Exception as error:
        what = watch.explanation(error)
        if what is None:
            raise
        watch.end_children()
        raise LostProcessError(message(what)) from error
    finally:
        subprocess_script._launch_process_observer = of_lightning
        watch.stop()


class _Watch:
    """Looks at the children that Lightning started, or at the parent, until it is stopped."""

    def __init__(self, message: Callable[[str], str]) -> None:
        self._message = message
        self._parent = os.getppid()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="cistron-processes", daemon=True)

    def take_children(self, children: Sequence["subprocess.Popen[Any]"]) -> None:
        """Keep the processes that Lightning has started, for this fit and further ones of this process."""
        _children[:] = children

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _lost(self) -> str | None:
        """What has become of another process, where it is known to be gone."""
        for number, child in enumerate(_children, start=1):
            code = child.poll()
            if code:
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                memory = " (the machine may be short of memory)" if code == -signal.SIGKILL else ""
                return f"process {number + 1} {how}{memory}"
        if process_rank() > 0 and os.getppid() != self._parent:
            return "the first process has ended"
        return None

    def _look(self) -> None:
        while not self._stopped.wait(_LOOK):
            what = self._lost()
            if what is not None:
                if not self._stopped.wait(_GRACE):
                    self.end_children()
                    end_process(self._message(what))
                return

    def explanation(self, error: Exception) -> str | None:
        """Say which process is gone, if that is why the fit failed; ``None`` if the error is of another kind."""
        import torch

        text = str(error).lower()
        network = isinstance(error, torch.distributed.DistError) or (
            isinstance(error, RuntimeError) and any(words in text for words in _SAID_OF_LOST)
        )
        if not network:
            return None
        until = (
            time.monotonic() + 2 * _LOOK
        )  # a process that was killed is reported a moment after its connection
        while (what := self._lost()) is None and time.monotonic() < until:
            time.sleep(_LOOK / 10)
        return what or "another process has ended or cannot be reached"

    def end_children(self) -> None:
        """End the processes that Lightning started: they have nothing left to do."""
        for child in _children:
            if child.poll() is None:
                child.kill()
            child.wait()


# Lightning starts the processes once, for all fits of this process.
_children: list["subprocess.Popen[Any]"] = []
