"""Tuning: it finds a known optimum, is taken up again, and refuses a study of another space."""

import multiprocessing
import os
from pathlib import Path

import pytest

from cistron.errors import InputError
from cistron.training import Choice, Real, TrainingDivergedError, Whole, tune

SPACE = {"x": Real(-4, 4), "n": Whole(1, 5), "kind": Choice(("good", "bad"))}


def _bowl(parameters, report):
    return (parameters["x"] - 1) ** 2 + abs(parameters["n"] - 3) + (parameters["kind"] == "bad") * 2


def _work(storage):
    tune(_bowl, SPACE, storage=storage, trials=12)


@pytest.mark.parametrize("storage", ["study.journal", "study.db"])
def test_it_finds_the_optimum_and_goes_on(tmp_path, storage):
    path = tmp_path / storage
    first = tune(_bowl, SPACE, storage=path, trials=15)
    assert first.finished == 15
    report = tune(_bowl, SPACE, storage=path, trials=40)
    assert report.finished == 40
    assert report.best["kind"] == "good"
    assert report.best_value < 1.0
    assert list(report.trials.columns) == ["number", "state", "value", "seconds", "x", "n", "kind"]


def test_an_interrupted_search_gives_the_same_trials(tmp_path):
    whole = tune(_bowl, SPACE, storage=tmp_path / "whole", trials=14, seed=2)
    tune(_bowl, SPACE, storage=tmp_path / "parts", trials=6, seed=2)
    parts = tune(_bowl, SPACE, storage=tmp_path / "parts", trials=14, seed=2)
    assert list(whole.trials["x"]) == list(parts.trials["x"])
    other = tune(_bowl, SPACE, storage=tmp_path / "other", trials=3, seed=3)
    assert other.trials["x"][0] != whole.trials["x"][0]


def test_two_workers_share_a_study(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(tmp_path / "study.journal",)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report = tune(_bowl, SPACE, storage=tmp_path / "study.journal", trials=1)
    assert 12 <= report.finished <= 13  # the last trial may be taken by both
    assert report.trials["number"].is_unique


@pytest.mark.parametrize("storage", ["study.journal", "study.db"])
def test_what_two_workers_queued_is_tried_once(tmp_path, storage, monkeypatch):
    """Both open the empty study before either has queued its first trial."""
    import optuna

    first, tried = {"x": 0.5, "n": 2, "kind": "good"}, []

    def counted(parameters, report):
        tried.append(dict(parameters))
        return _bowl(parameters, report)

    queue = optuna.Study.enqueue_trial
    monkeypatch.setattr(
        optuna.Study,
        "enqueue_trial",
        lambda study, *given, **named: [queue(study, first), queue(study, first)],
    )
    report = tune(counted, SPACE, storage=tmp_path / storage, trials=3, first=[first])
    assert tried.count(first) == 1
    assert len(tried) == report.finished == 3
    assert report.failed == 0
    assert len(report.trials) == 3


def test_a_killed_trial_is_tried_again(tmp_path):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = tmp_path / "study.journal"
    tune(_bowl, SPACE, storage=path, trials=2)
    dead = multiprocessing.get_context("spawn").Process(target=int)
    dead.start()
    dead.join()
    study = optuna.load_study(study_name="study", storage=JournalStorage(JournalFileBackend(str(path))))
    trial = study.ask()
    import socket

    trial.set_user_attr("worker", f"{socket.gethostname()}:{dead.pid}")
    trial.suggest_float("x", -4, 4)
    x = trial.params["x"]
    report = tune(_bowl, SPACE, storage=path, trials=3)
    assert report.failed == 1
    assert report.trials.query("state == 'complete'")["x"].iloc[-1] == x


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {**SPACE, "x": Real(-4, 5)}}, r"searches another space \(differs in x\)"),
        ({"space": {"x": SPACE["x"], "n": SPACE["n"]}}, r"differs in kind"),
        ({"direction": "maximize"}, "has the direction minimize, not maximize|cannot be opened"),
        ({"identity": {"matrix": "b"}}, "other data or for another objective"),
    ],
)
def test_a_study_of_something_else_is_refused_in_one_line(tmp_path, changes, message):
    given = {"space": SPACE, "identity": {"matrix": "a"}, "direction": "minimize"}
    tune(_bowl, storage=tmp_path / "s", trials=2, **given)
    with pytest.raises(InputError, match=message) as caught:
        tune(_bowl, storage=tmp_path / "s", trials=2, **(given | changes))
    assert "\n" not in str(caught.value)


def test_damaged_storage_empty_space_and_wrong_direction_are_refused(tmp_path):
    (tmp_path / "study.db").write_text("this is no database" * 100)
    with pytest.raises(InputError, match="cannot be opened"):
        tune(_bowl, SPACE, storage=tmp_path / "study.db")
    with pytest.raises(InputError, match="is empty"):
        tune(_bowl, {}, storage=tmp_path / "s")
    with pytest.raises(InputError, match="direction must be"):
        tune(_bowl, SPACE, storage=tmp_path / "s", direction="up")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_no_database_stays_open(tmp_path):
    tune(_bowl, SPACE, storage=tmp_path / "study.db", trials=2)
    (tmp_path / "damaged.db").write_text("this is no database" * 100)
    with pytest.raises(InputError, match="cannot be opened"):
        tune(_bowl, SPACE, storage=tmp_path / "damaged.db")
    opened = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.exists()]
    assert not [path for path in opened if path.endswith(".db")]


def test_failures_are_counted_and_pruning_works(tmp_path):
    def objective(parameters, report):
        if parameters["n"] == 5:
            raise TrainingDivergedError("boom")
        for step in range(8):
            report(step, _bowl(parameters, report) + 1 / (step + 1))
        return _bowl(parameters, report)

    report = tune(objective, SPACE, storage=tmp_path / "s", trials=40)
    assert report.failed > 0
    assert report.pruned > 0
    assert report.finished + report.pruned == 40
    assert report.best["n"] != 5


def test_a_space_that_always_fails_ends(tmp_path):
    with pytest.raises(InputError, match="the last 10 trials failed"):
        tune(lambda parameters, report: float("nan"), SPACE, storage=tmp_path / "s", trials=5)
