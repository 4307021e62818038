"""Workers that die, fill their disk, are of another version; a scheduler that goes. Larger: benchmarks/cluster_faults.py."""

import errno
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import cistron
from cistron.errors import CistronError, InputError
from cistron.runtime import listening, run_each, run_on, run_shards

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def shard(
    path: Path, number: int, values: np.ndarray, notes: str, fault: str = "", workers: tuple[int, ...] = ()
) -> None:
    """Write a number of an array that all shards share, and note that it was done; or make a fault."""
    Path(notes, f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if fault == "dies once" and len(list(Path(notes).glob(f"{number}-*"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "full" and os.getpid() in workers:
        raise OSError(errno.ENOSPC, "No space left on device", "/scratch/part")
    Path(path).write_text(str(values[number]))


def wait(path: Path, number: int) -> None:
    """Write, after a moment."""
    time.sleep(0.05)
    Path(path).write_text(str(number))


def add(values: np.ndarray, number: int) -> float:
    """A number that depends on an array that all pieces share."""
    return float(values[number]) / 3


def started(notes: str, number: int) -> int:
    """Pieces that were started when this one ends; the first is slow."""
    Path(notes, str(number)).touch()
    time.sleep(0.4 if number == 0 else 0)
    return len(list(Path(notes).iterdir()))


@pytest.fixture(scope="module")
def cluster():
    """Two workers; a scheduler that gives up on what ended one worker, as one does in the end."""
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(
            {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.worker-saturation": 1.0}
        ),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def case(tmp_path):
    """Six shards, and a function that runs them."""
    notes = tmp_path / "notes"
    notes.mkdir()
    values = np.arange(6) ** 2

    def run(cluster, faults=(), workers=()):
        shards = {
            f"part{number}": {
                "number": number,
                "values": values,
                "notes": str(notes),
                "workers": tuple(workers),
            }
            | ({"fault": faults[number]} if number in faults else {})
            for number in range(6)
        }
        told = []
        with listening(lambda _, text: told.append(text)):
            paths = run_shards(
                shard, shards, tmp_path / "out", suffix=".txt", scheduler=cluster.scheduler_address
            )
        assert {name: path.read_text() for name, path in paths.items()} == {
            f"part{n}": str(n * n) for n in range(6)
        }
        return told, [int(note.name.split("-")[0]) for note in notes.iterdir()]

    return run


def processes_of(cluster):
    from distributed import Client

    with Client(cluster.scheduler_address) as client:
        return client.run(os.getpid)


def test_pieces_in_order_wherever_they_are_worked_out(cluster):
    values, items = np.linspace(0, 1, 9), [{"number": number} for number in range(9)]
    alone = list(run_each(add, items, {"values": values}))
    with run_on(scheduler=cluster.scheduler_address):
        assert list(run_each(add, items, {"values": values})) == alone


def where(number: int) -> str:
    """Folder that a piece works in."""
    return os.getcwd()


def test_pieces_work_in_the_folder_of_the_command(cluster, tmp_path, monkeypatch):
    items = [{"number": 0}, {"number": 1}]
    monkeypatch.chdir(tmp_path)
    with run_on(scheduler=cluster.scheduler_address):
        assert list(run_each(where, items)) == [str(tmp_path)] * 2
    monkeypatch.setattr(os, "getcwd", lambda: "/another/disk")
    with (
        run_on(scheduler=cluster.scheduler_address),
        pytest.raises(InputError, match=r"^worker tcp\S+ does not see /another/disk \(No such file or dir"),
    ):
        list(run_each(where, items))


def test_results_that_wait_for_a_slow_piece_are_few(cluster, tmp_path):
    items = [{"number": number} for number in range(60)]
    with run_on(scheduler=cluster.scheduler_address):
        found = list(run_each(started, items, {"notes": str(tmp_path)}))
    assert len(found) == 60
    assert found[0] <= 12  # three ahead for each of two workers, and as many that wait


def test_another_version_is_refused_by_name(cluster, tmp_path, monkeypatch):
    ours = {"cistron": "0.0.9", "Python": "3.11", "numpy": "2.0"}
    monkeypatch.setattr("cistron.runtime.cluster.software_installed", lambda: ours)
    with pytest.raises(
        InputError,
        match=r"worker tcp://127.0.0.1:\d+ has cistron \S+ \(here 0.0.9\).*; start it from the env",
    ):
        run_shards(wait, {"a": {"number": 1}}, tmp_path, suffix=".txt", scheduler=cluster.scheduler_address)


def test_a_worker_of_another_version_that_comes_later_is_refused_too(cluster, tmp_path, monkeypatch):
    from cistron.runtime.cluster import Cluster

    monkeypatch.setattr(Cluster, "_require_one_version", lambda self: None)
    monkeypatch.setattr(cistron, "__version__", "0.0.9")
    with pytest.raises(InputError, match=r"worker tcp://127.0.0.1:\d+ has cistron .* \(here 0.0.9\)"):
        run_shards(wait, {"a": {"number": 1}}, tmp_path, suffix=".txt", scheduler=cluster.scheduler_address)


def test_a_full_disk_on_one_worker_leaves_its_work_to_the_others(cluster, case):
    address, process = next(iter(processes_of(cluster).items()))
    told, done = case(cluster, dict.fromkeys(range(6), "full"), [process])
    assert f"worker {address}: no space left on device; its work goes to the others" in told
    assert set(done) == set(range(6))


def test_a_full_disk_on_all_workers_is_one_line_and_keeps_what_is_stored(cluster, case, tmp_path):
    with pytest.raises(
        CistronError, match=r"^no space left on device on any worker: tcp.*/scratch/part.*; make room and run"
    ):
        case(cluster, {4: "full"}, processes_of(cluster).values())
    assert len(list((tmp_path / "out").glob("part*.txt"))) == 5
    case(cluster)  # room was made


def test_a_worker_that_dies_takes_nothing_with_it(cluster, case):
    _, done = case(cluster, {2: "dies once"})
    assert sorted(done) == [0, 1, 2, 2, 3, 4, 5]


def test_a_shard_that_ends_its_workers_is_named_and_the_others_are_kept(cluster, case, tmp_path, monkeypatch):
    monkeypatch.setattr("cistron.runtime.cluster_work.DEATHS", 2)
    with pytest.raises(
        CistronError, match=r"^part5: every worker that took it ended \(too little memory\?\)"
    ):
        case(cluster, {5: "dies"})
    assert not (tmp_path / "out" / "part5.txt").exists()


def test_a_scheduler_that_goes_away_is_one_line_and_the_next_run_goes_on(cluster, tmp_path):
    from distributed import LocalCluster

    shards = {f"part{number}": {"number": number} for number in range(40)}
    first = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0")

    def stop():
        while not list(tmp_path.glob("part*.txt")):
            time.sleep(0.01)
        first.close()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(
        CistronError, match=r"^the Dask scheduler \S+ is gone; start it and run the same command again"
    ):
        run_shards(wait, shards, tmp_path, suffix=".txt", scheduler=first.scheduler_address)
    thread.join()
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.glob("part*.txt")}
    assert 0 < len(stored) < 40
    paths = run_shards(wait, shards, tmp_path, suffix=".txt", scheduler=cluster.scheduler_address)
    assert {path.read_text() for path in paths.values()} == {str(number) for number in range(40)}
    assert {path: path.stat().st_mtime_ns for path in stored} == stored


def test_what_was_stored_by_a_worker_that_died_is_not_done_again(tmp_path):
    from cistron.runtime.shards import _store

    (tmp_path / "a.txt").write_text("first")
    _store(wait, str(tmp_path / "a.txt"), number=1)
    assert (tmp_path / "a.txt").read_text() == "first"
