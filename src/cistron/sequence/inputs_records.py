"""Read TFRecords of Basenji, Enformer and Baskerville without TensorFlow.

A record is its length (uint64), the masked CRC-32C of the length, the bytes, their masked CRC-32C. The file may be packed by ZLIB or GZIP.
The bytes are a ``tf.train.Example``: named lists of bytes. Format: ``tensorflow/core/lib/io/record_writer.h``, ``example.proto``.
"""

import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.sequence.tensor_bundle import masked_checksum, read_fields

_CHUNK = 1 << 20
_LARGEST = 1 << 31  # bytes of a record; a larger length is damage that its checksum happens to fit


class _Unpacking(io.RawIOBase):
    """The bytes of a file, unpacked where it is packed by ZLIB or GZIP."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._handle = path.open("rb")
        head = self._handle.read(2)
        self._handle.seek(0)
        gzip = head == b"\x1f\x8b"
        packed = gzip or (len(head) == 2 and head[0] == 0x78 and (head[0] * 256 + head[1]) % 31 == 0)
        # a plain file begins with the low bytes of a length: 0x78 and a second byte that fits is a length, too, so the next
        # bytes decide: a length of less than 4 GB has zeros there
        if packed and not gzip:
            start = self._handle.read(8)
            self._handle.seek(0)
            packed = len(start) < 8 or start[4:8] != b"\0\0\0\0"
        self.packing = "GZIP" if gzip else "ZLIB" if packed else "none"
        self._unpacker = zlib.decompressobj(31 if gzip else 15) if packed else None
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._pending:
            if self._unpacker is None:
                self._pending = self._handle.read(_CHUNK)
                if not self._pending:
                    return 0
                break
            raw = self._unpacker.unconsumed_tail or self._handle.read(_CHUNK)
            if not raw:
                if not self._unpacker.eof:
                    raise EOFError("it ends in the middle of its packing")
                return 0
            self._pending = self._unpacker.decompress(raw, _CHUNK)
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            # absent where opening failed: the interpreter closes such an object, too
            if hasattr(self, "_handle"):
                self._handle.close()
            super().close()


def read_raw_records(path: str | Path, *, verify: bool = True) -> Iterator[bytes]:
    """Give the bytes of each record of a file, in order.

    Parameters
    ----------
    path
        TFRecord file, plain, ZLIB or GZIP.
    verify
        Compare the bytes with their checksum, too; that of the length is compared in any case.

    Raises
    ------
    InputError
        If a checksum is wrong or the file is cut; file and record are named.
    """
    path, number = Path(path), 0
    try:
        unpacking = _Unpacking(path)
    except FileNotFoundError as error:
        raise InputError(f"TFRecord {path} does not exist") from error
    with unpacking, io.BufferedReader(unpacking, _CHUNK) as handle:
        while True:
            try:
                head = handle.read(12)
                if not head:
                    return
                if len(head) < 12:
                    raise EOFError("it ends in the middle of a length")
                size = int.from_bytes(head[:8], "little")
                if masked_checksum(head[:8]) != int.from_bytes(head[8:], "little") or size > _LARGEST:
                    raise InputError(
                        f"TFRecord {path.name}: the checksum of the length of record {number} is wrong; the file is damaged or no "
                        "TFRecord, fetch it again"
                    )
                body = handle.read(size + 4)
                if len(body) < size + 4:
                    raise EOFError(f"record {number} ends in the middle")
            except (EOFError, zlib.error, OSError) as error:
                raise InputError(
                    f"TFRecord {path.name} is cut or damaged at record {number} ({error}); fetch it again"
                ) from error
            data = body[:size]
            if verify and masked_checksum(data) != int.from_bytes(body[size:], "little"):
                raise InputError(
                    f"TFRecord {path.name}: the checksum of record {number} is wrong; the file is damaged, fetch it again"
                )
            yield data
            number += 1


def count_records(path: str | Path) -> int:
    """Count the records of a file; only the checksums of their lengths are compared."""
    return sum(1 for _ in read_raw_records(path, verify=False))


def parse_example(data: bytes, where: str) -> dict[str, bytes]:
    """Read the lists of bytes of a ``tf.train.Example``.

    Parameters
    ----------
    data
        One record.
    where
        What it is, for messages.

    Returns
    -------
    dict
        Feature to its first value.

    Raises
    ------
    InputError
        If it is no example.
    """
    found = {}
    try:
        for number, features in read_fields(data):
            if number != 1 or not isinstance(features, bytes):
                continue
            for entry, pair in read_fields(features):
                if entry != 1 or not isinstance(pair, bytes):
                    continue
                parts = dict(read_fields(pair))
                value = parts.get(2, b"")
                listed = dict(read_fields(value)).get(1) if isinstance(value, bytes) else None
                content = dict(read_fields(listed)).get(1) if isinstance(listed, bytes) else None
                key = parts.get(1)
                if isinstance(key, bytes) and isinstance(content, bytes):
                    found[key.decode()] = content
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(f"{where} is no tf.train.Example ({error})") from error
    if not found:
        raise InputError(f"{where} is no tf.train.Example with lists of bytes")
    return found


@dataclass(frozen=True)
class RecordShape:
    """Sizes of the records of a data set.

    Attributes
    ----------
    length, bins, bin_size, tracks
        Base pairs of a sequence, bins of its targets, base pairs of one, tracks.
    """

    length: int
    bins: int
    bin_size: int
    tracks: int


def decode_record(data: bytes, shape: RecordShape, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Read DNA and targets of one record.

    Parameters
    ----------
    data
        One record: ``sequence``, bool [length, 4] or uint8 indices [length] (A, C, G, T, and 4 for N), and ``target`` or ``targets``,
        float16 [bins, tracks].
    shape
        What it must have.
    where
        File and number, for messages.

    Returns
    -------
    codes : ndarray
        uint8 [length]; 4 is N.
    targets : ndarray
        float32 [track, bin].

    Raises
    ------
    InputError
        If a part is absent or of another size, or targets are not finite.
    """
    parts = parse_example(data, where)
    sequence = parts.get("sequence")
    target = parts.get("target", parts.get("targets"))
    if sequence is None or target is None:
        raise InputError(f"{where} has {', '.join(parts)}; expected sequence and target")
    if len(target) != 2 * shape.bins * shape.tracks:
        raise InputError(
            f"{where}: {len(target):,} bytes of targets; expected {shape.bins:,} bins x {shape.tracks:,} tracks of float16"
        )
    raw = np.frombuffer(sequence, np.uint8)
    if len(raw) == 4 * shape.length:
        hot = raw.reshape(shape.length, 4)
        codes = np.where(hot.any(axis=1), hot.argmax(axis=1), 4).astype(np.uint8)
    elif len(raw) == shape.length:
        codes = np.minimum(raw, 4)
    else:
        raise InputError(
            f"{where}: {len(raw):,} bytes of DNA; expected {shape.length:,} base pairs, one-hot or as indices"
        )
    values = np.frombuffer(target, "<f2").reshape(shape.bins, shape.tracks)
    if not np.isfinite(values).all():
        raise InputError(f"{where} has targets that are not finite; it is damaged, fetch it again")
    return codes, values.T.astype(np.float32)


