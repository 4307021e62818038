"""Bring one url into a part file: resume, retries with back-off, timeouts, and no glueing of two versions.

pooch, which cistron uses for hashes and the cache folder, starts every download from zero; files of gigabytes
need more, so this is our own (decision in ``docs/decisions.md``).
"""

import dataclasses
import errno
import http.client
import random
import re
import shutil
import time
import urllib.error
from typing import Any

from cistron.datasets.cache import Place, read_json, write_json
from cistron.datasets.connection import LONGEST_WAIT, TransientError, Version, open_url
from cistron.datasets.records import RemoteFile
from cistron.errors import DownloadError
from cistron.methods import Count, NotNegative, Positive, check_settings
from cistron.runtime import Progress, say

_COMPRESSED = (".gz", ".bgz", ".zip", ".h5ad")
_MAGIC = {
    ".gz": b"\x1f\x8b",
    ".bgz": b"\x1f\x8b",
    ".zip": b"PK",
    ".h5ad": b"\x89HDF",
    ".parquet": b"PAR1",
}


@dataclasses.dataclass(frozen=True)
class TransferSettings:
    """How patient a download is.

    Parameters
    ----------
    attempts
        Connections in a row that may bring nothing new before it gives up.
    timeout_seconds
        Silence after which a connection counts as dead.
    backoff_seconds
        Wait before the second attempt; doubled for each further one, up to a minute.
    chunk_bytes
        Bytes written at a time.
    """

    attempts: Count = 5
    timeout_seconds: Positive = 30.0
    backoff_seconds: NotNegative = 1.0
    chunk_bytes: Count = 1 << 20

    def __post_init__(self) -> None:
        check_settings(self)


def download(file: RemoteFile, url: str, place: Place, settings: TransferSettings) -> int:
    """Bring ``url`` into ``place.part``, continuing an earlier part when it is certainly of the same content.

    Parameters
    ----------
    file
        What the catalogue says; a known size is compared before anything is brought.
    url
        Where to get it.
    place
        Where the part lies.
    settings
        Patience.

    Returns
    -------
    int
        Number of pieces the part was put together from.

    Raises
    ------
    NotThereError
        If the server has no such file.
    DownloadError
        If it could not be brought whole. The part stays, and a later call goes on from it.
    """
    farthest = -1
    failures = 0
    with Progress(f"fetching {file.name}", file.bytes_expected, "bytes") as progress:
        while True:
            try:
                return _attempt(file, url, place, settings, progress)
            except TransientError as trouble:
                reached = place.part.stat().st_size if place.part.exists() else 0
                failures = 1 if reached > farthest else failures + 1
                farthest = max(farthest, reached)
                if failures >= settings.attempts:
                    raise DownloadError(
                        f"{url}: {trouble}; {settings.attempts} attempts brought nothing new. "
                        f"{reached:,} bytes are kept; run the same command again later, or give --mirror"
                    ) from trouble
                wait = min(settings.backoff_seconds * 2 ** (failures - 1), LONGEST_WAIT)
                wait = trouble.wait if trouble.wait is not None else wait * random.uniform(0.75, 1.25)
                say(f"{file.name}: {trouble}; trying again in {wait:.1f} s")
                time.sleep(wait)


def _attempt(file: RemoteFile, url: str, place: Place, settings: TransferSettings, progress: Progress) -> int:
    known, pieces = _known_part(file, url, place)
    offset = place.part.stat().st_size if known is not None else 0
    if known is not None and known.total is not None and offset == known.total:
        return pieces
    headers = {}
    if known is not None and offset:
        headers["Range"] = f"bytes={offset}-"
        if known.validator is not None:
            headers["If-Range"] = known.validator
    try:
        with open_url(url, headers, settings.timeout_seconds) as response:
            version = Version.of(url, response)
            _refuse_wrong_answers(file, url, response, version)
            if response.status == 206 and not _continues(file, response, known, version, offset):
                place.discard_part()
                raise TransientError(
                    "the file changed since the part was fetched; starting from its beginning", wait=0.0
                )
            if response.status != 206:
                offset = pieces = 0
            progress.total = version.total or progress.total
            progress.advance(offset - progress.done)
            # A partial answer may name fewer facts than the first one did.
            _begin(place, known if known is not None and offset else version, offset, pieces + 1)
            _copy(response, place, settings, progress)
    except TransientError as trouble:
        if isinstance(trouble.__cause__, urllib.error.HTTPError) and trouble.__cause__.code == 416:
            place.discard_part()
        raise
    arrived = place.part.stat().st_size
    if version.total is not None and arrived != version.total:
        raise TransientError(f"the connection ended after {arrived:,} of {version.total:,} bytes")
    if arrived == 0:
        place.discard_part()
        raise TransientError("the server sent an empty file")
    _refuse_too_little(file, url, place, version, arrived)
    _refuse_wrong_magic(url, place)
    return pieces + 1


