"""FASTA that was packed with gzip, bzip2, xz or Zstandard, unpacked once so that it can be read from the middle."""

import hashlib
import io
import os
import shutil
from pathlib import Path

from cistron.runtime import atomic_path, say
from cistron.runtime.text_files import CHUNK, CheckedText, plain_name

_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_COARSE = 2_000_000_000  # nanoseconds, to which the times of some file systems are rounded


def is_packed(head: bytes) -> bool:
    """Tell by the first 14 bytes of a file whether it is packed in a form that cannot be read from the middle."""
    return head.startswith(_MAGIC) and not (head.startswith(b"\x1f\x8b") and head[12:14] == b"BC")


def unpacked_file(path: Path) -> Path:
    """Give the unpacked copy of a packed FASTA; it is made where there is none yet.

    The copy of ``hg38.fa.gz`` is ``hg38.unpacked.fa`` beside it or, where that folder cannot be written, in the cache folder
    (``CISTRON_CACHE``). It bears the time of the packed file, by which a later change of that file is seen.

    Parameters
    ----------
    path
        Packed file.

    Returns
    -------
    Path
        The copy.

    Raises
    ------
    InputError
        If the file is damaged or no text.
    OSError
        If the disk is full.
    """
    time = path.stat().st_mtime_ns
    name = Path(plain_name(path))
    beside = path.with_name(f"{name.stem}.unpacked{name.suffix or '.fa'}")
    place = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:12]
    folders = (beside.parent, _cache() / "unpacked" / place)
    for folder in folders:
        copy = folder / beside.name
        if copy.exists() and abs(copy.stat().st_mtime_ns - time) < _COARSE:
            return copy
    # what bears the name of the copy beside and another time may be anybody's
    usable = [
        folder
        for folder in folders
        if folder != beside.parent or (os.access(folder, os.W_OK) and not beside.exists())
    ]
    copy = usable[0] / beside.name
    say(f"{path.name} cannot be read from the middle; it is unpacked once into {copy} (bgzip needs no copy)")
    with CheckedText(path, "genome") as checked, atomic_path(copy) as partial:
        with partial.open("wb") as handle:
            shutil.copyfileobj(io.BufferedReader(checked, CHUNK), handle, CHUNK)
        os.utime(partial, ns=(time, time))
    return copy


def _cache() -> Path:
    configured = os.environ.get("CISTRON_CACHE")
    if configured:
        return Path(configured).expanduser()
    import pooch

    return Path(pooch.os_cache("cistron"))
