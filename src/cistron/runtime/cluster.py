"""Other processes that do independent work: local ones, or the workers of a Dask scheduler.

Workers may die, fill their disk or be of another version while they work; this is where that is met. A worker that dies loses
what it was doing and no more: its work goes to the others. The work ends with one line where a piece of it ends every
worker that takes it, where no worker has room to write, where the scheduler is gone, and where a worker runs another version.
"""

import errno
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cistron
from cistron.errors import CistronError, InputError
from cistron.runtime.progress import say
from cistron.runtime.threads import limit_threads

Call = tuple[str, Callable[..., Any], Mapping[str, Any]]  # name, function, arguments
_DEATHS = 5  # workers that one piece of work may take with it before it is at fault itself
_HOMELESS = 20  # pieces for which no worker has room, after which the others are not tried
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _software() -> dict[str, str]:
    """Versions in which two processes must agree: results and what is sent between them hang on these."""
    import numpy

    return {
        "cistron": cistron.__version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
        "numpy": ".".join(numpy.__version__.split(".")[:2]),
    }


def _installed() -> dict[str, str]:
    """The same by what is installed, which is what Dask tells of a worker; without cistron where it runs from its source alone."""
    found = _software()
    try:
        return found | {"cistron": version("cistron")}
    except PackageNotFoundError:
        return {name: number for name, number in found.items() if name != "cistron"}


