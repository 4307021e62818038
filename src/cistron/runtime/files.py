"""Files that appear whole or not at all, and folders that replace nothing but what cistron wrote."""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cistron.errors import InputError
from cistron.runtime.cloud import cloud_url, fingerprint

RECORD = "run.json"  # record of a run, inside a folder that it wrote
MARKER = "cistron.json"  # marker of a folder that has no other
_RECORD_SCHEMA = "cistron.run"
_LOG_SUFFIXES = (".log.csv", ".run.json")
# New files and folders that this process gave their names, so that a run that fails can take them back.
written: list[Path] = []
_hashes: dict[tuple[str, int, int, int], str] = {}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Read once, while there is one thread: the umask can be read only by changing it.
_FILE_MODE = 0o666 & ~_umask()


def destination_of(path: str | Path) -> Path:
    """Absolute path that an output is written to: links are followed, so that the link itself stays.

    Parameters
    ----------
    path
        Output as it was given.
    """
    return Path(os.path.realpath(path))


def require_ordinary(path: str | Path) -> None:
    """Raise where a path is a pipe, a socket or a device, which cannot be read twice or replaced by a finished file.

    Raises
    ------
    InputError
        Naming the path.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path} is a pipe or a device; give the path of an ordinary file or folder")


def check_writable(path: str | Path) -> Path:
    """Make the parent folder of ``path`` and prove that a file can be written there.

    Long work calls this first, so that an unwritable output is reported before the work and not after it.

    Parameters
    ----------
    path
        File or folder that will be written later.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    path = Path(path)
    place = destination_of(path)
    probe = place.parent / f".{place.name}.partial-{os.getpid()}-probe"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
        with probe.open("wb") as handle:
            handle.write(b"\0")
        probe.unlink()
    except OSError as error:
        _forget(probe)
        raise InputError(cannot_write(path, error)) from error
    return path


def _forget(path: Path) -> None:
    """Remove a file and ignore failures, so that the error that led here is the one reported."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def cannot_write(path: str | Path, error: OSError) -> str:
    """Say in one line why ``path`` cannot be written and what to do."""
    remedy = {
        errno.ENOSPC: "make room or choose an --output on another disk",
        errno.EDQUOT: "make room or choose an --output on another disk",
        errno.EBUSY: "the folder is in use, for example as a mount point; choose a folder inside it",
    }.get(error.errno or 0, "choose an --output in a folder you may write to")
    reason = error.strerror or str(error)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        reason = "a part of this path is a file and no folder"
    return f"cannot write {path}: {reason}; {remedy}"


def require_space(path: str | Path, size: int) -> None:
    """Raise before a library is asked to write ``size`` bytes that the disk of ``path`` has no room for.

    HDF5 ends the process when it cannot write out what it holds, so its errors cannot be caught after the fact.

    Parameters
    ----------
    path
        File that will be written; its folder exists.
    size
        Bytes that it will take, about.

    Raises
    ------
    OSError
        ``ENOSPC``, if there is not enough room.
    """
    if shutil.disk_usage(Path(path).parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _partial(destination: Path) -> Path:
    # The suffix is kept, because several writers (matplotlib, pandas) choose the format by it.
    return destination.parent / f".{destination.stem}.partial-{os.getpid()}{destination.suffix}"


@contextmanager
def atomic_path(destination: str | Path, check: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``destination`` that is renamed on success and removed on failure.

    Parameters
    ----------
    destination
        Final path of the file; a link is followed. Its folder is made when absent.
    check
        Reads the finished file before it gets its name and raises where it is not whole. For writers that tell of no
        error; an empty file is refused in any case.

    Yields
    ------
    Path
        Temporary path with the same suffix, in the same folder.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    OSError
        If the disk is full.
    """
    given, destination = destination, destination_of(check_writable(destination))
    if destination.is_dir():
        raise InputError(f"cannot write {given}: it is a folder; give the path of a file")
    partial = _partial(destination)
    try:
        yield partial
        if not partial.stat().st_size:
            raise OSError(errno.ENOSPC, "nothing could be written (is the disk full?)", str(given))
        if check is not None:
            check(partial)
        _to_disk(partial)
        os.chmod(partial, _FILE_MODE)  # some writers make files that nobody else may read
        _rename(partial, destination)
    finally:
        _forget(partial)


def _rename(finished: Path, destination: Path) -> None:
    new = not destination.exists()
    os.replace(finished, destination)
    if new:
        written.append(destination)


