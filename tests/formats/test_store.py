"""Stores know what belongs to them: each kind of store with each kind of damage is refused in one line, or reads the same."""

import json
import shutil
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest
import zarr

from cistron.errors import InputError
from cistron.formats.designed_epigenome import (
    EDIT_COLUMNS,
    OUTCOME_COLUMNS,
    read_designed_epigenome,
    write_designed_epigenome,
)
from cistron.formats.epigenesis import TABLE_COLUMNS, EpigenesisMap, read_epigenesis, write_epigenesis
from cistron.formats.gene_tracks import create_gene_tracks, open_gene_tracks
from cistron.formats.store import CHECKED, RECORD, check_store, seal_store
from cistron.formats.tracks import create_tracks, open_tracks

CELL_TYPES, MARKS = ["A", "B"], ["K4", "K27"]
SEQUENCES = pd.DataFrame(
    {"name": [f"g{n}" for n in range(6)], "chromosome": "chr1", "start": 0, "end": 40, "strand": "+"}
)
VALUES = np.random.default_rng(0).random((6, 2, 2, 4), dtype=np.float32)


def tracks(path):
    store = create_tracks(
        path, name="t", method="hand", sequences=SEQUENCES, tracks=pd.DataFrame({"name": MARKS}), bins=4, bin_size=10,
        cell_types=CELL_TYPES, chromosomes={"chr1": 75}, sequences_per_chunk=4,
    )  # fmt: skip
    store.values[:] = VALUES
    seal_store(path)


def gene_tracks(path):
    origin = pd.DataFrame(
        [(c, m, "f", "measured", "0") for c in CELL_TYPES for m in MARKS],
        columns=["cell_type", "mark", "source", "kind", "sha256"],
    )
    store = create_gene_tracks(
        path, genes=SEQUENCES, cell_types=CELL_TYPES, marks=MARKS, bins=4, bin_size=10, measured=np.ones((2, 2), bool),
        expression=VALUES[:, :, 0, 0], scale="log1p_tpm", origin=origin, name="t", method="hand",
    )  # fmt: skip
    store.tracks.values[:] = VALUES
    seal_store(path)


def epigenesis(path):
    table = pd.DataFrame([dict.fromkeys(TABLE_COLUMNS, 1)]).assign(mark="K4")
    names = SEQUENCES["name"].tolist()
    write_epigenesis(
        path,
        EpigenesisMap(
            VALUES, VALUES[:, :, 0].copy(), table, names, ["A", "B"], list("abcd"), [0, 10], 10, {"seed": 0}
        ),
    )


def design(path):
    outcome = pd.DataFrame([dict.fromkeys(OUTCOME_COLUMNS, 1)]).assign(gene="g1")
    write_designed_epigenome(
        path, VALUES, VALUES + 1, np.ones((2, 2), bool), sequences=SEQUENCES, cell_types=CELL_TYPES, marks=MARKS,
        bin_size=10, outcome=outcome, edits=pd.DataFrame([dict.fromkeys(EDIT_COLUMNS, 1)]), name="d", genome_build="",
        parameters={},
    )  # fmt: skip


KINDS = {
    "tracks": (tracks, open_tracks),
    "gene_tracks": (gene_tracks, open_gene_tracks),
    "epigenesis": (epigenesis, read_epigenesis),
    "design": (design, read_designed_epigenome),
}


def contents(found):
    """All that a reader gave, as plain values; arrays on disk are read."""
    if is_dataclass(found):
        return {
            field.name: contents(getattr(found, field.name))
            for field in fields(found)
            if field.name != "path"
        }
    if isinstance(found, pd.DataFrame):
        return found.to_dict("list")
    if hasattr(found, "take") and hasattr(found, "array"):
        return found[:].tolist()
    return found.tolist() if isinstance(found, np.ndarray) else found


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    for name, (write, _) in KINDS.items():
        write(folder / f"{name}.zarr")
    return folder


@pytest.fixture(params=KINDS)
def store(request, wholes, tmp_path):
    path = tmp_path / f"{request.param}.zarr"
    shutil.copytree(wholes / path.name, path)
    return path


def read(path):
    return contents(KINDS[path.stem][1](path))


def without_record(path):
    document = json.loads((path / "zarr.json").read_text())
    del document["attributes"][RECORD]
    (path / "zarr.json").write_text(json.dumps(document))


def test_a_whole_store_opens_also_without_a_record(store, remarks):
    before = read(store)
    files, size = check_store(store, verify=True)
    assert files == len([p for p in store.rglob("*") if p.is_file()]) - 1
    assert size > 0
    (store / ".DS_Store").write_text("of a Mac")
    (store / "notes.txt").write_text("of the user")
    assert read(store) == before
    without_record(store)
    assert read(store) == before
    assert remarks() == ""
    check_store(store)
    assert "written before stores recorded their files" in remarks()


