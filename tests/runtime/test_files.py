"""Files appear whole or not at all."""

import hashlib
import json
import os

import pytest

import cistron.runtime.files as files
from cistron.errors import InputError
from cistron.runtime import atomic_directory, atomic_path, check_writable, record_path, sha256_of


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def own_folder(path):
    """A folder that cistron wrote, with a file ``old``."""
    with atomic_directory(path) as partial:
        (partial / "old").write_text("old")
    with atomic_path(record_path(path)) as partial:
        partial.write_text(json.dumps({"schema": "cistron.run", "output": {"files": {"old": 3}}}))
    return path


def test_a_file_is_renamed_at_the_end_and_keeps_its_suffix(tmp_path):
    with atomic_path(tmp_path / "new" / "a.tsv") as partial:
        assert partial.suffix == ".tsv"
        assert partial.parent == tmp_path / "new"
        partial.write_text("whole")
        assert not (tmp_path / "new" / "a.tsv").exists()
    assert names(tmp_path / "new") == ["a.tsv"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "a.tsv"
    path.write_text("old")

    def write():
        with atomic_path(path) as partial:
            partial.write_text("half")
            raise failure

    with pytest.raises(failure):
        write()
    assert names(tmp_path) == ["a.tsv"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path, failure):
    path = own_folder(tmp_path / "a.zarr")

    def write():
        with atomic_directory(path) as partial:
            (partial / "half").write_text("half")
            raise failure

    with pytest.raises(failure):
        write()
    assert names(tmp_path) == ["a.zarr", "a.zarr.run.json"]
    assert names(path) == ["cistron.json", "old"]


def test_a_folder_replaces_a_folder(tmp_path):
    path = own_folder(tmp_path / "a.zarr")
    with atomic_directory(path) as partial:
        (partial / "new").write_text("new")
    assert names(tmp_path) == ["a.zarr", "a.zarr.run.json"]
    assert names(path) == ["cistron.json", "new"]


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_renamed(tmp_path, monkeypatch):
    path = own_folder(tmp_path / "a.zarr")
    replace = os.replace

    def refuse(source, destination):
        if "replaced" not in str(source) and "replaced" not in str(destination):
            raise OSError(5, "Input/output error")
        replace(source, destination)

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError, match="Input/output error"), atomic_directory(path) as partial:
        (partial / "new").write_text("new")
    assert names(tmp_path) == ["a.zarr", "a.zarr.run.json"]
    assert names(path) == ["cistron.json", "old"]


def test_what_cannot_be_written_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "a.tsv", tmp_path / "file" / "b" / "a.tsv"):
        with pytest.raises(InputError, match=r"cannot write .*choose an --output"):
            check_writable(path)
        with pytest.raises(InputError, match="cannot write"), atomic_path(path):
            pytest.fail("the work must not begin")
    with pytest.raises(InputError, match="it is a folder; give the path of a file"), atomic_path(tmp_path):
        pytest.fail("the work must not begin")
    with pytest.raises(InputError, match="it is a file"), atomic_directory(tmp_path / "file"):
        pytest.fail("the work must not begin")
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        check_writable(tmp_path / "a.tsv")


def test_checking_leaves_nothing(tmp_path):
    assert check_writable(tmp_path / "a.tsv") == tmp_path / "a.tsv"
    assert names(tmp_path) == []


def test_sha256_of_files_and_folders(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 1000)
    assert sha256_of(tmp_path / "a", chunk_bytes=7) == hashlib.sha256(b"abc" * 1000).hexdigest()
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "x").write_text("1")
        (folder / "y").write_text("2")
    assert sha256_of(first) == sha256_of(second)
    (second / "y").rename(second / "z")
    assert sha256_of(first) != sha256_of(second)
