"""Pieces of work under way on a cluster.

Workers may die, fill their disk or be of another version while they work; this is where that is met. A worker that dies loses
what it was doing and no more: its work goes to the others. The work ends with one line where a piece of it ends every
worker that takes it, where no worker has room to write, where the scheduler is gone, and where a worker runs another version.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from cistron.errors import CistronError
from cistron.runtime.cluster_worker import FullDisk, in_worker, software_here
from cistron.runtime.progress import say

Call = tuple[str, Callable[..., Any], Mapping[str, Any]]  # name, function, arguments
DEATHS = 5  # workers that one piece of work may take with it before it is at fault itself
_HOMELESS = 20  # pieces for which no worker has room, after which the others are not tried


class Work:
    """Pieces of work under way on a cluster.

    Parameters
    ----------
    client
        Connection to the scheduler.
    scheduler
        Its address, for messages.
    threads
        Threads of each piece.
    """

    def __init__(self, client: Any, scheduler: str | None, threads: int | None) -> None:
        self.client, self.scheduler, self.threads = client, scheduler, threads
        self.sent: dict[int, tuple[Any, Any]] = {}  # the value is kept, because its id is its name
        self.running: dict[Any, Call] = {}
        self.deaths: Counter[str] = Counter()
        self.losses: Counter[str] = (
            Counter()
        )  # of data that a piece waited for, since the last piece was done
        self.full: dict[str, str] = {}  # worker to the file that it had no room for
        self.homeless: list[Call] = []  # pieces that found no worker with room
        self.software, self.folder = software_here(), os.getcwd()

    def completed(
        self, calls: Iterator[Call], ahead: int | None, go_on: Callable[[], bool]
    ) -> Iterator[tuple[str, Any]]:
        """Give name and result of each piece as it is done.

        Parameters
        ----------
        calls, ahead, go_on
            As of :meth:`cistron.runtime.cluster.Cluster.completed`.
        """
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
            in_worker, function, sent, self.threads, self.software, self.folder, pure=False, **where
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
            if not isinstance(answer, FullDisk):
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
            if counted[call[0]] >= DEATHS:
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
            f"the Dask scheduler {self.scheduler or ''} is gone; start it and run the same command again: what is stored "
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
