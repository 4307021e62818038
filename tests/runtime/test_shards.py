"""Shards: the same result in this process, in local processes and on a scheduler; nothing done twice."""

from pathlib import Path

import pytest

from cistron.errors import InputError
from cistron.runtime import run_shards
from cistron.runtime.shards import fingerprint

SHARDS = {f"part{number}": {"number": number} for number in range(4)}


def square(path: Path, number: int, log: str = "") -> None:
    """Write a square; note in a log that it was done."""
    if log:
        with Path(log).open("a") as handle:
            handle.write(f"{number}\n")
    Path(path).write_text(str(number**2))


def fail_at_two(path: Path, number: int) -> None:
    """Half-write, then fail, for one of the shards."""
    Path(path).write_text("half")
    if number == 2:
        raise InputError("two is not wanted")
    Path(path).write_text(str(number**2))


def results(paths):
    return {name: int(path.read_text()) for name, path in paths.items()}


EXPECTED = {"part0": 0, "part1": 1, "part2": 4, "part3": 9}


def test_in_this_process_and_never_again(tmp_path):
    log = tmp_path / "log"
    shards = {name: {**arguments, "log": str(log)} for name, arguments in SHARDS.items()}
    paths = run_shards(square, shards, tmp_path / "out", suffix=".txt")
    assert list(paths) == list(SHARDS)
    assert results(paths) == EXPECTED
    paths["part2"].unlink()
    assert results(run_shards(square, shards, tmp_path / "out", suffix=".txt")) == EXPECTED
    assert log.read_text().split() == ["0", "1", "2", "3", "2"]


def test_a_failure_keeps_what_is_finished_and_leaves_no_half_file(tmp_path):
    with pytest.raises(InputError, match="two is not wanted"):
        run_shards(fail_at_two, SHARDS, tmp_path, suffix=".txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part0.txt", "part1.txt"]
    assert results(run_shards(square, SHARDS, tmp_path, suffix=".txt")) == EXPECTED


def test_nothing_to_do(tmp_path):
    assert run_shards(square, {}, tmp_path) == {}


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_must_be_positive(tmp_path, workers):
    with pytest.raises(InputError, match=f"--workers must be 1 or more. Given: {workers}"):
        run_shards(square, SHARDS, tmp_path, workers=workers)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_local_processes(tmp_path):
    assert results(run_shards(square, SHARDS, tmp_path / "out", suffix=".txt", workers=2)) == EXPECTED
    with pytest.raises(InputError, match="two is not wanted"):
        run_shards(fail_at_two, SHARDS, tmp_path / "bad", suffix=".txt", workers=2)
    assert "part2.txt" not in {path.name for path in (tmp_path / "bad").iterdir()}
    assert not list((tmp_path / "bad").glob("*partial*"))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_scheduler_by_address_is_used_and_left_running(tmp_path):
    from distributed import Client, LocalCluster

    log = tmp_path / "log"
    shards = {name: {**arguments, "log": str(log)} for name, arguments in SHARDS.items()}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part1.txt").write_text("1")  # finished before, perhaps elsewhere
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        address = cluster.scheduler_address
        paths = run_shards(square, shards, tmp_path / "out", suffix=".txt", scheduler=address)
        assert results(paths) == EXPECTED
        assert sorted(log.read_text().split()) == ["0", "2", "3"]
        with Client(address) as client:
            assert client.submit(sum, [1, 2]).result() == 3


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "nonsense://x"])
def test_a_scheduler_that_does_not_answer(tmp_path, monkeypatch, address):
    import distributed

    # The real client, less patient.
    patient = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda where, timeout: patient(where, timeout="2s"))
    with pytest.raises(
        InputError, match=f"no Dask scheduler answers at {address}; start one with 'dask scheduler'"
    ):
        run_shards(square, SHARDS, tmp_path, scheduler=address)


def test_the_fingerprint_depends_on_settings_and_not_on_their_order():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint({"path": Path("x")})) == 16
