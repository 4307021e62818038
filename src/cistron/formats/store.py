"""What all zarr stores of cistron have in common: a record of the files that belong to one, and how it is opened.

A chunk that a zarr store lacks reads as its fill value, so a store that lost one in copying looks whole. Therefore a
finished store records the names and sizes of its files in an attribute, and opening compares them with what is there.
Chunks bear checksums (of Zstandard frames), so that a changed byte is noticed when the chunk is read.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from cistron.errors import InputError
from cistron.runtime import say, track

RECORD = "files"  # attribute with the names and sizes of the files
CHECKED = ZstdCodec(level=0, checksum=True)  # compressor of all arrays
_COPY_AGAIN = "copy the whole folder again, or build it again"


@contextmanager
def _damage(path: Path, part: str) -> Iterator[None]:
    """Turn what zarr raises on a damaged store into an :class:`InputError` that names the store and the part."""
    try:
        yield
    except (InputError, IndexError):
        raise
    # damaged metadata and chunks make zarr and its codecs raise nearly anything
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{path.name}: {part} is damaged or missing ({reason}); {_COPY_AGAIN}") from error


class StoredArray:
    """An array on disk, read and written by indexing; a damaged chunk is an :class:`InputError` that names the array.

    Parameters
    ----------
    array
        Array of a zarr store.
    path
        Folder of the store, for messages.
    """

    def __init__(self, array: zarr.Array, path: Path) -> None:
        self.array, self._path = array, path
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, where: Any) -> np.ndarray:
        with _damage(self._path, f"array {self.array.basename}"):
            return np.asarray(self.array[where])

    def __setitem__(self, where: Any, values: Any) -> None:
        self.array[where] = values

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Read rows of the first axis, int64 [row], each of them once from disk."""
        with _damage(self._path, f"array {self.array.basename}"):
            return np.asarray(self.array.oindex[rows])


