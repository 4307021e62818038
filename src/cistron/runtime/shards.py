"""Independent work in shards: each writes one file, a finished one is never redone.

Shards run in this process (``workers=1``), in local processes, or on a Dask scheduler given by address;
the result is the same in all three, because a shard's random stream hangs on its name (``runtime.seeds``).
"""

import hashlib
import json
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cistron.errors import CistronError, InputError
from cistron.runtime.files import atomic_path
from cistron.runtime.progress import Progress, say
from cistron.runtime.threads import limit_threads

ShardFunction = Callable[..., None]


def fingerprint(settings: Any) -> str:
    """Short hash of JSON-like settings; part of a shard folder's name, so that other settings never meet its files."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _run_one(function: ShardFunction, path: str, arguments: Mapping[str, Any], threads: int | None) -> str:
    with limit_threads(threads), atomic_path(path) as partial:
        function(partial, **arguments)
    return path


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
    if workers < 1:
        raise InputError(f"--workers must be 1 or more. Given: {workers}")
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
            _run_on_dask(function, shards, paths, missing, workers, threads, scheduler, progress)
    return paths


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


class _Sender:
    """Send what many shards share (an embedding, a design) to the workers once, and not with every shard."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.sent: dict[int, Any] = {}

    def __call__(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._one(value) for name, value in arguments.items()}

    def _one(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, int, float, Path, tuple)):
            return value
        if id(value) not in self.sent:
            # In a list, because scatter takes a bare list or mapping apart.
            self.sent[id(value)] = self.client.scatter([value], hash=False)[0]
        return self.sent[id(value)]


def _run_on_dask(
    function: ShardFunction,
    shards: Mapping[str, Mapping[str, Any]],
    paths: Mapping[str, Path],
    missing: list[str],
    workers: int,
    threads: int | None,
    scheduler: str | None,
    progress: Progress,
) -> None:
    # Importing distributed takes most of a second; only work that needs it pays.
    import dask
    from distributed import Client, LocalCluster, as_completed

    # Workers that are told to stop complain of closed connections; what fails in a shard comes by its future.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {
        "distributed.worker.daemon": True,
        "distributed.comm.timeouts.connect": "10s",
        "distributed.logging.distributed": "critical",
    }
    with dask.config.set(settings):
        if scheduler is None:
            with _deaf_to_interrupts():
                cluster = LocalCluster(
                    n_workers=min(workers, len(missing)),
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",  # any free port: several runs may share a machine
                    silence_logs="CRITICAL",
                )
            client = Client(cluster)
        else:
            cluster = None
            try:
                client = Client(scheduler, timeout="10s")
            except (OSError, ValueError) as error:
                raise InputError(
                    f"no Dask scheduler answers at {scheduler}; start one with 'dask scheduler' and give its address"
                ) from error
        try:
            send = _Sender(client)
            futures = [
                client.submit(
                    _run_one, function, str(paths[name].absolute()), send(shards[name]), threads, pure=False
                )
                for name in missing
            ]
            for future in as_completed(futures):
                failure = future.exception()
                if isinstance(failure, CistronError):
                    client.cancel(futures)
                    raise failure
                future.result()
                progress.advance()
        finally:
            client.close()
            if cluster is not None:
                cluster.close()
