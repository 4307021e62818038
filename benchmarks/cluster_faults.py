"""Faults of a cluster: workers killed at random, a scheduler that dies, a worker without room, a worker of another version.

A scheduler and three workers are started on this machine as processes of their own, and 200 shards of known results run on them
while a fault is made. For each the table says how many shards are stored, how many were computed more than once although they
were stored already, whether all results are right, what the user is told, and what the next run has to do. Bounded: under a
minute of one core, and no run waits longer than 120 seconds.

    python -m benchmarks cluster_faults [SHARDS]
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
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import save
from cistron.errors import CistronError
from cistron.runtime import listening, run_shards, set_progress

SECONDS = 0.05  # that a shard takes
KILL_EVERY = 2.0
LONGEST = 120.0


def work(path: Path, number: int, log: str, full: str = "") -> None:
    """Write the square of a number, and note that it was done, and by whom."""
    time.sleep(SECONDS)
    target = Path(path)
    if full and os.environ.get("CISTRON_SMALL_DISK") == "1":
        raise OSError(28, "No space left on device", full)
    target.write_text(str(number * number))
    with Path(log).open("a") as handle:
        handle.write(f"{number} {os.getpid()}\n")


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

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Start a worker without a nanny, so that killing it kills the process that works."""
        return subprocess.Popen(
            [sys.executable, "-c", "from distributed.cli.dask_worker import main; main()", self.address,
             "--nthreads", "1", "--no-nanny", "--no-dashboard"],
            stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, text=True,
        )  # fmt: skip

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


def run(
    shards: int, folder: Path, address: str, fault: Callable[[], None] | None = None, full: str = ""
) -> dict[str, Any]:
    """Run the shards on a scheduler while a fault is made in a thread; what is stored and told afterwards."""
    log, results = folder / "log", folder / "results"
    log.touch()
    before = len(list(results.glob("*.txt"))) if results.exists() else 0
    noted = len(log.read_text().splitlines())
    told: list[str] = []
    thread = threading.Thread(target=fault, daemon=True) if fault else None
    if thread is not None:
        thread.start()
    started, error = time.monotonic(), ""
    with listening(lambda _, text: told.append(text)):
        try:
            run_shards(
                work,
                {
                    f"part{number:03d}": {"number": number, "log": str(log), "full": full}
                    for number in range(shards)
                },
                results,
                suffix=".txt",
                scheduler=address,
            )
        except CistronError as failure:
            error = str(failure)
    stored = {path.stem: path.read_text() for path in results.glob("part*.txt")}
    done = Counter(int(line.split()[0]) for line in log.read_text().splitlines()[noted:])
    return {
        "seconds": time.monotonic() - started,
        "stored before": before,
        "stored": len(stored),
        "right": all(int(text) == int(name.removeprefix("part")) ** 2 for name, text in stored.items()),
        "written twice": sum(count - 1 for count in done.values()),
        "told": next((text for text in told if "worker" in text), ""),
        "error": error,
    }


def main(arguments: list[str]) -> None:
    """Make each fault once and print one table."""
    shards = int(arguments[0]) if arguments else 200
    set_progress(False)
    dice = random.Random(0)
    rows: list[tuple[str, dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows += _killed_workers(shards, folder, dice)
        rows += _killed_scheduler(shards, folder)
        rows += _full_disk(shards, folder)
        rows += _other_version(folder)
    lines = [
        "| fault | stored before | stored after | results right | written twice | seconds | what is said |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {fault} | {row['stored before']} | {row['stored']} of {shards} | {'yes' if row['right'] else 'NO'} | {row['written twice']} | "
        f"{row['seconds']:.0f} | {_plain(row['error'] or row['told']) or 'nothing'} |"
        for fault, row in rows
    ]
    save("cluster_faults", "\n".join(lines))


def _plain(text: str) -> str:
    return re.sub(r"tcp://127\.0\.0\.1:\d+", "tcp://HOST:PORT", re.sub(r"/tmp/\S+/", "", text))


def _fresh(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place


def _killed_workers(shards: int, folder: Path, dice: random.Random) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "killed"), Workplace()
    over, kills = threading.Event(), []

    def kill() -> None:
        while not over.wait(KILL_EVERY) and time.monotonic() < end:
            office.kill_one(dice)
            kills.append(1)

    end = time.monotonic() + LONGEST
    try:
        row = run(shards, place, office.address, kill)
    finally:
        over.set()
        office.close()
    return [(f"a worker of 3 killed every {KILL_EVERY:g} s ({len(kills)} in all)", row)]


def _killed_scheduler(shards: int, folder: Path) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "scheduler"), Workplace()

    def kill() -> None:
        while len(list((place / "results").glob("part*.txt"))) < shards // 3:
            time.sleep(0.02)
        office.scheduler.kill()

    try:
        first = run(shards, place, office.address, kill)
    finally:
        office.close()
    office = Workplace()
    try:
        second = run(shards, place, office.address)
    finally:
        office.close()
    return [("the scheduler killed after a third", first), ("the next run, on another scheduler", second)]


def _full_disk(shards: int, folder: Path) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "full"), Workplace(2)
    office.workers.append(office.start(CISTRON_SMALL_DISK="1"))
    try:
        one = run(shards, place, office.address, full="/scratch/part.txt")
    finally:
        office.close()
    place, office = _fresh(folder, "all full"), Workplace(0)
    office.workers.append(office.start(CISTRON_SMALL_DISK="1"))
    try:
        every = run(shards, place, office.address, full="/scratch/part.txt")
    finally:
        office.close()
    return [("no room on one worker of 3", one), ("no room on the only worker", every)]


def _other_version(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    place, office = _fresh(folder, "version"), Workplace(1)
    other = _fresh(folder, "site")
    (other / "sitecustomize.py").write_text("import cistron\ncistron.__version__ = '0.0.9'\n")
    path = os.pathsep.join([str(other), *filter(None, [os.environ.get("PYTHONPATH")])])
    office.workers.append(office.start(PYTHONPATH=path))
    time.sleep(5)
    try:
        row = run(10, place, office.address)
    finally:
        office.close()
    return [("one worker of 2 has another cistron", row)]
