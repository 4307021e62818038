"""The rule for outputs: nothing of a user's is lost, the same run is not done twice."""

import json
import os
import subprocess
import sys

import pytest

from cistron.errors import InputError
from cistron.runtime import Output, RunRecord, atomic_directory, atomic_path, claim_outputs, record_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def record(command="omics embed", seed=0, inputs=(), **settings):
    return RunRecord(command, settings, inputs, seed)


def write_file(path, text="result", overwrite=False, **run):
    """Run a job that writes a file; tell whether it had to work."""
    with claim_outputs([Output(path)], record(**run), overwrite=overwrite) as claim:
        if not claim.finished:
            with atomic_path(path) as partial:
                partial.write_text(text)
    return not claim.finished


def write_folder(path, content="result", overwrite=False, **run):
    """Run a job that writes a folder; tell whether it had to work."""
    with claim_outputs([Output(path)], record(**run), overwrite=overwrite) as claim:
        if not claim.finished:
            with atomic_directory(path, "test") as partial:
                (partial / "weights").write_text(content)
    return not claim.finished


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_the_same_run_is_done_once(tmp_path, write):
    path = tmp_path / "new" / "out"
    source = tmp_path / "source"
    source.write_text("data")
    assert write(path, inputs=[source], dimensions=3)
    assert not write(path, inputs=[source], dimensions=3)
    # where the input lies and what it is called do not matter
    source.rename(tmp_path / "moved")
    assert not write(path, inputs=[tmp_path / "moved"], dimensions=3)


@pytest.mark.parametrize("write", [write_file, write_folder])
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"dimensions": 4}, "its dimensions is 3, here 4"),
        ({"dimensions": 3, "seed": 1}, "its seed is 0"),
        ({"dimensions": 3, "changed": True}, "its inputs are others"),
    ],
)
def test_another_run_is_refused_and_nothing_is_touched(tmp_path, write, other, said):
    other, source, path = dict(other), tmp_path / "source", tmp_path / "out.tsv"
    source.write_text("data")
    write(path, "first", inputs=[source], dimensions=3)
    if other.pop("changed", False):
        source.write_text("changed")
    before = {name: os.stat(tmp_path / name).st_mtime_ns for name in names(tmp_path) if name != "source"}
    with pytest.raises(InputError, match=f"{said}.*--overwrite"):
        write(path, "second", inputs=[source], **other)
    assert {
        name: os.stat(tmp_path / name).st_mtime_ns for name in names(tmp_path) if name != "source"
    } == before
    assert write(path, "second", overwrite=True, inputs=[source], **other)
    assert not write(path, "second", inputs=[source], **other)


def test_a_file_of_any_kind_needs_the_word_overwrite(tmp_path):
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    with pytest.raises(InputError, match=r"thesis.txt exists and is not of this run; .*--overwrite"):
        write_file(path)
    assert path.read_text() == "years of work"
    assert names(tmp_path) == ["thesis.txt"]
    assert write_file(path, overwrite=True)
    assert path.read_text() == "result"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_others_is_never_replaced(tmp_path, overwrite):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"did not write \(it holds thesis.txt\)"):
        write_folder(folder, overwrite=overwrite)
    assert names(tmp_path) == ["work"]
    assert names(folder) == ["thesis.txt"]


def test_a_folder_of_another_command_is_never_replaced(tmp_path):
    write_folder(tmp_path / "model", command="cells train")
    with pytest.raises(InputError, match="is the result of 'cistron cells train'"):
        write_folder(tmp_path / "model", command="chromatin train", overwrite=True)
    with (
        pytest.raises(InputError, match="another kind of result"),
        atomic_directory(tmp_path / "model", "other"),
    ):
        pass
    assert (tmp_path / "model" / "weights").read_text() == "result"


def test_what_users_put_into_a_result_stays(tmp_path):
    write_folder(tmp_path / "model", dimensions=3)
    (tmp_path / "model" / "notes.txt").write_text("good model")
    assert not write_folder(tmp_path / "model", dimensions=3)
    assert write_folder(tmp_path / "model", "new", overwrite=True, dimensions=4)
    assert names(tmp_path / "model") == ["cistron.json", "notes.txt", "run.json", "weights"]
    assert (tmp_path / "model" / "weights").read_text() == "new"


def test_an_empty_folder_counts_as_absent(tmp_path):
    (tmp_path / "model").mkdir()
    assert write_folder(tmp_path / "model")
    assert not write_folder(tmp_path / "model")