def _known_part(file: RemoteFile, url: str, place: Place) -> tuple[Version | None, int]:
    """The version that an existing part belongs to and its pieces; ``None`` when it cannot be continued safely."""
    state = read_json(place.part_state)
    if not place.part.exists() or state.get("url") != url:
        return None, 0
    known = Version(url, state.get("etag"), state.get("modified"), state.get("total"))
    # Without a validator only a published checksum can tell later whether two versions were glued together.
    unsafe = known.validator is None and file.checksum is None
    if unsafe or (known.total is not None and place.part.stat().st_size > known.total):
        return None, 0
    return known, int(state.get("pieces", 1))


def _continues(file: RemoteFile, response: Any, known: Version | None, version: Version, offset: int) -> bool:
    """Whether a partial answer goes on from the part, and certainly with the same content."""
    starts = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if known is None or starts is None or int(starts[1]) != offset or not known.same_content(version):
        return False
    # A partial answer has to repeat the ETag (RFC 9110, section 15.3.7); one that does not may come from a
    # server that ignores If-Range, and then only a published checksum can tell.
    confirmed = known.validator is not None and known.validator in (version.etag, version.modified)
    return confirmed or file.checksum is not None


def _refuse_wrong_answers(file: RemoteFile, url: str, response: Any, version: Version) -> None:
    if response.headers.get_content_type() == "text/html" and not file.name.endswith((".html", ".htm")):
        raise DownloadError(
            f"{url} answered with a web page instead of {file.name}; open {url} in a browser to see why"
        )
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity" and not file.name.endswith(_COMPRESSED):
        raise DownloadError(
            f"{url} sends {file.name} with content encoding {encoding}, which cannot be checked; use --mirror"
        )
    if file.size is not None and version.total is not None and version.total != file.size:
        raise DownloadError(
            f"{url} offers {version.total:,} bytes, the catalogue says {file.size:,}: changed upstream; "
            "update cistron, or give --mirror with the right version"
        )


def _refuse_too_little(file: RemoteFile, url: str, place: Place, version: Version, arrived: int) -> None:
    """Compare what arrived with the catalogue, because a server's Content-Length may be absent, unusable or wrong."""
    if file.about is None or file.size is not None:
        return  # an exact size is compared when the file is kept
    if version.total is None and arrived < 0.5 * file.about:
        place.discard_part()
        raise TransientError(
            f"the server did not say how much it sends, and {arrived:,} of about {file.about:,} bytes came"
        )
    if arrived < 0.1 * file.about:
        place.discard_part()
        raise DownloadError(
            f"{url} sent {arrived:,} bytes, and the catalogue says about {file.about:,}: this is not {file.name}; open {url} in a browser "
            "to see why, or give --mirror"
        )


def _refuse_wrong_magic(url: str, place: Place) -> None:
    """Raise if the first bytes are not those of the expected file type; an error page must not be cached as data."""
    magic = _MAGIC.get(place.path.suffix)
    with place.part.open("rb") as handle:
        start = handle.read(8)
    if magic is not None and not start.startswith(magic):
        place.discard_part()
        raise DownloadError(
            f"{url} sent something that is not a {place.path.suffix} file (it begins with {start!r})"
        )


def _begin(place: Place, version: Version, offset: int, pieces: int) -> None:
    """Check the disk and write down which version the part belongs to; the two files always go together."""
    if version.total is not None and shutil.disk_usage(place.part.parent).free < version.total - offset:
        raise DownloadError(
            f"{place.path.parent}: {version.total - offset:,} bytes are to come and the disk has fewer free; "
            "make room, or give --output on another disk"
        )
    if offset == 0:
        place.discard_part()
    write_json(place.part_state, {**dataclasses.asdict(version), "pieces": pieces})


def _copy(response: Any, place: Place, settings: TransferSettings, progress: Progress) -> None:
    """Append what the server sends to the part."""
    with place.part.open("ab") as handle:
        while True:
            try:
                chunk = response.read1(settings.chunk_bytes)
            except (http.client.HTTPException, OSError) as error:
                raise TransientError(str(error) or type(error).__name__) from error
            if not chunk:
                return
            try:
                handle.write(chunk)
                handle.flush()
            except OSError as error:
                text = "the disk is full" if error.errno == errno.ENOSPC else str(error)
                raise DownloadError(f"cannot write {place.part}: {text}; the part is kept") from error
            progress.advance(len(chunk))
