"""Downloads against a real server that breaks off, lies, changes the file, is slow, or is not there."""

import dataclasses
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cistron.datasets.transfer as transfer
from cistron.datasets import FetchSettings, RemoteFile, TransferSettings, fetch_data_set
from cistron.errors import DownloadError, InputError

from .conftest import FAST, Item, noise, sha256

CONTENT = noise(200_000)
OTHER = noise(200_000, seed=1)


def files_in(folder: Path) -> set[str]:
    """Names of all visible files under a folder."""
    return {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}


def test_a_file_arrives_whole_is_recorded_and_is_not_fetched_twice(publisher, cache, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=settings)
    assert path == cache / "toy" / "a.bin"
    assert path.read_bytes() == CONTENT
    record = json.loads((cache / "toy" / "a.bin.fetched.json").read_text())
    assert record["sha256"] == sha256(CONTENT).split(":")[1]
    assert record["size"] == len(CONTENT)
    assert record["checked_by"] == "first fetch"
    assert fetch_data_set(data_set, settings=settings) == [path]
    assert len(publisher.log) == 1
    assert files_in(cache) == {"a.bin", "a.bin.fetched.json"}


@pytest.mark.parametrize("validators", [{"etag": '"v1"'}, {"modified": "Tue, 03 Mar 2026 10:00:00 GMT"}])
def test_a_broken_connection_is_resumed_where_it_broke(publisher, make_data_set, settings, validators):
    file = publisher.put("/toy/a.bin", CONTENT, breaks_after=[50_000, 60_000], **validators)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[1:] for entry in publisher.log] == [
        (None, 200),
        ("bytes=50000-", 206),
        ("bytes=110000-", 206),
    ]


def test_without_a_validator_or_checksum_nothing_is_glued(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, breaks_after=[50_000])
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[1] for entry in publisher.log] == [None, None]


def test_without_a_validator_a_checksum_allows_resuming(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, breaks_after=[50_000])
    file = dataclasses.replace(file, checksum=sha256(CONTENT))
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[1] for entry in publisher.log] == [None, "bytes=50000-"]


def test_a_glued_file_is_noticed_by_its_checksum_and_fetched_in_one(publisher, make_data_set, settings):
    # No validator at all, and the content changes between the parts: only the checksum can tell.
    file = publisher.put("/toy/a.bin", OTHER, breaks_after=[50_000], then=Item(CONTENT))
    file = dataclasses.replace(file, checksum=sha256(CONTENT))
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[1] for entry in publisher.log] == [None, "bytes=50000-", None]


def test_a_file_that_changes_between_the_parts_is_started_again(publisher, make_data_set, settings):
    later = Item(OTHER, etag='"v2"')
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', breaks_after=[50_000], then=later)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == OTHER
    assert [entry[2] for entry in publisher.log] == [200, 200]


def test_a_server_that_ignores_if_range_cannot_glue_two_versions(publisher, make_data_set, settings):
    later = Item(OTHER, etag='"v2"', honours_if_range=False)
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', breaks_after=[50_000], then=later)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == OTHER
    assert [entry[1:] for entry in publisher.log] == [(None, 200), ("bytes=50000-", 206), (None, 200)]


def test_a_partial_answer_that_names_no_version_is_not_glued(publisher, make_data_set, settings):
    later = Item(OTHER, honours_if_range=False)
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', breaks_after=[50_000], then=later)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == OTHER
    assert [entry[1:] for entry in publisher.log] == [(None, 200), ("bytes=50000-", 206), (None, 200)]


def test_a_weak_etag_is_not_trusted_for_resuming(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, etag='W/"v1"', breaks_after=[50_000])
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[1] for entry in publisher.log] == [None, None]


def test_a_server_without_ranges_is_asked_again_from_the_beginning(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', ranges=False, breaks_after=[50_000])
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[2] for entry in publisher.log] == [200, 200]


def test_a_server_that_always_breaks_off_at_the_same_place_is_given_up(
    publisher, cache, make_data_set, settings
):
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', ranges=False, breaks_after=[50_000] * 9)
    with pytest.raises(
        DownloadError, match=r"ended after 50,000 of 200,000 bytes; 3 attempts brought nothing new"
    ):
        fetch_data_set(make_data_set(file), settings=settings)
    assert not (cache / "toy" / "a.bin").exists()
    assert (cache / "toy" / "a.bin.part").stat().st_size == 50_000