def _other_software(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    return ", ".join(
        f"{name} {theirs.get(name) or 'of no known version'} (here {version})"
        for name, version in ours.items()
        if theirs.get(name) != version
    )


def _refused(worker: str, other: str) -> InputError:
    return InputError(f"worker {worker} has {other}; start it from the environment of this command")


class _Full:
    """What a worker answers that has no room to write."""

    def __init__(self, worker: str, where: str) -> None:
        self.worker, self.where = worker, where


def _in_worker(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    threads: int | None,
    software: Mapping[str, str],
    folder: str,
) -> Any:
    """Do one piece of work in the process of a worker, in the folder of the command, so that its relative paths hold."""
    from distributed import get_worker

    other = _other_software(_software(), software)
    if other:
        raise _refused(get_worker().address, other)
    _enter(folder, get_worker().address)
    try:
        with limit_threads(threads):
            return function(**arguments)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        return _Full(get_worker().address, str(error.filename or ""))


def _enter(folder: str, worker: str) -> None:
    if os.getcwd() == folder:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(
            f"worker {worker} does not see {folder} ({error.strerror}); its machine must share the disk that the command works on"
        ) from error


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
        ours = _installed()
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
            other = _other_software(theirs, ours)
            if other:
                raise _refused(address, other)

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
        return _Work(self, threads).completed(iter(calls), ahead, go_on)


class _Work:
    """Pieces of work under way on a cluster."""

    def __init__(self, cluster: Cluster, threads: int | None) -> None:
        self.cluster, self.client, self.threads = cluster, cluster.client, threads
        self.sent: dict[int, tuple[Any, Any]] = {}  # the value is kept, because its id is its name
        self.running: dict[Any, Call] = {}
        self.deaths: Counter[str] = Counter()
        self.losses: Counter[str] = (
            Counter()
        )  # of data that a piece waited for, since the last piece was done
        self.full: dict[str, str] = {}  # worker to the file that it had no room for
        self.homeless: list[Call] = []  # pieces that found no worker with room
        self.software, self.folder = _software(), os.getcwd()

    def completed(
        self, calls: Iterator[Call], ahead: int | None, go_on: Callable[[], bool]
    ) -> Iterator[tuple[str, Any]]:
        from distributed import as_completed
        from distributed.comm import CommClosedError

        done = as_completed()
        self.queue = done
        try:
            self._start_more(calls, ahead)
            for future in done:
                call = self.running.pop(future)
                answer = self._answer(future, call)
                future.release()
                if answer is None:
                    continue
                yield call[0], answer[0]
                if go_on():
                    self._start_more(calls, ahead)
            if self.homeless:
                raise CistronError(self._no_room())
        except CommClosedError as error:
            raise self._scheduler_gone() from error
        finally:
            if self.running and self.client.status == "running":
                with suppress(Exception):  # whatever ended the work is what is told
                    self.client.cancel(list(self.running))

    def _start_more(self, calls: Iterator[Call], ahead: int | None) -> None:
        while ahead is None or len(self.running) < ahead:
            following = next(calls, None)
            if following is None:
                return
            self._start(following)

    def _start(self, call: Call) -> None:
        _, function, arguments = call
        sent = {key: self._share(value) for key, value in arguments.items()}
        where = {}
        if self.full:
            rest = [
                one for one in self.client.scheduler_info(n_workers=-1)["workers"] if one not in self.full
            ]
            if not rest:
                self.homeless.append(call)
                if len(self.homeless) == _HOMELESS:
                    raise CistronError(self._no_room())
                return
            where = {"workers": rest}
        future = self.client.submit(
            _in_worker, function, sent, self.threads, self.software, self.folder, pure=False, **where
        )
        self.running[future] = call
        self.queue.add(future)

    def _share(self, value: Any) -> Any:
        """Send a value to the workers once, however many pieces of work use it."""
        if value is None or isinstance(value, (str, int, float, Path, tuple)):
            return value
        if id(value) not in self.sent:
            # In a list, because scatter takes a bare list or mapping apart. To all, because a worker may die with what it holds.
            self.sent[id(value)] = value, self.client.scatter([value], hash=False, broadcast=True)[0]
        return self.sent[id(value)][1]

    def _answer(self, future: Any, call: Call) -> tuple[Any] | None:
        """The result, in a tuple; ``None`` where the piece was started again or found no place."""
        from distributed.scheduler import KilledWorker, NoValidWorkerError

        try:  # a future may be cancelled between two looks at it
            failure = future.exception()
            answer = None if failure else future.result()
        except (
            CancelledError,
            OSError,
        ):  # errors of the piece itself are given, not raised: this is the connection
            failure = self._gone(call[0])
        if failure is None:
            if not isinstance(answer, _Full):
                self.losses.clear()
                return (answer,)
            if answer.worker not in self.full:
                self.full[answer.worker] = answer.where
                say(f"worker {answer.worker}: no space left on device; its work goes to the others")
            self._start(call)
            return None
        if isinstance(failure, CistronError):
            raise failure
        if isinstance(failure, (KilledWorker, NoValidWorkerError, _LostError)):
            counted = self.losses if isinstance(failure, _LostError) else self.deaths
            counted[call[0]] += 1
            if counted[call[0]] >= _DEATHS:
                raise CistronError(
                    f"{call[0]}: every worker that took it ended (too little memory?); give workers more memory or make pieces smaller"
                )
            if isinstance(failure, _LostError):
                self.sent.clear()  # the worker that held it is gone
            self._start(call)
            return None
        raise failure

    def _gone(self, name: str) -> Exception:
        if self.client.status != "running" or not self._scheduler_answers():
            return self._scheduler_gone()
        return _LostError(name)

    def _scheduler_gone(self) -> CistronError:
        return CistronError(
            f"the Dask scheduler {self.cluster.scheduler or ''} is gone; start it and run the same command again: what is stored "
            "is not done again"
        )

    def _scheduler_answers(self) -> bool:
        try:
            self.client.nthreads()
        except Exception:  # closed, refused, timed out: all the same here
            return False
        return True

    def _no_room(self) -> str:
        full = ", ".join(f"{worker} ({where})" if where else worker for worker, where in self.full.items())
        return (
            f"no space left on device on any worker: {full}; make room and run the same command again: what is stored is not done "
            "again"
        )


class _LostError(Exception):
    """Data that a piece of work needs went with a worker."""
