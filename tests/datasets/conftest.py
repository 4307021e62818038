"""A real HTTP server on the loopback interface that misbehaves to order."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cistron.datasets import DataSet, FetchSettings, Licence, RemoteFile, TransferSettings

FAST = TransferSettings(attempts=3, timeout_seconds=2.0, backoff_seconds=0.01, chunk_bytes=4096)
FREE = Licence("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", True)


def noise(size: int, seed: int = 0) -> bytes:
    """Reproducible bytes that do not repeat."""
    blocks = (hashlib.sha256(f"{seed}-{block}".encode()).digest() for block in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def sha256(content: bytes) -> str:
    """Checksum in the form of the catalogue."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Item:
    """What the server does for one path. Lists are used up one element a request, then the normal case holds."""

    content: bytes = b""
    etag: str | None = None
    modified: str | None = None
    ranges: bool = True
    honours_if_range: bool = True
    declares: int | None = None  # a Content-Length that is not true
    length: bool = True  # False: no Content-Length at all
    breaks_after: list[int | None] = field(default_factory=list)  # bytes after which the connection is cut
    statuses: list[int] = field(default_factory=list)  # answers before the file is given
    headers: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None
    pause: float = 0.0  # seconds between slices of 4 kB
    then: "Item | None" = None  # what the path becomes after its first whole or cut answer


class Publisher:
    """The server, its paths, and a log of (path, Range header, status)."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.log: list[tuple[str, str | None, int]] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                """Nothing on the terminal."""

            def do_GET(self) -> None:
                self.close_connection = True
                with contextlib.suppress(ConnectionError):
                    publisher.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def url(self, path: str) -> str:
        """Url of a path."""
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def put(self, path: str, content: bytes, **options: object) -> RemoteFile:
        """Publish ``content`` and give the record that a catalogue would have for it, without size or checksum."""
        self.items[path] = Item(content, **options)
        return RemoteFile(path.rsplit("/", 1)[-1], self.url(path))

    def close(self) -> None:
        """Stop and wait for the thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one GET as the item of the path says."""
        wanted = request.headers.get("Range")
        item = self.items.get(request.path)
        status = 404 if item is None else (item.statuses.pop(0) if item.statuses else 200)
        if item is None or status != 200 or item.redirect is not None:
            status = 302 if status == 200 else status
            self.log.append((request.path, wanted, status))
            request.send_response(status)
            if item is not None and item.redirect is not None:
                request.send_header("Location", item.redirect)
            for key, value in (item.headers if item is not None else {}).items():
                request.send_header(key, value)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start = self._start(request, item, wanted)
        if start is not None and start >= len(item.content):
            self.log.append((request.path, wanted, 416))
            request.send_response(416)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        body = item.content[start or 0 :]
        self.log.append((request.path, wanted, 200 if start is None else 206))
        request.send_response(200 if start is None else 206)
        if start is not None:
            last = len(item.content) - 1
            request.send_header("Content-Range", f"bytes {start}-{last}/{len(item.content)}")
        if item.length:
            request.send_header("Content-Length", str(len(body) if item.declares is None else item.declares))
        for key, value in (("ETag", item.etag), ("Last-Modified", item.modified), *item.headers.items()):
            if value is not None:
                request.send_header(key, value)
        request.end_headers()
        cut = item.breaks_after.pop(0) if item.breaks_after else None
        if item.then is not None:
            self.items[request.path] = item.then
        for begin in range(0, len(body if cut is None else body[:cut]), 4096):
            request.wfile.write((body if cut is None else body[:cut])[begin : begin + 4096])
            request.wfile.flush()
            time.sleep(item.pause)

    @staticmethod
    def _start(request: BaseHTTPRequestHandler, item: Item, wanted: str | None) -> int | None:
        if wanted is None or not item.ranges:
            return None
        condition = request.headers.get("If-Range")
        if item.honours_if_range and condition is not None and condition not in (item.etag, item.modified):
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A running server."""
    server = Publisher()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own; no mirror, network allowed (loopback only)."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CISTRON_CACHE", str(folder))
    for name in (
        "CISTRON_MIRROR",
        "CISTRON_OFFLINE",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def make_data_set() -> Callable[..., DataSet]:
    """Build a data set from files; other fields are plausible."""

    def _make(*files: RemoteFile, **options: object) -> DataSet:
        fields: dict = {
            "name": "toy",
            "title": "a toy",
            "licence": FREE,
            "citation": "nobody",
            "homepage": "https://example.org",
            "used_by": ("tests",),
        }
        return DataSet(files=files, **{**fields, **options})

    return _make


@pytest.fixture
def settings() -> FetchSettings:
    """Settings that do not wait long."""
    return FetchSettings(transfer=FAST)