def _to_disk(path: Path) -> None:
    """Wait until a file is on the disk: some file systems tell of a full disk only then."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without it
            raise
    finally:
        os.close(descriptor)


@contextmanager
def atomic_directory(destination: str | Path, kind: str = "folder") -> Iterator[Path]:
    """Like :func:`atomic_path` for a folder (a zarr store, a model).

    An existing folder is replaced at the end, where it is empty or cistron wrote it and it is of the same kind. Files in it
    that cistron did not write are kept.

    Parameters
    ----------
    destination
        Final path of the folder; a link is followed.
    kind
        What the folder holds; for folders that bear no marker of their own (a zarr store and a model do).

    Yields
    ------
    Path
        An empty temporary folder beside it.

    Raises
    ------
    InputError
        If the folder cannot be written to, or holds what cistron did not write.
    """
    given, destination = destination, destination_of(check_writable(destination))
    if destination.is_file():
        raise InputError(f"cannot write {given}: it is a file; give the path of a folder")
    require_own_folder(destination, given)
    partial = _partial(destination)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        yield partial
        if folder_kind(partial) is None:
            (partial / MARKER).write_text(json.dumps({"schema": "cistron.folder", "kind": kind}) + "\n")
        for path in sorted(partial.rglob("*")):
            if path.is_file():
                os.chmod(path, _FILE_MODE)
        replace_directory(partial, destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_directory(finished: Path, destination: Path) -> None:
    """Rename a finished folder to its final name; files in an older folder there that cistron did not write are kept.

    Parameters
    ----------
    finished
        The new folder, beside ``destination``.
    destination
        Final path, as of :func:`destination_of`.

    Raises
    ------
    InputError
        If the older folder is of another kind, or not cistron's.
    """
    if not destination.exists() or not any(destination.iterdir()):
        if destination.exists():
            destination.rmdir()
        _rename(finished, destination)
        return
    require_own_folder(destination, destination, folder_kind(finished))
    own = owned_files(destination)
    replaced = destination.parent / f".{destination.name}.partial-{os.getpid()}-replaced"
    os.replace(destination, replaced)
    try:
        os.replace(finished, destination)
    except OSError:
        os.replace(replaced, destination)
        raise
    for entry in sorted(replaced.iterdir()):
        if entry.name not in own and not (destination / entry.name).exists():
            os.replace(entry, destination / entry.name)
    shutil.rmtree(replaced, ignore_errors=True)


def _json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def folder_kind(folder: Path) -> str | None:
    """What a folder that cistron wrote holds, by its own marker; ``None`` where cistron did not write it.

    Parameters
    ----------
    folder
        Any folder: of a model, a zarr store, results, a planted world.
    """
    store = _json_object(folder / "zarr.json").get("attributes", {})
    if isinstance(store, dict) and isinstance(store.get("cistron"), dict):
        return f"store of {store['cistron'].get('kind', 'arrays')}"
    for name in ("model.json", "settings.json", MARKER):
        document = _json_object(folder / name)
        if str(document.get("schema", "")).startswith("cistron"):
            return str(document.get("kind", document["schema"]))
    record = _json_object(folder / RECORD)
    return str(record.get("command")) if record.get("schema") == _RECORD_SCHEMA else None


def owned_files(folder: Path) -> set[str]:
    """Names at the top of a folder that cistron wrote there, as its record tells."""
    record = _json_object(record_path(folder))
    listed = {str(name).split("/")[0] for name in record.get("output", {}).get("files", {})}
    logs = {entry.name for entry in folder.iterdir() if entry.name.endswith(_LOG_SUFFIXES)}
    arrays = {entry.name for entry in folder.iterdir() if (entry / "zarr.json").exists()}
    return listed | logs | arrays | {RECORD, MARKER, "zarr.json"}


def require_own_folder(folder: Path, given: str | Path, kind: str | None = None) -> None:
    """Raise where a folder holds anything and is not one that cistron wrote, or is one of another kind.

    Parameters
    ----------
    folder
        Folder that would be replaced.
    given
        Its path as the user gave it, for the message.
    kind
        Kind that it must be of; any when absent.

    Raises
    ------
    InputError
        Naming an entry that would be lost.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    found = folder_kind(folder)
    if found is None:
        example = sorted(entry.name for entry in folder.iterdir())[0]
        raise InputError(
            f"{given} is a folder that cistron did not write (it holds {example}); give another --output, or an empty folder"
        )
    if kind is not None and kind != found:
        raise InputError(f"{given} holds another kind of result ({found}, not {kind}); give another --output")


def record_path(output: str | Path) -> Path:
    """Where the record of the run that wrote ``output`` is: inside a folder, beside a file or a zarr store.

    Parameters
    ----------
    output
        File or folder, which may be absent yet: a path without a suffix is then taken for a folder.
    """
    output = destination_of(output)
    inside = output.is_dir() if output.exists() else not output.suffix
    if inside and not (output / "zarr.json").exists() and output.suffix != ".zarr":
        return output / RECORD
    return output.with_name(f"{output.name}.{RECORD}")


def sha256_of(path: str | Path, chunk_bytes: int = 1 << 20) -> str:
    """Hexadecimal SHA-256 of a file, or of a folder's sorted relative names and contents.

    Records of runs and training logs in a folder do not count: they differ between equal results. A file that did not change
    is read once in a process. Of a file in the cloud it is that of its name, size and version (:func:`cistron.runtime.cloud.fingerprint`).
    """
    url = cloud_url(path)
    if url is not None:
        return fingerprint(url)
    path = Path(path)
    if not path.is_dir():
        return _file_hash(path, chunk_bytes)
    digest = hashlib.sha256()
    for member in sorted(member for member in path.rglob("*") if member.is_file()):
        if member.name != RECORD and not member.name.endswith(_LOG_SUFFIXES):
            digest.update(member.relative_to(path).as_posix().encode())
            digest.update(_file_hash(member, chunk_bytes).encode())
    return digest.hexdigest()


def _file_hash(path: Path, chunk_bytes: int) -> str:
    state = path.stat()
    key = (os.path.realpath(path), state.st_size, state.st_mtime_ns, state.st_ino)
    if key in _hashes:
        return _hashes[key]
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(chunk_bytes):
            digest.update(chunk)
    # Clocks of file systems are coarse: a file that changed just now may change again and look the same.
    if time.time_ns() - state.st_mtime_ns > 2_000_000_000:
        _hashes[key] = digest.hexdigest()
    return digest.hexdigest()
