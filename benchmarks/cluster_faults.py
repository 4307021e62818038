"""Faults of a cluster: workers killed at random, a scheduler that dies, a worker without room, a worker of another version.

A scheduler and three workers are started on this machine as processes of their own, and 200 shards of known results run on them
while a fault is made. For each fault the table says how many shards were stored before and after, how many were computed again
although they were stored, whether all results are right, and what the user is told. Bounded: about a minute of CPU time, and
kills stop after two minutes.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from cistron.errors import CistronError
from cistron.runtime import listening, run_shards, set_progress

SHARDS = 200
SECONDS = 0.3  # that a shard takes
KILL_EVERY = 3.0
LONGEST = 120.0  # seconds after which no worker is killed any more
SIZE = 20_000  # bytes of a shard, more than a worker without room may write
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)); "
OTHER_VERSION = "import cistron; cistron.__version__ = '0.0.9'; "


def work(path: Path, number: int, notes: str) -> None:
    """Write the square of a number, and note that it was done, and whether it was stored already."""
    stored = Path(path).with_name(f"part{number:03d}.txt").exists()
    Path(notes, f"{number}-{os.getpid()}-{time.monotonic_ns()}-{'again' if stored else 'new'}").touch()
    time.sleep(SECONDS)
    Path(path).write_text(str(number * number).ljust(SIZE))


class Workplace:
    """A scheduler and workers as processes.

    Parameters
    ----------
    workers
        Number of workers; each is started again when it dies, as a cluster does.
    """

    def __init__(self, workers: int = 3) -> None:
        self.scheduler = subprocess.Popen(
            [sys.executable, "-c", "from distributed.cli.dask_scheduler import main; main()", "--port", "0",
             "--host", "127.0.0.1", "--no-dashboard"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.scheduler.stderr is not None
        for line in self.scheduler.stderr:
            found = re.search(r"Scheduler at:\s+(tcp://\S+)", line)
            if found:
                self.address = found[1]
                break
        threading.Thread(target=self.scheduler.stderr.read, daemon=True).start()
        self.workers = [self.start() for _ in range(workers)]

    def start(self, before: str = "") -> subprocess.Popen[str]:
        """Start a worker without a nanny, so that killing it kills the process that works; ``before`` is Python that it runs first."""
        return subprocess.Popen(
            [sys.executable, "-c", f"{before}from distributed.cli.dask_worker import main; main()", self.address,
             "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "30"],
            stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True,
        )  # fmt: skip

    def wait_for(self, number: int) -> None:
        """Wait until so many workers have come."""
        from distributed import Client

        with Client(self.address, timeout="30s") as client:
            client.wait_for_workers(number, timeout=60)

    def kill_one(self, dice: random.Random) -> None:
        """SIGKILL a worker, and start another."""
        place = dice.randrange(len(self.workers))
        self.workers[place].send_signal(signal.SIGKILL)
        self.workers[place].wait()
        self.workers[place] = self.start()

    def close(self) -> None:
        """End all that was started here."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def run(folder: Path, address: str, fault: Callable[[], None] | None = None) -> dict[str, Any]:
    """Run the shards on a scheduler while a fault is made in a thread; what is stored and told afterwards."""
    notes, results = folder / "notes", folder / "results"
    notes.mkdir(exist_ok=True)
    before = len(list(results.glob("part*.txt"))) if results.exists() else 0
    told: list[str] = []
    if fault is not None:
        threading.Thread(target=fault, daemon=True).start()
    started, error = time.monotonic(), ""
    shards = {f"part{number:03d}": {"number": number, "notes": str(notes)} for number in range(SHARDS)}
    with listening(lambda _, text: told.append(text)):
        try:
            run_shards(work, shards, results, suffix=".txt", scheduler=address)
        except CistronError as failure:
            error = str(failure)
    stored = {path.stem: path.read_text() for path in results.glob("part*.txt")} if results.exists() else {}
    return {
        "seconds": time.monotonic() - started,
        "stored before": before,
        "stored": len(stored),
        "right": all(int(text) == int(name.removeprefix("part")) ** 2 for name, text in stored.items()),
        "again": len(list(notes.glob("*-again"))),
        "told": error or next((text for text in told if "worker" in text), ""),
    }


def main() -> None:
    """Make each fault once and print one table."""
    set_progress(False)
    print(
        "| fault | stored before | stored after | results right | computed again though stored | seconds | what is said |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for make in (_killed_workers, _killed_scheduler, _full_disk, _other_version):
            for fault, row in make(Path(name)):
                print(
                    f"| {fault} | {row['stored before']} | {row['stored']} of {SHARDS} | {'yes' if row['right'] else 'NO'} | "
                    f"{row['again']} | {row['seconds']:.0f} | {_plain(row['told']) or 'nothing'} |"
                )


def _plain(text: str) -> str:
    return re.sub(r"tcp://127\.0\.0\.1:\d+", "tcp://HOST:PORT", re.sub(r"/tmp/\S+/", "", text))


def _fresh(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place


def _killed_workers(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "killed"), Workplace()
    over, kills, dice = threading.Event(), list[int](), random.Random(0)
    end = time.monotonic() + LONGEST

    def kill() -> None:
        while not over.wait(KILL_EVERY) and time.monotonic() < end:
            office.kill_one(dice)
            kills.append(1)

    try:
        office.wait_for(3)
        row = run(place, office.address, kill)
    finally:
        over.set()
        office.close()
    return [(f"one of 3 workers killed every {KILL_EVERY:g} s, {len(kills)} times", row)]


def _killed_scheduler(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "scheduler"), Workplace()

    def kill() -> None:
        while len(list(place.glob("results/part*.txt"))) < SHARDS // 3:
            time.sleep(0.02)
        office.scheduler.kill()

    with closing(office):
        first = run(place, office.address, kill)
    with closing(Workplace()) as office:
        second = run(place, office.address)
    return [("scheduler killed after a third", first), ("the next run, on another scheduler", second)]


def _beside_one_like(start: str, good: int, folder: Path, name: str) -> dict[str, Any]:
    """Run with some good workers and one that starts with a line of its own."""
    with closing(Workplace(good)) as office:
        office.workers.append(office.start(start))
        office.wait_for(good + 1)
        return run(_fresh(folder, name), office.address)


def _full_disk(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("no room on one of 3 workers", _beside_one_like(NO_ROOM, 2, folder, "full")),
        ("no room on the only worker", _beside_one_like(NO_ROOM, 0, folder, "all full")),
    ]


def _other_version(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    row = _beside_one_like(OTHER_VERSION, 1, folder, "version")
    return [("one of 2 workers has another cistron", row)]


if __name__ == "__main__":
    main()
