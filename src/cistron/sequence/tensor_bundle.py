"""Read a TensorFlow checkpoint (a TensorBundle) without TensorFlow.

A checkpoint PREFIX is ``PREFIX.index``, a sorted string table from names to entries (type, shape, shard, offset,
size, checksum), and ``PREFIX.data-00000-of-00001`` and so on, the tensors' bytes. The table is LevelDB's: blocks of
prefix-compressed keys, an index block, a footer. Blocks and tensors carry masked CRC-32C checksums, which are verified. Format: ``tensorflow/core/util/tensor_bundle`` and
``leveldb/doc/table_format.md``.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np

from cistron.errors import InputError

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5  # compression byte and checksum behind each block
# numbers of tensorflow.DataType
_TYPES: dict[int, np.dtype] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
    14: np.dtype("<u2"),  # bfloat16, widened after reading
    19: np.dtype("<f2"),
}
_BFLOAT16 = 14


def masked_checksum(data: bytes) -> int:
    """CRC-32C of ``data``, rotated and offset as LevelDB and TensorFlow store it."""
    value = google_crc32c.value(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a little-endian base-128 number; give it and the position behind it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def decompress_snappy(data: bytes) -> bytes:
    """Decompress one Snappy block (literals and back references)."""
    size, position = read_varint(data, 0)
    out = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        kind = tag & 3
        if kind == 0:  # literal
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(data[position : position + extra], "little")
                position += extra
            out += data[position : position + length + 1]
            position += length + 1
            continue
        if kind == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[position]
            position += 1
        else:
            width = 2 if kind == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(data[position : position + width], "little")
            position += width
        if not 0 < offset <= len(out):
            raise ValueError("a back reference points before the block")
        for _ in range(length):  # may overlap what it writes
            out.append(out[-offset])
    if len(out) != size:
        raise ValueError("a compressed block has another size than it says")
    return bytes(out)


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER > len(data):
        raise ValueError("a block ends behind the file")
    compression, checksum = data[end], struct.unpack_from("<I", data, end + 1)[0]
    if masked_checksum(data[offset : end + 1]) != checksum:
        raise ValueError("the checksum of a block is wrong")
    if compression == 0:
        return data[offset:end]
    if compression == 1:
        return decompress_snappy(data[offset:end])
    raise ValueError(f"compression {compression} is not known")


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = struct.unpack_from("<I", block, len(block) - 4)[0]
    end = len(block) - 4 * (restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        fresh, position = read_varint(block, position)
        size, position = read_varint(block, position)
        key = key[:shared] + block[position : position + fresh]
        position += fresh
        yield key, block[position : position + size]
        position += size


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a sorted string table in order."""
    if len(data) < _FOOTER or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise ValueError("it does not end as a TensorFlow index does")
    footer = data[-_FOOTER:]
    _, position = read_varint(footer, 0)  # offset and size of the meta index, which is empty
    _, position = read_varint(footer, position)
    offset, position = read_varint(footer, position)
    size, _ = read_varint(footer, position)
    for _, handle in _entries(_block(data, offset, size)):
        start, after = read_varint(handle, 0)
        length, _ = read_varint(handle, after)
        yield from _entries(_block(data, start, length))


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of the fields of a protocol-buffer message."""
    position = 0
    while position < len(message):
        tag, position = read_varint(message, position)
        kind = tag & 7
        if kind == 0:
            value, position = read_varint(message, position)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, position = read_varint(message, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} is not known")
        yield tag >> 3, message[position : position + size]
        position += size


@dataclass(frozen=True)
class BundleEntry:
    """Where a tensor lies: number of its type, shape, shard, offset and size in bytes, masked checksum if there is one."""

    kind: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int | None = None


def _entry(message: bytes) -> BundleEntry:
    values = {1: 0, 3: 0, 4: 0, 5: 0}
    shape: list[int] = []
    checksum = None
    for number, value in read_fields(message):
        if isinstance(value, int):
            values[number] = value
        elif number == 6:
            checksum = int.from_bytes(value, "little")
        elif number == 2:
            for field, dimension in read_fields(value):
                if field == 2 and isinstance(dimension, bytes):
                    sizes = [size for which, size in read_fields(dimension) if which == 1]
                    shape.append(int(sizes[0]) if sizes else 0)
    return BundleEntry(values[1], tuple(shape), values[3], values[4], values[5], checksum)


def is_bundle(path: str | Path) -> bool:
    """Tell whether ``path`` is the prefix of a TensorFlow checkpoint, or its index."""
    return bundle_index(Path(path)) is not None


def bundle_index(path: Path) -> Path | None:
    """Find the index of a checkpoint given by its prefix, its index, a data file, or the folder that holds just one."""
    if path.is_dir():
        found = sorted(path.glob("*.index")) or sorted(path.glob("variables/*.index"))
        return found[0] if len(found) == 1 else None
    if path.suffix == ".index":
        return path if path.exists() else None
    name = path.name.split(".data-")[0]
    index = path.with_name(name + ".index")
    return index if index.exists() else None


class TensorBundle:
    """The tensors of a TensorFlow checkpoint, read one by one.

    Parameters
    ----------
    path
        Prefix of the checkpoint, its index file or its folder.

    Raises
    ------
    InputError
        If a file is absent, truncated or not a checkpoint.
    """

    def __init__(self, path: str | Path) -> None:
        index = bundle_index(Path(path))
        if index is None:
            raise InputError(f"no TensorFlow checkpoint at {path}; give the prefix of PREFIX.index")
        self.index = index
        shards, big_endian = 1, 0
        self.entries: dict[str, BundleEntry] = {}
        try:
            for key, value in _table(index.read_bytes()):
                if key:
                    self.entries[key.decode()] = _entry(value)
                    continue
                for number, content in read_fields(value):
                    if isinstance(content, int) and number in (1, 2):
                        shards, big_endian = (content, big_endian) if number == 1 else (shards, content)
        except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
            raise InputError(
                f"{index.name} is not a whole TensorFlow checkpoint index ({error}); fetch it again"
            ) from error
        if big_endian:
            raise InputError(f"{index.name}: checkpoints written on big-endian machines are not read")
        prefix = index.name.removesuffix(".index")
        self._data = [
            index.with_name(f"{prefix}.data-{number:05d}-of-{shards:05d}") for number in range(shards)
        ]
        absent = [path.name for path in self._data if not path.exists()]
        if absent:
            raise InputError(f"checkpoint {prefix}: {absent[0]} is absent; it must lie beside {index.name}")
        for name, entry in self.entries.items():
            if entry.shard >= shards or entry.offset + entry.size > self._data[entry.shard].stat().st_size:
                raise InputError(f"checkpoint {prefix} is truncated: the data of {name} end behind the file")

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    @property
    def files(self) -> list[Path]:
        """Index and data files."""
        return [self.index, *self._data]

    def read(self, name: str) -> np.ndarray:
        """Read a numeric tensor; bfloat16 comes as float32.

        Raises
        ------
        InputError
            If the type is not one of those that weights have, the size contradicts the shape, or the bytes are not those
            that were written (their checksum is another).
        """
        entry = self.entries[name]
        kind = _TYPES.get(entry.kind)
        count = int(np.prod(entry.shape, dtype=np.int64))
        if kind is None or entry.size != count * kind.itemsize:
            raise InputError(
                f"checkpoint {self.index.stem}: {name} has type {entry.kind} and {entry.size:,} bytes for shape "
                f"{list(entry.shape)}; expected numbers that fill the shape"
            )
        with self._data[entry.shard].open("rb") as handle:
            handle.seek(entry.offset)
            raw = handle.read(entry.size)
        if entry.checksum is not None and masked_checksum(raw) != entry.checksum:
            raise InputError(
                f"checkpoint {self.index.stem} is damaged: the checksum of {name} is wrong, so its values are not those that "
                f"were saved; fetch {self._data[entry.shard].name} again"
            )
        values: np.ndarray = np.frombuffer(bytearray(raw), kind)
        if entry.kind == _BFLOAT16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values.reshape(entry.shape)