def test_a_result_that_lost_a_part_is_not_taken_for_whole(tmp_path):
    write_folder(tmp_path / "model")
    (tmp_path / "model" / "weights").unlink()
    with pytest.raises(InputError, match="not as the same run left it"):
        write_folder(tmp_path / "model")
    write_file(tmp_path / "a.tsv")
    (tmp_path / "a.tsv").write_text("edited")
    with pytest.raises(InputError, match="not as the same run left it"):
        write_file(tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_text() == "edited"


def test_a_record_alone_does_not_block(tmp_path):
    write_file(tmp_path / "a.tsv")
    (tmp_path / "a.tsv").unlink()
    assert names(tmp_path) == ["a.tsv.run.json"]
    assert write_file(tmp_path / "a.tsv", seed=5)


def test_links_are_followed(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "scratch")
    write_folder(tmp_path / "out")
    (tmp_path / "link.tsv").symlink_to(tmp_path / "target.tsv")
    write_file(tmp_path / "link.tsv")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "target.tsv").read_text() == "result"
    assert names(tmp_path / "scratch") == ["cistron.json", "run.json", "weights"]
    assert names(tmp_path) == ["link.tsv", "out", "scratch", "target.tsv", "target.tsv.run.json"]


@pytest.mark.parametrize("output", [".", "..", "../here"])
def test_the_folder_one_is_in_is_told_in_a_line(tmp_path, monkeypatch, output):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="is the folder you are in or one above it"):
        write_folder(output)


def test_a_failure_leaves_nothing_but_what_was_there(tmp_path):
    with pytest.raises(RuntimeError), claim_outputs([Output(tmp_path / "new" / "deep" / "a.tsv")], record()):
        raise RuntimeError
    assert names(tmp_path) == []


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "a.tsv"
    with claim_outputs([Output(path)], record()):
        with pytest.raises(InputError, match="another cistron run is writing"):
            write_file(path, overwrite=True)
        with atomic_path(path) as partial:
            partial.write_text("first")
    assert path.read_text() == "first"
    assert names(tmp_path) == ["a.tsv", "a.tsv.run.json"]


KILLED = """
import os, signal, sys
from pathlib import Path
from cistron.runtime import Output, RunRecord, atomic_path, claim_outputs
folder, moment, overwrite = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "overwrite"
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
with claim_outputs([Output(folder)], RunRecord("evaluate test", {}, [], 0), overwrite=overwrite) as claim:
    if moment == "before": die()
    folder.mkdir(exist_ok=True)
    with atomic_path(folder / "scores.txt") as partial:
        partial.write_text("half")
        if moment == "within": die()
    if moment == "between": die()
    with atomic_path(folder / "run.json") as partial:
        partial.write_text('{"schema": "cistron.run", "run_id": "x", "command": "evaluate test"}')
    if moment == "recorded": die()
"""


@pytest.mark.parametrize("moment", ["before", "within", "between", "recorded"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_killed_run_is_taken_up_by_the_same_run(tmp_path, moment, overwrite):
    def job(seed=0, overwrite=False):
        with claim_outputs(
            [Output(tmp_path / "o")], record("evaluate test", seed), overwrite=overwrite
        ) as claim:
            if not claim.finished:
                (tmp_path / "o").mkdir(exist_ok=True)
                with atomic_path(tmp_path / "o" / "scores.txt") as partial:
                    partial.write_text(f"whole {seed}")

    if overwrite:
        job(seed=1)
    how = "overwrite" if overwrite else "no"
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "o", moment, how], check=False)
    assert done.returncode == -9
    job()
    assert names(tmp_path) == ["o"]
    assert names(tmp_path / "o") == ["run.json", "scores.txt"]
    assert (tmp_path / "o" / "scores.txt").read_text() == "whole 0"
    assert json.loads((tmp_path / "o" / "run.json").read_text())["request"]["seed"] == 0


def test_what_a_killed_run_began_does_not_block_another(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "o", "between", "no"], check=False)
    with claim_outputs([Output(tmp_path / "o")], record("evaluate test", 7)) as claim:
        assert not claim.finished
        (tmp_path / "o" / "scores.txt").write_text("other")
    assert names(tmp_path) == ["o"]


def test_a_folder_that_was_between_two_names_comes_back(tmp_path):
    write_folder(tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / ".model.partial-99999999-replaced")
    assert not write_folder(tmp_path / "model")
    assert names(tmp_path) == ["model"]


def test_files_of_an_earlier_result_do_not_mix_with_the_new(tmp_path):
    folder = tmp_path / "wigs"

    def job(tracks, overwrite=False):
        with claim_outputs([Output(folder)], record("sequence bigwig", tracks=tracks), overwrite=overwrite):
            for track in tracks:
                with atomic_path(folder / track) as partial:
                    partial.write_text(track)

    job(["a", "b"])
    (folder / "mine").write_text("x")
    job(["b", "c"], overwrite=True)
    assert names(folder) == ["b", "c", "mine", "run.json"]


def test_records_hold_no_local_paths(tmp_path):
    source = tmp_path / "source.tsv"
    source.write_text("data")
    write_file(tmp_path / "a.tsv", inputs=[source], table=source)
    text = record_path(tmp_path / "a.tsv").read_text()
    assert str(tmp_path) not in text
    assert json.loads(text)["inputs"][0]["file"] == "source.tsv"