def natural_key(name: str) -> list[Any]:
    """Key that sorts ``train-0-10`` behind ``train-0-2``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def read_statistics(folder: Path) -> dict[str, int]:
    """Read ``statistics.json`` of a data set.

    Parameters
    ----------
    folder
        Folder of the data set.

    Returns
    -------
    dict
        ``num_targets``, ``seq_length``, ``pool_width``, ``crop_bp``, ``target_length``.

    Raises
    ------
    InputError
        If it is absent or lacks a number.
    """
    path = folder / "statistics.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} has no statistics.json; expected a data set of Basenji: statistics.json, sequences.bed, targets.txt and tfrecords/"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no JSON; fetch it again") from error
    needed = ("num_targets", "seq_length", "pool_width", "target_length")
    if not isinstance(found, dict):
        raise InputError(f"{path} is no JSON object; fetch it again")
    for name in needed:
        if not isinstance(found.get(name), int) or found[name] < 1:
            raise InputError(f"{path}: {name} is {found.get(name)!r}, not a positive whole number")
    return {name: int(found[name]) for name in needed}


def record_files(folder: Path) -> dict[str, list[Path]]:
    """Find the record files of a data set by fold, in natural order of their names (``train-0-2.tfr`` before ``train-0-10.tfr``).

    Parameters
    ----------
    folder
        Folder of the data set.

    Raises
    ------
    InputError
        If there are none.
    """
    files = sorted((folder / "tfrecords").glob("*.tfr*"), key=lambda path: natural_key(path.name))
    if not files:
        raise InputError(f"{folder} has no files tfrecords/*.tfr; expected a data set of Basenji")
    found: dict[str, list[Path]] = {}
    for path in files:
        found.setdefault(path.name.split("-")[0].split(".")[0], []).append(path)
    return found