DAMAGE = {
    "lost": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "random": lambda file: file.write_bytes(np.random.default_rng(1).bytes(200)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_file_that_is_lost_or_of_another_size_is_named(store, damage):
    for file in sorted(file for file in store.rglob("*") if file.is_file()):
        content, name = file.read_bytes(), file.relative_to(store).as_posix()
        DAMAGE[damage](file)
        with pytest.raises(InputError) as caught:
            read(store)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        file.write_bytes(content)
    read(store)


@pytest.mark.parametrize("damage", ["cut", "empty", "random"])
def test_damage_without_a_record_is_no_traceback(store, damage):
    without_record(store)
    for file in sorted(file for file in store.rglob("*") if file.is_file()):
        content = file.read_bytes()
        DAMAGE[damage](file)
        with pytest.raises(InputError) as caught:
            read(store)
        assert store.name in str(caught.value)
        file.write_bytes(content)


def test_a_changed_byte_is_noticed_when_it_is_read_and_by_verify(store):
    for file in sorted(file for file in store.rglob("c/**/*") if file.is_file()):
        content = file.read_bytes()
        changed = bytearray(content)
        changed[len(content) * 2 // 3] ^= 0x10
        file.write_bytes(changed)
        check_store(store)
        with pytest.raises(
            InputError, match=f"{store.name}: array {file.relative_to(store).parts[0]} is damaged"
        ):
            read(store)
        with pytest.raises(InputError, match=file.relative_to(store).as_posix()):
            check_store(store, verify=True)
        file.write_bytes(content)


def test_a_chunk_that_does_not_belong_to_it_is_refused(store):
    for array in (file.parent for file in store.glob("*/zarr.json")):
        extra = array / "c" / "/".join(["9"] * zarr.open_array(array, mode="r").ndim)
        extra.parent.mkdir(parents=True)
        extra.write_bytes(b"x")
        with pytest.raises(InputError, match=r"9 does not belong to it"):
            read(store)
        shutil.rmtree(array / "c" / "9")


WRONG = (None, "text", 7, [1, 2], {"name": ["x"]})


def test_attributes_that_are_absent_or_of_another_kind_are_no_traceback(store):
    document = json.loads((store / "zarr.json").read_text())
    good = read(store)
    outcomes = {"refused": 0, "read": 0}

    def judge(changed):
        (store / "zarr.json").write_text(json.dumps(changed))
        try:
            read(store)
        except InputError as error:
            assert store.name in str(error)  # noqa: PT017  (many damages in one test; which are harmless is counted)
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1

    for places in (("attributes",), ("attributes", "cistron")):
        inner = document
        for place in places:
            inner = inner[place]
        for key in [key for key in inner if key != RECORD]:
            for value in ("absent", *WRONG):
                changed = json.loads(json.dumps(document))
                target = changed
                for place in places:
                    target = target[place]
                if value == "absent":
                    del target[key]
                else:
                    target[key] = value
                judge(changed)
    for key in list(document):
        for value in ("absent", *WRONG):
            changed = {**document, key: value}
            if value == "absent":
                del changed[key]
            judge(changed)
    assert outcomes["refused"] > outcomes["read"]
    (store / "zarr.json").write_text(json.dumps(document))
    assert read(store) == good


def test_metadata_of_arrays_that_is_wrong_is_no_traceback(store):
    without_record(store)
    for file in sorted(store.glob("*/zarr.json")):
        content = file.read_text()
        document = json.loads(content)
        for key in document:
            for value in ("absent", "int32", *WRONG):
                changed = {**document, key: value}
                if value == "absent":
                    del changed[key]
                file.write_text(json.dumps(changed))
                try:
                    read(store)
                except InputError as error:
                    assert store.name in str(error)  # noqa: PT017  (harmless changes may be read)
        file.write_text(content)
        for name, value in (
            ("shape", [3] * len(document["shape"])),
            ("data_type", "int32"),
            ("data_type", "float16"),
        ):
            file.write_text(json.dumps({**document, name: value}))
            with pytest.raises(InputError, match=store.name):
                read(store)
        file.write_text(content)


def test_an_older_store_that_lacks_chunks_of_zeros_is_remarked(wholes, tmp_path, remarks):
    path = tmp_path / "gene_tracks.zarr"
    shutil.copytree(wholes / path.name, path)
    root = zarr.open_group(str(path), mode="r+")
    del root["expression"]
    root.create_array("expression", data=VALUES[:, :, 0, 0], compressors=CHECKED)
    without_record(path)
    open_gene_tracks(path)
    assert remarks() == ""
    (path / "expression" / "c" / "0" / "0").unlink()
    open_gene_tracks(path)
    assert "lacks 1 of 1 parts of expression, which are read as 0" in remarks()


def test_what_is_no_store(tmp_path):
    (tmp_path / "file.zarr").write_text("x")
    (tmp_path / "folder.zarr").mkdir()
    zarr.open_group(str(tmp_path / "plain.zarr"), mode="w")
    for reader in (*(reader for _, reader in KINDS.values()), check_store):
        for name in ("file", "folder", "plain", "absent"):
            with pytest.raises(InputError, match=name):
                reader(tmp_path / f"{name}.zarr")


def test_commands_refuse_a_store_that_lost_a_chunk(wholes, tmp_path, fails, run):
    path = tmp_path / "tracks.zarr"
    shutil.copytree(wholes / path.name, path)
    assert "whole, 7 files" in run("store", "check", path, wholes / "design.zarr", "--verify")[1]
    (path / "values" / "c" / "1" / "0" / "0" / "0").unlink()
    for command in (("store", "check", path), ("sequence", "bigwig", path, "-o", tmp_path / "bw")):
        assert "tracks.zarr is not whole: 1 of 7 files are missing, for example values/c/1/0/0/0" in fails(
            *command
        )
    assert not (tmp_path / "bw").exists()
    code, printed, errors = run("store", "check", wholes / "design.zarr", path)
    assert code == 2
    assert f"{path}: NOT WHOLE" in printed
    assert "1 of 2 stores are not whole: tracks.zarr" in errors