def test_a_later_call_goes_on_from_the_part(publisher, cache, make_data_set, settings):
    data_set = make_data_set(
        publisher.put("/toy/a.bin", CONTENT, etag='"v1"', breaks_after=[50_000, 0, 0, 0])
    )
    with pytest.raises(DownloadError):
        fetch_data_set(data_set, settings=settings)
    publisher.items["/toy/a.bin"].breaks_after.clear()
    publisher.log.clear()
    (path,) = fetch_data_set(data_set, settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log == [("/toy/a.bin", "bytes=50000-", 206)]


def test_a_promised_length_that_never_comes_is_an_error(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', declares=len(CONTENT) + 5)
    with pytest.raises(DownloadError, match="attempts brought nothing new"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert not (cache / "toy" / "a.bin").exists()


def test_a_length_that_is_too_small_is_noticed_by_size(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, declares=1000)
    file = dataclasses.replace(file, size=len(CONTENT))
    with pytest.raises(
        DownloadError, match=r"offers 1,000 bytes, the catalogue says 200,000: changed upstream"
    ):
        fetch_data_set(make_data_set(file), settings=settings)
    assert files_in(cache) == set()


def test_a_length_that_is_too_small_is_noticed_by_checksum(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, declares=1000)
    file = dataclasses.replace(file, checksum=sha256(CONTENT))
    with pytest.raises(DownloadError, match="damaged or changed upstream"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert files_in(cache) == set()


def test_a_file_without_length_ends_with_the_connection(publisher, make_data_set, settings):
    (path,) = fetch_data_set(
        make_data_set(publisher.put("/toy/a.bin", CONTENT, length=False)), settings=settings
    )
    assert path.read_bytes() == CONTENT


def test_a_truncated_file_without_length_fails_its_size(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, length=False, breaks_after=[50_000])
    file = dataclasses.replace(file, size=len(CONTENT))
    with pytest.raises(DownloadError, match=r"50,000 bytes came, the catalogue says 200,000"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert files_in(cache) == set()


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_wrong_checksum_leaves_nothing(publisher, cache, make_data_set, settings, algorithm):
    length = {"sha256": 64, "md5": 32}[algorithm]
    file = dataclasses.replace(publisher.put("/toy/a.bin", CONTENT), checksum=f"{algorithm}:{'0' * length}")
    with pytest.raises(DownloadError, match=f"{algorithm} is "):
        fetch_data_set(make_data_set(file), settings=settings)
    assert files_in(cache) == set()
    assert len(publisher.log) == 1  # fetched in one piece: fetching again could not help


def test_404_is_final(publisher, cache, make_data_set, settings):
    file = RemoteFile("a.bin", publisher.url("/not/there"))
    with pytest.raises(DownloadError, match="answered 404 Not Found"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert len(publisher.log) == 1
    assert files_in(cache) == set()


@pytest.mark.parametrize("status", [500, 503, 429, 202])
def test_transient_answers_are_tried_again(publisher, make_data_set, settings, status):
    file = publisher.put("/toy/a.bin", CONTENT, statuses=[status, status])
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert [entry[2] for entry in publisher.log] == [status, status, 200]


def test_a_server_that_keeps_failing_is_given_up(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, statuses=[500] * 9)
    with pytest.raises(DownloadError, match="the server answered 500; 3 attempts"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert len(publisher.log) == 3


def test_retry_after_is_respected(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, statuses=[503], headers={"Retry-After": "1"})
    begin = time.monotonic()
    fetch_data_set(make_data_set(file), settings=settings)
    assert time.monotonic() - begin >= 1.0


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "GMT",
        "xx GMT",
        "-5",
        "1e9",
        "9" * 5000,
        "\u00b2",
        "Fri, 99 Foo 2026 99:99:99 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "",
    ],
)
def test_a_malformed_retry_after_is_no_traceback(publisher, make_data_set, settings, value):
    file = publisher.put("/toy/a.bin", CONTENT, statuses=[503], headers={"Retry-After": value})
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", "\u00b2", "9" * 5000, ""])
def test_an_unusable_content_length_is_compared_with_the_catalogue(
    publisher, make_data_set, settings, length
):
    file = publisher.put("/toy/a.bin", CONTENT[:100], length=False, headers={"Content-Length": length})
    for known in ({"size": len(CONTENT)}, {"about": len(CONTENT)}):
        with pytest.raises(DownloadError, match=r"100 (of|bytes came)"):
            fetch_data_set(make_data_set(dataclasses.replace(file, **known)), settings=settings)
    publisher.items["/toy/a.bin"].content = CONTENT
    for known in ({"size": len(CONTENT)}, {"about": len(CONTENT) + 5000}):
        (path,) = fetch_data_set(make_data_set(dataclasses.replace(file, **known)), settings=settings)
        assert path.read_bytes() == CONTENT


def test_much_less_than_the_catalogue_says_is_refused(publisher, make_data_set, settings):
    file = dataclasses.replace(publisher.put("/toy/a.bin", CONTENT, declares=100), about=len(CONTENT))
    with pytest.raises(DownloadError, match=r"sent 100 bytes, and the catalogue says about"):
        fetch_data_set(make_data_set(file), settings=settings)


def test_waits_grow_and_stay_below_a_minute(publisher, make_data_set, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", waits.append)
    patient = FetchSettings(transfer=TransferSettings(attempts=9, timeout_seconds=2.0, backoff_seconds=1.0))
    file = publisher.put("/toy/a.bin", CONTENT, statuses=[500] * 9)
    with pytest.raises(DownloadError):
        fetch_data_set(make_data_set(file), settings=patient)
    assert len(waits) == 8
    for attempt, wait in enumerate(waits):
        assert wait == pytest.approx(min(2.0**attempt, 60.0), rel=0.26)


def test_redirects_are_followed_and_the_range_goes_along(publisher, make_data_set, settings):
    publisher.put("/real/a.bin", CONTENT, etag='"v1"', breaks_after=[50_000])
    file = publisher.put("/toy/a.bin", b"", redirect=publisher.url("/real/a.bin"))
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log[-1] == ("/real/a.bin", "bytes=50000-", 206)


def test_an_encrypted_url_is_not_redirected_to_a_plain_one():
    import urllib.request

    from cistron.datasets.connection import _SafeRedirects

    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(DownloadError, match="not encrypted"):
        _SafeRedirects().redirect_request(request, None, 302, "Found", {}, "http://example.org/a")


def test_a_slow_server_is_waited_for(publisher, make_data_set):
    # The whole takes longer than the timeout, but no silence does.
    file = publisher.put("/toy/a.bin", CONTENT[:40_000], pause=0.06)
    slow = FetchSettings(transfer=dataclasses.replace(FAST, timeout_seconds=0.4))
    begin = time.monotonic()
    (path,) = fetch_data_set(make_data_set(file), settings=slow)
    assert time.monotonic() - begin > 0.4
    assert path.read_bytes() == CONTENT[:40_000]
    assert len(publisher.log) == 1


def test_a_silent_server_is_left_and_resumed(publisher, make_data_set):
    silent = Item(CONTENT[:40_000], etag='"v1"')
    file = publisher.put("/toy/a.bin", CONTENT[:40_000], etag='"v1"', pause=1.0, then=silent)
    impatient = FetchSettings(transfer=dataclasses.replace(FAST, timeout_seconds=0.2))
    (path,) = fetch_data_set(make_data_set(file), settings=impatient)
    assert path.read_bytes() == CONTENT[:40_000]
    assert publisher.log[1][1] == "bytes=4096-"


def test_no_server_at_all(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT)
    publisher.server.server_close()  # the port answers no more
    with pytest.raises(DownloadError, match="attempts brought nothing new"):
        fetch_data_set(
            make_data_set(dataclasses.replace(file, url="http://127.0.0.1:9/a.bin")), settings=settings
        )


def test_a_part_longer_than_the_file_is_thrown_away(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT[:1000], etag='"v1"')
    folder = cache / "toy"
    folder.mkdir(parents=True)
    (folder / "a.bin.part").write_bytes(noise(5000, seed=7))
    (folder / "a.bin.part.json").write_text(json.dumps({"url": file.url, "etag": '"v1"', "total": None}))
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT[:1000]
    assert [entry[2] for entry in publisher.log] == [416, 200]


@pytest.mark.parametrize("state", [b"", b"{", b"[1]", b"\xff\xfe"])
def test_a_part_with_a_damaged_state_is_not_used(publisher, cache, make_data_set, settings, state):
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"')
    folder = cache / "toy"
    folder.mkdir(parents=True)
    (folder / "a.bin.part").write_bytes(noise(5000, seed=7))
    (folder / "a.bin.part.json").write_bytes(state)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT


def test_a_web_page_is_not_data(publisher, cache, make_data_set, settings):
    file = publisher.put(
        "/toy/a.tsv", b"<html>moved</html>", headers={"Content-Type": "text/html; charset=utf-8"}
    )
    with pytest.raises(DownloadError, match=r"web page instead of a\.tsv"):
        fetch_data_set(make_data_set(file), settings=settings)
    assert files_in(cache) == set()


def test_a_gz_file_must_be_one(publisher, cache, make_data_set, settings):
    good = publisher.put("/toy/a.tsv.gz", gzip.compress(b"gene\tvalue\n"))
    assert fetch_data_set(make_data_set(good), settings=settings)[0].name == "a.tsv.gz"
    bad = publisher.put("/toy/b.tsv.gz", b"we are sorry")
    with pytest.raises(DownloadError, match=r"not a \.gz file"):
        fetch_data_set(make_data_set(bad), settings=settings)
    assert "b.tsv.gz" not in files_in(cache)


def test_an_empty_answer_is_not_a_file(publisher, cache, make_data_set, settings):
    with pytest.raises(DownloadError, match="empty file"):
        fetch_data_set(make_data_set(publisher.put("/toy/a.bin", b"")), settings=settings)
    assert files_in(cache) == set()


def test_content_encoding_is_refused_for_plain_files(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.tsv", gzip.compress(b"x"), headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match="content encoding gzip"):
        fetch_data_set(make_data_set(file), settings=settings)


def test_a_full_disk_is_told_before_the_download(publisher, make_data_set, settings, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DownloadError, match=r"200,000 bytes are to come and the disk has fewer free"):
        fetch_data_set(make_data_set(publisher.put("/toy/a.bin", CONTENT)), settings=settings)


def test_an_interrupt_leaves_a_part_that_is_resumed_and_no_final_file(
    publisher, cache, make_data_set, settings, monkeypatch
):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT, etag='"v1"'))
    advance = transfer.Progress.advance

    def interrupt(self, steps=1, note=None):
        advance(self, steps, note)
        if self.done > 100_000:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transfer.Progress, "advance", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_data_set(data_set, settings=settings)
    kept = (cache / "toy" / "a.bin.part").stat().st_size
    assert 100_000 < kept < len(CONTENT)
    assert files_in(cache) == {"a.bin.part", "a.bin.part.json"}
    publisher.log.clear()
    (path,) = fetch_data_set(data_set, settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log == [("/toy/a.bin", f"bytes={kept}-", 206)]
    assert files_in(cache) == {"a.bin", "a.bin.fetched.json"}


def test_an_interrupt_while_checking_keeps_the_part(publisher, cache, make_data_set, settings, monkeypatch):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT, etag='"v1"'))

    def interrupt(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cistron.datasets.cache.sha256_of", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_data_set(data_set, settings=settings)
    publisher.log.clear()
    (path,) = fetch_data_set(data_set, settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log == []  # nothing had to come again


def test_a_corrupt_cached_file_is_fetched_again(publisher, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=settings)
    path.write_bytes(CONTENT[:-1] + b"!")
    (path,) = fetch_data_set(data_set, settings=settings)
    assert path.read_bytes() == CONTENT
    assert len(publisher.log) == 2


def test_corruption_behind_the_same_size_and_time_is_found_by_verify(publisher, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=settings)
    before = path.stat()
    path.write_bytes(CONTENT[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    fetch_data_set(data_set, settings=settings)
    assert path.read_bytes() != CONTENT
    fetch_data_set(data_set, settings=dataclasses.replace(settings, verify=True))
    assert path.read_bytes() == CONTENT


def test_a_touched_but_whole_file_is_not_fetched_again(publisher, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=settings)
    os.utime(path, ns=(1, 1))
    fetch_data_set(data_set, settings=settings)
    assert len(publisher.log) == 1


def test_a_first_fetch_is_remembered_and_a_change_upstream_is_told(publisher, cache, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=settings)
    path.unlink()
    publisher.put("/toy/a.bin", OTHER)
    with pytest.raises(DownloadError, match=r"a\.bin changed upstream: .* add --accept-change"):
        fetch_data_set(data_set, settings=settings)
    assert files_in(cache) == {"a.bin.fetched.json"}
    (path,) = fetch_data_set(data_set, settings=dataclasses.replace(settings, accept_change=True))
    assert path.read_bytes() == OTHER
    path.unlink()
    assert fetch_data_set(data_set, settings=settings) == [path]


def test_a_published_checksum_wins_over_an_earlier_fetch(publisher, make_data_set, settings):
    file = publisher.put("/toy/a.bin", OTHER)
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    publisher.put("/toy/a.bin", CONTENT)
    newer = make_data_set(dataclasses.replace(file, checksum=sha256(CONTENT)))
    fetch_data_set(newer, settings=dataclasses.replace(settings, verify=True))
    assert path.read_bytes() == CONTENT


def test_an_unwritable_cache_is_an_input_error(publisher, tmp_path, make_data_set, settings, monkeypatch):
    (tmp_path / "a_file").write_text("not a folder")
    monkeypatch.setenv("CISTRON_CACHE", str(tmp_path / "a_file"))
    with pytest.raises(InputError, match=r"cannot write the cache folder .* set CISTRON_CACHE"):
        fetch_data_set(make_data_set(publisher.put("/toy/a.bin", CONTENT)), settings=settings)
    assert publisher.log == []


def test_output_is_used_instead_of_the_cache(publisher, tmp_path, cache, make_data_set, settings):
    data_set = make_data_set(publisher.put("/toy/a.bin", CONTENT))
    (path,) = fetch_data_set(data_set, settings=dataclasses.replace(settings, output=tmp_path / "here"))
    assert path == tmp_path / "here" / "toy" / "a.bin"
    assert not cache.exists()


def start_fetching(file: RemoteFile) -> subprocess.Popen:
    """Fetch one file into the cache of the environment, in a process of its own."""
    program = (
        "from cistron.datasets import *\n"
        f"files = (RemoteFile('a.bin', {file.url!r}),)\n"
        "toy = DataSet(name='toy', title='a', licence=Licence('x', 'y', True), citation='c', homepage='h',"
        " used_by=('t',), files=files)\n"
        "print(fetch_data_set(toy)[0])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_fetch_the_same_file_once(publisher, cache):
    file = publisher.put("/toy/a.bin", CONTENT, pause=0.02)
    processes = [start_fetching(file) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert [output.strip() for output, _ in outputs] == [str(cache / "toy" / "a.bin")] * 2
    assert (cache / "toy" / "a.bin").read_bytes() == CONTENT
    assert len(publisher.log) == 1
    assert files_in(cache) == {"a.bin", "a.bin.fetched.json"}


def test_a_killed_process_leaves_neither_lock_nor_final_file(publisher, cache, make_data_set, settings):
    file = publisher.put("/toy/a.bin", CONTENT, etag='"v1"', pause=0.05)
    process = start_fetching(file)
    part = cache / "toy" / "a.bin.part"
    deadline = time.monotonic() + 30
    while (not part.exists() or part.stat().st_size < 20_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert files_in(cache) == {"a.bin.part", "a.bin.part.json"}
    publisher.items["/toy/a.bin"].pause = 0.0
    (path,) = fetch_data_set(make_data_set(file), settings=settings)
    assert path.read_bytes() == CONTENT
    assert publisher.log[-1][2] == 206
