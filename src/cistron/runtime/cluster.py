"""Other processes that do independent work: local ones, or the workers of a Dask scheduler.

What is done where one of them dies, or has no room to write: :mod:`cistron.runtime.cluster_work`.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cistron.errors import InputError
from cistron.runtime.cluster_work import Call, Work
from cistron.runtime.cluster_worker import other_software, refused, software_installed
from cistron.runtime.progress import say


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Make processes that start inside this block ignore Ctrl-C; this process stops them, so that they print no tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Cluster:
    """Connection to the processes that work; made on first use of :func:`cistron.runtime.run_on`.

    Parameters
    ----------
    workers
        Local processes to start, where no scheduler is given.
    scheduler
        Address of a running Dask scheduler.

    Raises
    ------
    InputError
        If the scheduler does not answer, or one of its workers runs another version.
    """

    def __init__(self, workers: int, scheduler: str | None = None) -> None:
        # Importing distributed takes most of a second; only work that needs it pays.
        import dask
        from distributed import Client, LocalCluster

        # Workers that are told to stop complain of closed connections; what fails in a shard comes by its future.
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        settings = {
            "distributed.worker.daemon": True,
            "distributed.comm.timeouts.connect": "10s",
            "distributed.logging.distributed": "critical",
            "distributed.scheduler.worker-saturation": 1.0,  # what waits in a queue is not blamed for a worker that dies
        }
        self.workers, self.scheduler = workers, scheduler
        self._local = None
        with dask.config.set(settings):
            if scheduler is None:
                with _deaf_to_interrupts():
                    self._local = LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address="127.0.0.1:0",  # any free port: several runs may share a machine
                        silence_logs="CRITICAL",
                    )
                self.client = Client(self._local)
                return
            try:
                self.client = Client(scheduler, timeout="10s")
            except (OSError, ValueError) as error:
                raise InputError(
                    f"no Dask scheduler answers at {scheduler}; start one with 'dask scheduler' and give its address"
                ) from error
        try:
            self._require_one_version()
        except BaseException:
            self.close()
            raise

    def _require_one_version(self) -> None:
        # Asked through Dask itself, because a worker without cistron cannot load any function of ours. A worker that comes later
        # is asked with its first piece of work.
        ours = software_installed()
        workers: Any = self.client.get_versions(packages=["cistron"])
        workers = workers["workers"]
        if not workers:
            say(f"{self.scheduler} has no workers yet; the work waits for them")
        for address, found in workers.items():
            packages = found["packages"]
            theirs: dict[str, str] = {
                "cistron": packages.get("cistron") or "",
                "Python": ".".join(packages["python"].split(".")[:2]),
                "numpy": ".".join((packages.get("numpy") or "").split(".")[:2]),
            }
            other = other_software(theirs, ours)
            if other:
                raise refused(address, other)

    def close(self) -> None:
        """Stop the local processes; the workers of a scheduler are left running."""
        self.client.close()
        if self._local is not None:
            self._local.close()

    def width(self) -> int:
        """Pieces of work that are done at a time."""
        if self.scheduler is None:
            return self.workers
        with suppress(Exception):  # the number only says how far to send ahead
            return max(1, sum(self.client.nthreads().values()))
        return 1

    def completed(
        self,
        calls: Iterable[Call],
        *,
        threads: int | None = 1,
        ahead: int | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[tuple[str, Any]]:
        """Do pieces of work; give name and result of each as they are done, in no order.

        Parameters
        ----------
        calls
            Name, function and its arguments. An array or object that several calls have is sent to the workers once.
        threads
            Threads of each.
        ahead
            Pieces that are sent at a time; all when absent.
        go_on
            Whether further pieces may be sent now; asked after each result.

        Yields
        ------
        str
            Name.
        object
            What the function gave.

        Raises
        ------
        CistronError
            The first error of ours that a piece raised; or one that tells of lost workers, full disks, a scheduler that is gone,
            another version.
        """
        return Work(self.client, self.scheduler, threads).completed(iter(calls), ahead, go_on)
