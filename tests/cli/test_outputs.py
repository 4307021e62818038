"""Every command that writes, by the one rule for outputs. The list is read off the application, so new commands enter by themselves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cistron.cli.main import app
from cistron.cli.running import writing_commands

GOLDENS = Path(__file__).parents[1] / "goldens"
sys.path.insert(0, str(GOLDENS))
try:
    from cases import CASES
    from condense import condense, differences
    from inputs import write_inputs
    from running import ARTEFACTS, call
finally:
    sys.path.remove(str(GOLDENS))

COMMANDS = writing_commands(app)
# The first case of each command that works.
CASE = {
    case.command: case
    for case in reversed(CASES)
    if case.command in COMMANDS and not case.error and not case.before
}
WITHOUT_CASE = {
    "cells census": "it needs the network",
    "gene show": "it needs a study that was run",
    "cells join-species": "it needs cells of two species; tests/cells has them",
}
MAINTAINED = ("demo", "report build", "study run")


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("outputs") / "inputs")


@pytest.fixture
def places(inputs, tmp_path):
    (tmp_path / "out").mkdir()
    return {"inputs": inputs, "artefacts": ARTEFACTS, "out": tmp_path / "out"}


def line_of(command):
    return f"{command} {CASE[command].arguments}"


def main_output(command):
    """Where the first output of a case goes, relative to its folder."""
    words = line_of(command).split()
    given = [words[words.index("--output") + 1]] if "--output" in words else []
    given += [word for word in words if word.startswith("{out}/")]
    return given[0].removeprefix("{out}/")


def snapshot(folder):
    """Content and time of each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def record_of(output):
    inside = output / "run.json"
    return inside if inside.exists() else output.with_name(f"{output.name}.run.json")


def leftovers(folder):
    return [str(path) for path in folder.rglob(".*") if ".partial-" in path.name or ".shards-" in path.name]


def test_every_command_that_writes_is_tried():
    assert len(COMMANDS) > 25
    assert set(COMMANDS) - set(CASE) == set(WITHOUT_CASE)


@pytest.mark.parametrize("command", sorted(set(CASE) - set(MAINTAINED)))
def test_the_rule(command, places, tmp_path):
    """A link is followed; the same run is returned; another is refused; --overwrite gives the same again."""
    output, target = places["out"] / main_output(command), tmp_path / "target"
    target.mkdir()
    elsewhere = target / output.name
    output.parent.mkdir(parents=True, exist_ok=True)
    output.symlink_to(elsewhere)
    code, printed, errors = call(line_of(command), places)
    assert code == 0, errors
    assert output.is_symlink()
    assert elsewhere.exists()
    first, before = condense(places["out"]) | condense(target), snapshot(tmp_path)
    weights = {path: path.read_bytes() for path in tmp_path.rglob("*.safetensors")}
    assert not leftovers(tmp_path)
    for path in tmp_path.rglob("*"):
        assert path.is_symlink() or path.is_dir() or path.stat().st_mode & 0o777 == 0o666 & ~_umask(), path
    record = record_of(elsewhere)
    assert str(tmp_path) not in record.read_text()

    code, printed, errors = call(line_of(command), places)
    assert code == 0, errors
    if command != "omics tune":  # it adds to its study, and finds nothing to do
        assert "is finished: the same run wrote it before" in printed
        assert snapshot(tmp_path) == before

    # As if another run had written it.
    told = json.loads(record.read_text())
    told["request"]["settings"] = {"other": 1}
    record.write_text(json.dumps(told))
    before = snapshot(tmp_path)
    code, _, errors = call(line_of(command), places)
    assert code == 2, errors
    assert "--overwrite" in errors
    assert errors.count("\n") == 1
    assert snapshot(tmp_path) == before
    code, _, errors = call(f"{line_of(command)} --overwrite", places)
    assert code == 0, errors
    assert not leftovers(tmp_path)
    again = condense(places["out"]) | condense(target)
    assert not differences(first, again, CASE[command].tolerance)
    assert {path: path.read_bytes() for path in weights} == weights


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("command", sorted(CASE))
@pytest.mark.parametrize("overwrite", ["", "--overwrite"])
def test_a_folder_of_the_user_is_left_alone(command, overwrite, places, tmp_path):
    output = places["out"] / main_output(command)
    output.mkdir(parents=True)
    (output / "thesis.txt").write_text("years of work")
    before = snapshot(tmp_path)
    code, _, errors = call(f"{line_of(command)} {overwrite}", places)
    assert code == 2, errors
    assert errors.count("\n") == 1
    assert snapshot(tmp_path) == before
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("command", sorted(CASE))
def test_a_file_of_the_user_needs_the_word_overwrite(command, places, tmp_path):
    output = places["out"] / main_output(command)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("years of work")
    before = snapshot(tmp_path)
    code, _, errors = call(line_of(command), places)
    assert code == 2, errors
    assert snapshot(tmp_path) == before
    assert not leftovers(tmp_path)


@pytest.fixture(params=[0, 8192], ids=["full", "nearly full"])
def full_disk(tmp_path, request):
    """A small file system with room for no byte, or for two pages."""
    disk, size = tmp_path / "full", 1 << 20
    disk.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a file system of its own")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    (disk / "fill").write_bytes(b"\0" * (size - request.param))
    yield disk, request.param
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize("command", sorted(CASE))
def test_a_full_disk_is_one_line(command, places, full_disk):
    disk, room = full_disk
    code, _, errors = call(line_of(command), {**places, "out": disk})
    if room and code == 0:  # it found room enough
        assert not leftovers(disk)
        assert condense(disk)
        return
    assert code == 2, errors
    assert "space" in errors.lower()
    assert errors.count("\n") == 1
    left = [
        path.relative_to(disk)
        for path in disk.rglob("*")
        if path.is_file() and path.name not in ("fill", "run.json")
    ]
    # what the next run goes on from
    assert [
        path
        for path in left
        if "shards" not in str(path) and "model.fit" not in path.parts and path.suffix != ".journal"
    ] == []


@pytest.mark.parametrize("command", sorted(CASE))
def test_a_folder_without_permission_is_one_line(command, places, tmp_path, monkeypatch):
    """Root may write everywhere, so that the answer of the system is put in its place."""
    import cistron.runtime.files as files

    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files.Path, "open", refuse, raising=True)
    code, _, errors = call(line_of(command), places)
    assert code == 2, errors
    assert "Permission denied" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("command", sorted(CASE))
def test_sigterm_is_one_line(command, places, tmp_path, monkeypatch):
    """The signal comes when the first file is begun; what is finished is kept, and nothing half-written."""
    import cistron.runtime.files as files

    original = files._partial

    def terminated(destination):
        monkeypatch.setattr(files, "_partial", original)
        os.kill(os.getpid(), signal.SIGTERM)
        return original(destination)

    monkeypatch.setattr(files, "_partial", terminated)
    code, _, errors = call(line_of(command), places)
    assert code == 143, errors
    assert errors.count("\n") == 1
    assert "terminated; what is finished is kept" in errors
    assert not [path for path in leftovers(tmp_path) if ".shards-" not in path]
