"""Arrays of an ``.npz``, without unpickling and without taking memory for what is not stored."""

import math
import zipfile
from pathlib import Path

import numpy as np

from cistron.errors import InputError

_MOST_PACKED = 1100  # deflate packs 1,032 times at most


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz``.

    Parameters
    ----------
    path
        File.

    Raises
    ------
    InputError
        If it is damaged, holds Python objects, or an array claims more than is stored.
    """
    try:
        _require_honest_sizes(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes zipfile, zlib and numpy raise nearly anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise InputError(f"{path.name} is not a readable .npz ({reason})") from error


def _require_honest_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                first = np.lib.format.read_magic(file) == (1, 0)
                header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
                shape, _, dtype = header(file)
                stored = member.file_size - file.tell()
            claimed = math.prod(shape) * dtype.itemsize
            if dtype.hasobject:
                continue  # np.load says that it unpickles nothing
            if claimed != stored or stored > _MOST_PACKED * max(member.compress_size, 1):
                raise InputError(
                    f"{path.name}: {member.filename} claims {claimed:,} bytes ({' x '.join(map(str, shape))} {dtype}), but "
                    f"{member.compress_size:,} are stored; it is damaged"
                )
