"""Seeds, threads, progress and the record of a run."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

import cistron.runtime.progress as progress_module
from cistron.errors import InputError
from cistron.runtime import (
    Progress,
    RunRecord,
    limit_threads,
    progress_enabled,
    random_generator,
    say,
    seed_for,
    set_progress,
    track,
)


def test_seeds_are_the_same_on_every_machine():
    # Golden values: a change here changes every published result.
    assert seed_for(0) == 2033344993903900207
    assert seed_for(7, "control", "SHBG", 3) == 3529141641086058829
    assert random_generator(1, "a").integers(1000) == random_generator(1, "a").integers(1000)


@given(st.integers(0, 2**31), st.lists(st.one_of(st.text(max_size=4), st.integers(0, 99)), max_size=3))
def test_seeds_fit_numpy_and_differ_by_name(seed, names):
    value = seed_for(seed, *names)
    assert 0 <= value < 2**63
    assert value != seed_for(seed, *names, "more")
    assert value != seed_for(seed + 1, *names)


def test_names_are_not_run_together():
    assert seed_for(1, "ab", "c") != seed_for(1, "a", "bc")
    assert seed_for(1, 23) != seed_for(12, 3)


def test_threads_are_limited_inside_and_restored_outside():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = [pool["num_threads"] for pool in threadpool_info()]
    with limit_threads(1) as number:
        assert number == 1
        assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before
    with limit_threads(None) as number:
        assert number >= 1


@pytest.mark.parametrize("threads", [0, -2])
def test_threads_must_be_positive(threads):
    with pytest.raises(InputError, match="--threads must be 1 or more"), limit_threads(threads):
        pytest.fail("nothing may run")


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    turned = Clock()
    monkeypatch.setattr(progress_module, "time", turned)
    set_progress(True)
    return turned


def test_lines_off_a_terminal_are_rare_and_estimate_the_rest(clock, capsys):
    with Progress("fitting", total=100, unit="models") as progress:
        progress.advance(10)
        clock.now += 20
        progress.advance(10, note="loss 0.5")
        clock.now += 10
        progress.advance(10)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["fitting: 20 of 100 models, 0:20 gone, about 1:20 left (loss 0.5)"]


def test_a_long_job_of_short_parts_is_heard_after_ten_seconds(clock, capsys):
    for part in range(6):
        with Progress(f"part {part}", total=2) as progress:
            clock.now += 2
            progress.advance()
            clock.now += 2
            progress.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "part 2: 2 of 2, 0:04 gone, about 0:00 left",
        "part 5: 2 of 2, 0:04 gone, about 0:00 left",
    ]


def test_without_a_total_only_what_is_done(clock, capsys):
    with Progress("reading") as progress:
        clock.now += 4000
        progress.advance(5)
    assert capsys.readouterr().err == "reading: 5, 1:06:40 gone\n"


def test_nothing_is_said_when_progress_is_off(clock, capsys):
    set_progress(False)
    assert not progress_enabled()
    say("remark")
    with Progress("fitting", 10) as progress:
        clock.now += 100
        progress.advance()
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_and_brackets_are_not_markup(monkeypatch, capsys):
    set_progress(True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("fitting [/bold] of [red]", total=2) as progress:
        progress.advance(note="[/loss]")
        progress.total = 4
        progress.advance()
    assert "[/bold]" in capsys.readouterr().err


def test_track_yields_everything():
    assert list(track(range(3), "x")) == [0, 1, 2]
    assert list(track(iter("ab"), "x", total=2)) == ["a", "b"]


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.5


@dataclasses.dataclass(frozen=True)
class Outer:
    path: Path = Path("a/b")
    inner: Inner = dataclasses.field(default_factory=Inner)
    names: tuple = ("x", "y")


def test_a_run_record_is_plain_json(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("x")
    record = RunRecord("evaluate gwas", Outer(), [source], seed=3)
    record.record("count", np.int64(5))
    record.record("vector", np.array([1.5, np.nan]))
    record.record("scores", {"a": np.float32(0.5), "b": float("inf")})
    record.warn("careful")
    record.warn("careful")
    record.write(tmp_path / "run.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    back = json.loads((tmp_path / "run.json").read_text(), parse_constant=refuse)
    assert back["settings"] == {"path": "b", "inner": {"rate": 0.5}, "names": ["x", "y"]}
    assert back["results"] == {"count": 5, "vector": [1.5, None], "scores": {"a": 0.5, "b": None}}
    assert back["warnings"] == ["careful"]
    assert back["seed"] == 3
    assert back["inputs"][0]["file"] == source.name
    assert len(back["inputs"][0]["sha256"]) == 64
    assert len(back["run_id"]) == 12
    assert RunRecord("x", {}, [], 0).run_id != back["run_id"]