def open_store(path: str | Path, what: str, *, writable: bool = False) -> zarr.Group:
    """Open the root of a store and check that all files that belong to it are there.

    Parameters
    ----------
    path
        Folder.
    what
        What it should be, for messages (``a tracks store``).
    writable
        Whether it will be written to.

    Returns
    -------
    Group
        Its root.

    Raises
    ------
    InputError
        If it is no store, its root is damaged, or a file of it is missing or of another size.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} is a file; expected the folder of {what}")
    if not (path / "zarr.json").is_file():
        raise InputError(f"{path} is not {what}: it holds no zarr.json; if it was one, {_COPY_AGAIN}")
    with _damage(path, "zarr.json"):
        root = zarr.open_group(str(path), mode="r+" if writable else "r")
        attributes = dict(root.attrs)
    require_whole(path, attributes)
    return root


def attribute(root: zarr.Group, path: Path, name: str, kind: type, what: str) -> Any:
    """Give an attribute of a store's root.

    Parameters
    ----------
    root
        Open root.
    path
        Its folder, for messages.
    name
        Name of the attribute.
    kind
        Type that it must have.
    what
        What the store should be, for messages.

    Raises
    ------
    InputError
        If it is absent or of another type.
    """
    if name not in root.attrs:
        raise InputError(f"{path} is not {what}: it has no attribute {name!r}")
    value = root.attrs[name]
    if not isinstance(value, kind):
        raise InputError(f"{path} is not {what}: its attribute {name!r} is damaged")
    return value


def stored_array(root: zarr.Group, path: Path, name: str, kinds: str, axes: int, what: str) -> StoredArray:
    """Give an array of a store.

    Parameters
    ----------
    root
        Open root.
    path
        Its folder, for messages.
    name
        Name of the array.
    kinds
        Kinds of its dtype, as of ``numpy.dtype.kind`` (``f``, ``b``).
    axes
        Number of its axes.
    what
        What the store should be, for messages.

    Raises
    ------
    InputError
        If it is absent, damaged, or of another dtype or number of axes.
    """
    with _damage(path, f"array {name}"):
        found = root.get(name)
    if found is None:
        raise InputError(f"{path} is not {what}: it has no array {name!r}; if it had one, {_COPY_AGAIN}")
    if not isinstance(found, zarr.Array) or found.dtype.kind not in kinds or found.ndim != axes:
        given = f"{found.dtype} with {found.ndim} axes" if isinstance(found, zarr.Array) else "no array"
        raise InputError(f"{path} is not {what}: {name!r} is {given}; it is damaged, {_COPY_AGAIN}")
    with _damage(path, f"array {name}"):
        lacking = 0 if RECORD in root.attrs else found.nchunks - found.nchunks_initialized
        zero = np.ndim(found.fill_value) == 0 and found.fill_value == 0
    if lacking and zero:
        say(
            f"{path.name} was written before stores recorded their files and lacks {lacking:,} of {found.nchunks:,} parts of {name}, "
            f"which are read as 0; if it is a copy, {_COPY_AGAIN}"
        )
    return StoredArray(found, path)


def _files(path: Path) -> dict[str, int]:
    """Names and sizes of the files of all arrays of a store."""
    found = {}
    for array in sorted(path.iterdir()):
        if (array / "zarr.json").is_file() or (array / "c").is_dir():
            found[f"{array.name}/zarr.json"] = _size(array / "zarr.json")
            chunks = (file for file in (array / "c").rglob("*") if file.name.isdigit() and file.is_file())
            found |= {file.relative_to(path).as_posix(): file.stat().st_size for file in chunks}
            if (array / "c").is_file():  # an array without axes
                found[f"{array.name}/c"] = _size(array / "c")
    return {name: size for name, size in sorted(found.items()) if size >= 0}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def seal_store(path: str | Path) -> None:
    """Record names and sizes of the files of a finished store in its root; from then on opening checks them.

    The record is text, a line ``NAME SIZE`` per file, compressed by zlib and written in base64 in the attribute ``files``.

    Parameters
    ----------
    path
        Folder of the store.
    """
    path = Path(path)
    lines = "".join(f"{name} {size}\n" for name, size in _files(path).items())
    root = zarr.open_group(str(path), mode="r+")
    root.attrs[RECORD] = base64.b64encode(zlib.compress(lines.encode(), 9)).decode()


def _recorded(path: Path, attributes: Mapping[str, Any]) -> dict[str, int] | None:
    """Names and sizes as the store records them; ``None`` where it was written before stores did."""
    if RECORD not in attributes:
        return None
    try:
        text = zlib.decompress(base64.b64decode(attributes[RECORD], validate=True)).decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines())
        return {name: int(size) for name, size in pairs}
    except (ValueError, TypeError, zlib.error) as error:
        raise InputError(
            f"{path.name}: the record of its files in zarr.json is damaged; {_COPY_AGAIN}"
        ) from error


def require_whole(path: Path, attributes: Mapping[str, Any]) -> None:
    """Raise where a store lacks a file, or has one of another size or one more than it was written with.

    Parameters
    ----------
    path
        Folder of the store.
    attributes
        Attributes of its root.

    Raises
    ------
    InputError
        Naming the first part that is not as it was written.
    """
    recorded, found = _recorded(path, attributes), _files(path)
    if recorded is None:
        return
    missing = [name for name in recorded if name not in found]
    other = [name for name in recorded if name in found and found[name] != recorded[name]]
    more = [name for name in found if name not in recorded]
    if not missing and not other and not more:
        return
    problems = []
    if missing:
        problems.append(f"{len(missing):,} of {len(recorded):,} files are missing, for example {missing[0]}")
    if other:
        problems.append(
            f"{other[0]} has {found[other[0]]:,} bytes, not {recorded[other[0]]:,}"
            + (f" (and {len(other) - 1:,} more)" if len(other) > 1 else "")
        )
    if more:
        problems.append(
            f"{more[0]} does not belong to it" + (f" (and {len(more) - 1:,} more)" if len(more) > 1 else "")
        )
    raise InputError(f"store {path.name} is not whole: {'; '.join(problems)}; {_COPY_AGAIN}")


def check_store(path: str | Path, *, verify: bool = False) -> tuple[int, int]:
    """Check that a store is whole.

    Parameters
    ----------
    path
        Folder of a store of any kind that cistron writes.
    verify
        Read every chunk, too, and compare it with its checksum.

    Returns
    -------
    files, bytes
        How many files belong to it, and their size.

    Raises
    ------
    InputError
        If it is no store of cistron, is not whole, or a chunk is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"store {path} does not exist")
    root = open_store(path, "a store of cistron")
    attributes = dict(root.attrs)
    header = attribute(root, path, "cistron", Mapping, "a store of cistron")
    files = _recorded(path, attributes)
    if files is None:
        say(
            f"{path.name} was written before stores recorded their files; whether some are missing cannot be told"
        )
        files = _files(path)
    if verify:
        names = [name for name in files if not name.endswith("/zarr.json")]
        for name in track(names, f"reading {path.name} ({header.get('kind')})", unit="files"):
            _verify_chunk(root, path, name)
    return len(files), sum(files.values())


def _verify_chunk(root: zarr.Group, path: Path, name: str) -> None:
    array, _, place = name.partition("/c")
    with _damage(path, name):
        stored = root[array]
        if not isinstance(stored, zarr.Array):
            raise TypeError("no array")
        numbers = [int(number) for number in place.split("/") if number]
        sizes = stored.shards or stored.chunks  # a file holds a shard, where there are any
        stored[tuple(slice(n * size, (n + 1) * size) for n, size in zip(numbers, sizes, strict=True))]
