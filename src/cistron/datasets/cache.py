"""Where fetched files lie, what was recorded about them, and one writer at a time.

The layout is ``ROOT/DATA_SET/FILE`` with, beside each file, ``FILE.fetched.json`` (url, size, SHA-256, date). A
download under way is ``FILE.part`` with ``FILE.part.json``. A cache folder is itself a valid mirror.
"""

import dataclasses
import errno
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pooch

from cistron.datasets.records import DataSet, RemoteFile
from cistron.errors import DownloadError, InputError
from cistron.runtime import atomic_path, check_writable, say, sha256_of


def cache_root(output: str | Path | None = None) -> Path:
    """Folder of the cache: ``output``, else ``CISTRON_CACHE``, else the platform's cache folder."""
    if output is not None:
        return Path(output)
    configured = os.environ.get("CISTRON_CACHE")
    return Path(configured).expanduser() if configured else Path(pooch.os_cache("cistron"))


@dataclasses.dataclass(frozen=True)
class Place:
    """The paths of one file in a cache."""

    path: Path

    @classmethod
    def of(cls, root: Path, data_set: DataSet, file: RemoteFile) -> "Place":
        """Place of ``file`` under ``root``.

        Parameters
        ----------
        root
            Folder of the cache.
        data_set
            Data set that the file belongs to.
        file
            The file.
        """
        return cls(root / data_set.name / file.name)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    @property
    def part(self) -> Path:
        """What has arrived so far."""
        return self._beside(".part")

    @property
    def part_state(self) -> Path:
        """Which version of which url ``part`` belongs to."""
        return self._beside(".part.json")

    @property
    def record(self) -> Path:
        """What was recorded when the file was complete."""
        return self._beside(".fetched.json")

    def prepare(self) -> None:
        """Make the folder and prove that it can be written.

        Raises
        ------
        InputError
            If it cannot.
        """
        try:
            check_writable(self.path)
        except InputError as error:
            raise InputError(
                f"cannot write the cache folder {self.path.parent}; set CISTRON_CACHE or give --output with a folder you may write to"
            ) from error

    def discard_part(self) -> None:
        """Forget an unfinished download."""
        self.part.unlink(missing_ok=True)
        self.part_state.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Read a small JSON object; one that is absent or damaged counts as empty."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON object, whole or not at all."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def check_content(path: Path, file: RemoteFile) -> str:
    """Compare a complete file with the catalogue.

    Parameters
    ----------
    path
        Complete file.
    file
        What the catalogue says.

    Returns
    -------
    str
        Its SHA-256, hexadecimal.

    Raises
    ------
    DownloadError
        If size or checksum differ.
    """
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise DownloadError(
            f"{file.name}: {size:,} bytes came, the catalogue says {file.size:,}; the file is damaged or changed upstream"
        )
    sha256 = sha256_of(path)
    if file.checksum is not None:
        algorithm, expected = file.checksum.split(":")
        found = sha256 if algorithm == "sha256" else pooch.file_hash(str(path), alg=algorithm)
        if found != expected:
            raise DownloadError(
                f"{file.name}: {algorithm} is {found}, the catalogue says {expected}; the file is damaged or changed upstream"
            )
    return sha256


def keep(place: Place, file: RemoteFile, source: str, arrived: Path, *, accept_change: bool) -> None:
    """Check a complete file, record it and give it its final name.

    Parameters
    ----------
    place
        Where it goes.
    file
        What the catalogue says.
    source
        Url or path it came from.
    arrived
        The complete file, in the folder of ``place``; it is renamed.
    accept_change
        Accept content that differs from an earlier fetch of a file without a published checksum.

    Raises
    ------
    DownloadError
        If the content is not what the catalogue or an earlier fetch says.
    """
    sha256 = check_content(arrived, file)
    earlier = read_json(place.record)
    if file.checksum is None and not accept_change and earlier.get("sha256", sha256) != sha256:
        raise DownloadError(
            f"{file.name} changed upstream: its SHA-256 is {sha256}, on {earlier.get('fetched', 'an earlier day')} it was "
            f"{earlier['sha256']}; add --accept-change if that is expected"
        )
    status = arrived.stat()
    record = {
        "name": file.name,
        "source": source,
        "size": status.st_size,
        "sha256": sha256,
        "checked_by": file.checked_by,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "modified_ns": status.st_mtime_ns,
    }
    with arrived.open("rb") as handle:  # on disk before it gets its name
        os.fsync(handle.fileno())
    write_json(place.record, record)
    os.replace(arrived, place.path)


def problem_with_cached(place: Place, file: RemoteFile, *, verify: bool) -> str | None:
    """Tell what is wrong with a cached file; ``None`` when nothing is, or when there is none.

    A file whose size and time are those recorded is trusted, because hashing gigabytes on each use is not free;
    ``verify`` hashes it all the same.

    Parameters
    ----------
    place
        Where the file lies.
    file
        What is known of it: size and hash.
    verify
        Hash the file even if its size and time are those recorded.
    """
    record = read_json(place.record)
    status = place.path.stat()
    unchanged = record.get("size") == status.st_size and record.get("modified_ns") == status.st_mtime_ns
    if unchanged and not verify:
        return None
    try:
        sha256 = check_content(place.path, file)
    except DownloadError as error:
        return str(error)
    if file.checksum is None and record.get("sha256", sha256) != sha256:
        return f"{file.name} is not what was fetched on {record.get('fetched', 'an earlier day')}"
    if not unchanged:
        write_json(
            place.record,
            {**record, "size": status.st_size, "sha256": sha256, "modified_ns": status.st_mtime_ns},
        )
    return None


def _try_lock(handle: Any) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        say(f"{handle.name}: this disk has no file locks; do not fetch the same file from two processes")
    return True


@contextmanager
def one_writer(place: Place, wait_seconds: float = 0.2) -> Iterator[None]:
    """Let one process at a time fetch a file; others wait, then find it finished. A lock dies with its process."""
    place.prepare()
    with place.path.with_name(f".{place.path.name}.lock").open("a+b") as handle:
        told = False
        while not _try_lock(handle):
            if not told:
                say(f"{place.path.name}: another process is fetching it; waiting")
                told = True
            time.sleep(wait_seconds)
        yield
