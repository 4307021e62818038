"""Mirrors: a folder or a url; the network is not used behind their back."""

import dataclasses

import pytest

from cistron.datasets import FetchSettings, fetch_data_set
from cistron.errors import DownloadError, InputError

from .conftest import FAST, noise, sha256

CONTENT = noise(50_000)


@pytest.mark.parametrize("layout", ["toy/a.bin", "a.bin"])
def test_a_folder_serves_files_and_the_network_is_not_used(
    publisher, tmp_path, make_data_set, settings, layout
):
    data_set = make_data_set(publisher.put("/toy/a.bin", noise(10)))
    source = tmp_path / "mirror" / layout
    source.parent.mkdir(parents=True)
    source.write_bytes(CONTENT)
    with_mirror = dataclasses.replace(settings, mirror=str(tmp_path / "mirror"), offline=True)
    (path,) = fetch_data_set(data_set, settings=with_mirror)
    assert path.read_bytes() == CONTENT
    assert publisher.log == []


@pytest.mark.parametrize("layout", ["/mirror/toy/a.bin", "/mirror/a.bin"])
def test_a_url_serves_files_and_resumes(publisher, make_data_set, settings, layout):
    publisher.put(layout, CONTENT, etag='"v1"', breaks_after=[20_000, 0, 0, 0])
    data_set = make_data_set(publisher.put("/publisher/a.bin", noise(10)))
    with_mirror = dataclasses.replace(settings, mirror=publisher.url("/mirror/"))
    with pytest.raises(DownloadError):
        fetch_data_set(data_set, settings=with_mirror)
    publisher.items[layout].breaks_after.clear()
    (path,) = fetch_data_set(data_set, settings=with_mirror)
    assert path.read_bytes() == CONTENT
    assert publisher.log[-1] == (layout, "bytes=20000-", 206)
    assert not [entry for entry in publisher.log if entry[0].startswith("/publisher")]


@pytest.mark.parametrize("kind", ["folder", "url"])
def test_a_mirror_without_the_file_is_an_error_unless_asked(
    publisher, tmp_path, make_data_set, settings, kind
):
    data_set = make_data_set(publisher.put("/publisher/a.bin", CONTENT))
    mirror = str(tmp_path) if kind == "folder" else publisher.url("/mirror")
    with_mirror = dataclasses.replace(settings, mirror=mirror)
    with pytest.raises(DownloadError, match=r"has neither toy/a\.bin nor a\.bin; .*--fall-back"):
        fetch_data_set(data_set, settings=with_mirror)
    assert not [entry for entry in publisher.log if entry[0].startswith("/publisher")]
    (path,) = fetch_data_set(data_set, settings=dataclasses.replace(with_mirror, fall_back=True))
    assert path.read_bytes() == CONTENT


def test_the_environment_names_a_mirror(publisher, tmp_path, make_data_set, settings, monkeypatch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    monkeypatch.setenv("CISTRON_MIRROR", str(tmp_path))
    (path,) = fetch_data_set(make_data_set(publisher.put("/toy/a.bin", noise(10))), settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log == []


def test_a_mirror_is_checked_like_the_publisher(publisher, tmp_path, make_data_set, settings):
    file = dataclasses.replace(publisher.put("/toy/a.bin", CONTENT), checksum=sha256(CONTENT))
    (tmp_path / "a.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="damaged or changed upstream"):
        fetch_data_set(make_data_set(file), settings=dataclasses.replace(settings, mirror=str(tmp_path)))


def test_a_cache_folder_is_a_valid_mirror(publisher, tmp_path, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT), publisher.put("/toy/b.bin", CONTENT[:99]))
    first = tmp_path / "first"
    fetch_data_set(data_set, settings=dataclasses.replace(settings, output=first))
    publisher.items.clear()
    paths = fetch_data_set(data_set, settings=dataclasses.replace(settings, mirror=str(first)))
    assert [path.read_bytes() for path in paths] == [CONTENT, CONTENT[:99]]


def test_a_mirror_that_is_nothing(make_data_set, publisher, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    with pytest.raises(InputError, match="neither an http url nor an existing folder"):
        fetch_data_set(data_set, settings=dataclasses.replace(settings, mirror="/no/such/folder"))


def test_offline_uses_the_cache_only(publisher, make_data_set, settings, monkeypatch):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    offline = dataclasses.replace(settings, offline=True)
    with pytest.raises(DownloadError, match="the network is off"):
        fetch_data_set(data_set, settings=offline)
    with pytest.raises(DownloadError, match="needs the network, which is off"):
        fetch_data_set(data_set, settings=dataclasses.replace(offline, mirror=publisher.url("/mirror")))
    assert publisher.log == []
    fetch_data_set(data_set, settings=settings)
    assert fetch_data_set(data_set, settings=offline)[0].read_bytes() == CONTENT
    monkeypatch.setenv("CISTRON_OFFLINE", "1")
    assert FetchSettings(transfer=FAST).offline_in_force
