"""Independent work in shards: each writes one file, a finished one is never redone.

Shards run in this process (``workers=1``), in local processes, or on a Dask scheduler given by address;
the result is the same in all three, because a shard's random stream hangs on its name (``runtime.seeds``).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.runtime.cluster import Cluster
from cistron.runtime.files import atomic_path
from cistron.runtime.progress import Progress, say
from cistron.runtime.threads import limit_threads

ShardFunction = Callable[..., None]


def fingerprint(settings: Any) -> str:
    """Short hash of JSON-like settings; part of a shard folder's name, so that other settings never meet its files."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Processes:
    """Where independent work runs, and the connection to it once there is one."""

    def __init__(self, workers: int, scheduler: str | None, threads: int | None = 1) -> None:
        if workers < 1:
            raise InputError(f"--workers must be 1 or more. Given: {workers}")
        self.workers, self.scheduler, self.threads = workers, scheduler, threads
        self._cluster: Cluster | None = None

    @property
    def alone(self) -> bool:
        """Whether it is this process and no other."""
        return self.workers == 1 and self.scheduler is None

    def cluster(self, most: int | None = None) -> Cluster:
        """The connection; ``most`` processes can be of use."""
        if self._cluster is None:
            self._cluster = Cluster(min(self.workers, most or self.workers), self.scheduler)
        return self._cluster

    def close(self) -> None:
        if self._cluster is not None:
            self._cluster.close()


_chosen: ContextVar[_Processes | None] = ContextVar("processes", default=None)


@contextmanager
def run_on(workers: int = 1, scheduler: str | None = None, *, threads: int | None = None) -> Iterator[None]:
    """Do the independent work inside this block in local processes, or on a Dask scheduler.

    Functions whose work falls into independent pieces (:func:`run_each`) look here for where it runs. Processes start when
    the first piece is there, serve the whole block, and are stopped at its end; workers of a scheduler are left running.

    Parameters
    ----------
    workers
        Number of local processes; 1 stays in this process.
    scheduler
        Address of a running Dask scheduler (``tcp://host:8786``), in place of local processes. Its workers must see the input
        files under the same paths.
    threads
        Threads of numerical libraries of each process; a share of the cores for local processes when ``None``.

    Raises
    ------
    InputError
        If ``workers`` is not positive.
    """
    if threads is None and scheduler is None and workers > 1:
        threads = max(1, (os.cpu_count() or 1) // workers)
    processes = _Processes(workers, scheduler, threads)
    token = _chosen.set(processes)
    try:
        yield
    finally:
        _chosen.reset(token)
        processes.close()


def processes_at_work() -> int:
    """Number of processes that :func:`run_each` has: 1 unless others were chosen by :func:`run_on`."""
    chosen = _chosen.get()
    return 1 if chosen is None or chosen.alone else chosen.cluster().width()


def run_each(
    function: Callable[..., Any],
    items: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any] | None = None,
    *,
    description: str = "",
    unit: str = "",
) -> Iterator[Any]:
    """Give ``function(**shared, **item)`` for each item, in their order, worked out where :func:`run_on` says.

    The results are those of one process, because each piece is computed alone and the order is kept: sums over them are equal to
    the last bit, at the same number of ``--threads``.

    Parameters
    ----------
    function
        Importable function; what it gives is sent back, so make it small beside the work.
    items
        Arguments of each piece.
    shared
        Arguments that all pieces have in common; they are sent to each process once.
    description, unit
        What is being done and what a piece is called, for the progress; none is shown without.

    Yields
    ------
    object
        What the function gives for each item.
    """
    shared = shared or {}
    chosen = _chosen.get()
    with Progress(description, len(items), unit) if description else _Silent() as progress:
        if chosen is None or chosen.alone or len(items) < 2:
            for item in items:
                yield function(**shared, **item)
                progress.advance()
            return
        cluster = chosen.cluster()
        ahead = 3 * cluster.width()
        numbers = {f"{description or function.__name__} {number}": number for number in range(len(items))}
        calls = ((name, function, {**shared, **items[number]}) for name, number in numbers.items())
        waiting: dict[int, Any] = {}
        following = 0
        # results that came before their turn are held, so nothing new is sent while many of them wait for a slow piece
        done = cluster.completed(
            calls, threads=chosen.threads, ahead=ahead, go_on=lambda: len(waiting) < ahead
        )
        for name, result in done:
            waiting[numbers[name]] = result
            progress.advance()
            while following in waiting:
                yield waiting.pop(following)
                following += 1


class _Silent:
    """A progress that is not shown."""

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self) -> None:
        """Count nothing."""


def _run_one(
    function: ShardFunction, path: str, arguments: Mapping[str, Any], threads: int | None = None
) -> str:
    with limit_threads(threads):
        return _store(function, path, **arguments)


def _store(shard_function: ShardFunction, shard_path: str, **arguments: Any) -> str:
    """Write one shard, unless a worker that died before it could tell has written it."""
    if not Path(shard_path).exists():
        with atomic_path(shard_path) as unfinished:
            shard_function(unfinished, **arguments)
    return shard_path


@contextmanager
def _opened(processes: _Processes) -> Iterator[_Processes]:
    """These processes, or those of the enclosing :func:`run_on` where they are the same, so that a command starts them once."""
    chosen = _chosen.get()
    if chosen is not None and (chosen.workers, chosen.scheduler) == (processes.workers, processes.scheduler):
        yield chosen
        return
    try:
        yield processes
    finally:
        processes.close()


def run_shards(
    function: ShardFunction,
    shards: Mapping[str, Mapping[str, Any]],
    directory: str | Path,
    *,
    suffix: str = ".parquet",
    workers: int = 1,
    threads: int | None = 1,
    scheduler: str | None = None,
    description: str = "shards",
) -> dict[str, Path]:
    """Run ``function(path, **arguments)`` once for each shard that has no file yet.

    Parameters
    ----------
    function
        Importable function that writes its result to the path it is given. A failed or interrupted shard
        leaves no file.
    shards
        Name of each shard (a valid file name) to its arguments. With several processes they must be picklable.
    directory
        Folder of the results, ``directory/NAME + suffix``. Put a :func:`fingerprint` of the settings in its name.
    suffix
        Suffix of the result files.
    workers
        Number of local processes; 1 runs in this process.
    threads
        Threads that each shard may use.
    scheduler
        Address of a running Dask scheduler (``tcp://host:8786``); ``directory`` must then be on a disk
        that all workers share.
    description
        What is being done, for the progress.

    Returns
    -------
    dict of str to Path
        Result file of each shard, in the order of ``shards``.

    Raises
    ------
    InputError
        If the scheduler cannot be reached, or ``workers`` is not positive.
    CistronError
        Whatever error of ours a shard raised first; finished shards stay on disk.
    """
    processes = _Processes(workers, scheduler)
    directory = Path(directory)
    paths = {name: directory / f"{name}{suffix}" for name in shards}
    missing = [name for name, path in paths.items() if not path.exists()]
    if len(missing) < len(shards):
        say(f"{description}: {len(shards) - len(missing):,} of {len(shards):,} shards were finished before")
    if not missing:
        return paths
    with Progress(description, total=len(missing), unit="shards") as progress:
        if workers == 1 and scheduler is None:
            for name in missing:
                _run_one(function, str(paths[name]), shards[name], threads)
                progress.advance()
        else:
            store = partial(_store, function)
            calls = (
                (name, store, {"shard_path": str(paths[name].absolute()), **shards[name]}) for name in missing
            )
            with _opened(processes) as used:
                for _ in used.cluster(len(missing)).completed(calls, threads=threads):
                    progress.advance()
    return paths
