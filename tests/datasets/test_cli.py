"""``cistron data`` end to end, with a catalogue whose publisher is the local server."""

import dataclasses
import json
import sys

import pytest

from cistron.datasets import catalogue
from cistron.datasets.records import CC_BY_NC

from .conftest import noise

CONTENT = noise(30_000)


@pytest.fixture
def toy(publisher, make_data_set, monkeypatch):
    """The data set 'toy' in the catalogue, non-commercial, two files."""
    data_set = make_data_set(
        publisher.put("/toy/a.bin", CONTENT), publisher.put("/toy/b.bin", CONTENT[:10]), licence=CC_BY_NC
    )
    # The function of the same name hides the module.
    module = sys.modules["cistron.datasets.catalogue"]
    monkeypatch.setattr(module, "CATALOGUE", (*module.CATALOGUE, data_set))
    return data_set


def test_list_shows_every_name_once(run):
    code, output, _ = run("data", "list")
    assert code == 0
    names = [
        line.split()[0] for line in output.splitlines()[1:] if line and not line.startswith(("~", "Address:"))
    ]
    assert names == list(catalogue())


def test_list_of_one_tells_licence_and_citation(run):
    code, output, _ = run("data", "list", "corum")
    assert code == 0
    assert "commercial use: FORBIDDEN" in output
    assert "doi:10.1093/nar/gkac1015" in output
    assert "humanComplexes.txt.zip" in output


def test_list_json_is_the_records(run):
    _, output, _ = run("data", "list", "--json")
    records = json.loads(output)
    assert [record["name"] for record in records] == list(catalogue())
    _, output, _ = run("data", "list", "hg38", "--json")
    assert json.loads(output) == json.loads(json.dumps(dataclasses.asdict(catalogue()["hg38"])))


def test_fetch_prints_paths_and_the_licence(run, cache, toy):
    code, output, errors = run("data", "fetch", "toy")
    assert code == 0
    assert output.split() == [str(cache / "toy" / "a.bin"), str(cache / "toy" / "b.bin")]
    assert "CC BY-NC 4.0, forbids commercial use" in errors
    code, output, _ = run("data", "path", "toy", "--only", "b*")
    assert output.split() == [str(cache / "toy" / "b.bin")]


def test_fetch_part_of_a_data_set_into_a_folder(run, tmp_path, toy, publisher):
    code, _, _ = run("data", "fetch", "toy", "--only", "b.bin", "--output", tmp_path / "here")
    assert code == 0
    assert (tmp_path / "here" / "toy" / "b.bin").read_bytes() == CONTENT[:10]
    assert [entry[0] for entry in publisher.log] == ["/toy/b.bin"]


def test_fetch_from_a_mirror_offline(run, tmp_path, toy, publisher):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    code, _, _ = run("data", "fetch", "toy", "--only", "a.bin", "--mirror", tmp_path, "--offline")
    assert code == 0
    assert publisher.log == []


def test_bad_requests(fails, toy, tmp_path):
    assert "no data set was named" in fails("data", "fetch")
    assert "did you mean toy" in fails("data", "fetch", "toyy")
    assert "has no file 'c.bin'; it has: a.bin, b.bin" in fails("data", "fetch", "toy", "--only", "c.bin")
    assert "run 'cistron data fetch toy'" in fails("data", "path", "toy")
    assert "no plain download" in fails("data", "fetch", "cellxgene_census")
    assert "name it with --only" in fails("data", "fetch", "chip_atlas")
    assert "the network is off" in fails("data", "fetch", "toy", "--offline")
    (tmp_path / "file").write_text("x")
    assert "cannot write the cache folder" in fails("data", "fetch", "toy", "--output", tmp_path / "file")


def test_a_failed_download_is_one_line(fails, toy, publisher):
    publisher.items["/toy/a.bin"].statuses = [403]
    assert "answered 403 Forbidden" in fails("data", "fetch", "toy")


def test_an_unknown_name_fetches_nothing_of_the_others(fails, toy, publisher):
    fails("data", "fetch", "toy", "nothing_like_this")
    assert publisher.log == []
