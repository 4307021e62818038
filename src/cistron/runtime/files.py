"""Files that appear whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cistron.errors import InputError


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
    probe = path.parent / f".{path.name}.partial-{os.getpid()}-probe"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; choose an --output in a folder you may write to"
        ) from error
    return path


def _partial(destination: Path) -> Path:
    # The suffix is kept, because several writers (matplotlib, pandas) choose the format by it.
    return destination.parent / f".{destination.stem}.partial-{os.getpid()}{destination.suffix}"


@contextmanager
def atomic_path(destination: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``destination`` that is renamed on success and removed on failure.

    Parameters
    ----------
    destination
        Final path of the file. Its folder is made when absent.

    Yields
    ------
    Path
        Temporary path with the same suffix, in the same folder.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    destination = check_writable(destination)
    if destination.is_dir():
        raise InputError(f"cannot write {destination}: it is a folder; give the path of a file")
    partial = _partial(destination)
    try:
        yield partial
        os.replace(partial, destination)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_directory(destination: str | Path) -> Iterator[Path]:
    """Like :func:`atomic_path` for a folder (a zarr store, a model). An existing folder is replaced at the end.

    Parameters
    ----------
    destination
        Final path of the folder.

    Yields
    ------
    Path
        An empty temporary folder beside it.
    """
    destination = check_writable(destination)
    if destination.is_file():
        raise InputError(f"cannot write {destination}: it is a file; give the path of a folder")
    partial = _partial(destination)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    replaced = destination.parent / f".{destination.name}.partial-{os.getpid()}-replaced"
    try:
        yield partial
        if destination.exists():
            os.replace(destination, replaced)
        try:
            os.replace(partial, destination)
        except OSError:
            if replaced.exists():
                os.replace(replaced, destination)
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def sha256_of(path: str | Path, chunk_bytes: int = 1 << 20) -> str:
    """Hexadecimal SHA-256 of a file, or of a folder's sorted relative names and contents."""
    path = Path(path)
    digest = hashlib.sha256()
    members = sorted(member for member in path.rglob("*") if member.is_file()) if path.is_dir() else [path]
    for member in members:
        if member != path:
            digest.update(member.relative_to(path).as_posix().encode())
        with member.open("rb") as handle:
            while chunk := handle.read(chunk_bytes):
                digest.update(chunk)
    return digest.hexdigest()
