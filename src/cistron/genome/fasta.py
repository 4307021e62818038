"""Random access to FASTA, plain or bgzip, through its ``.fai`` index.

Own code because the usual library reads bgzip only with another large package, and fails in folders that cannot be
written to. Formats: SAMtools' faidx, and BGZF in section 4.1 of the SAM specification.
"""

import os
import struct
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.runtime import atomic_path, say

_BLOCKS_KEPT = 64  # of 64 kB at most


@dataclass(frozen=True)
class Record:
    """Where a sequence lies: bases, offset of the first, bases a line, bytes a line."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int


class _Plain:
    """Bytes of a file, closed when it is no longer used; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._descriptor).st_size
        self.close = weakref.finalize(self, os.close, self._descriptor)

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def chunks(self) -> Iterator[bytes]:
        for offset in range(0, self._size, 1 << 22):
            yield self.read_at(offset, 1 << 22)


class _Blocks(_Plain):
    """Decompressed bytes of a bgzip file: gzip members of at most 64 kB, each of which says its own size."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        packed, plain = [], []
        position = total = 0
        while position < self._size:
            packed.append(position)
            plain.append(total)
            size = self._block_size(position)
            total += struct.unpack("<I", super().read_at(position + size - 4, 4))[0]
            position += size
        self._packed, self._plain, self._total = np.array(packed), np.array(plain), total
        self._recent: dict[int, bytes] = {}

    def _block_size(self, position: int) -> int:
        head = super().read_at(position, 18)
        if len(head) < 18 or head[:4] != b"\x1f\x8b\x08\x04" or head[12:14] != b"BC":
            raise ValueError("it is not made of bgzip blocks throughout; it may be truncated")
        size = struct.unpack_from("<H", head, 16)[0] + 1
        if position + size > self._size:
            raise ValueError("its last block is truncated")
        return size

    def _decompress(self, number: int) -> bytes:
        position = int(self._packed[number])
        return zlib.decompress(super().read_at(position, self._block_size(position)), wbits=31)

    def read_at(self, offset: int, size: int) -> bytes:
        end = min(offset + size, self._total)
        number = int(np.searchsorted(self._plain, offset, side="right")) - 1
        parts = []
        while offset < end:
            block = self._recent.get(number)
            if block is None:
                block = self._recent[number] = self._decompress(number)
                if len(self._recent) > _BLOCKS_KEPT:
                    self._recent.pop(next(iter(self._recent)))
            start = offset - int(self._plain[number])
            part = block[start : start + end - offset]
            parts.append(part)
            offset += len(part)
            number += 1
        return b"".join(parts)

    def chunks(self) -> Iterator[bytes]:
        for number in range(len(self._packed)):
            yield self._decompress(number)


def _read_index(path: Path) -> dict[str, Record]:
    records = {}
    for line in path.read_text().splitlines():
        name, *numbers = line.split("\t")
        records[name] = Record(*map(int, numbers[:4]))
    return records


def _make_index(chunks: Iterator[bytes]) -> dict[str, Record]:
    """Index FASTA as ``samtools faidx`` does; lines of a sequence must be equally long, but for the last."""
    records: dict[str, Record] = {}
    name, length, offset, bases, width, short = "", 0, 0, 0, 0, False
    position, rest = 0, b""

    def finish() -> None:
        if name in records:
            raise ValueError(f"sequence {name} occurs twice")
        if name:
            records[name] = Record(length, offset, bases, width)

    for chunk in chain(chunks, (b"",)):
        lines = (rest + chunk).splitlines(keepends=True)
        rest = lines.pop() if chunk and lines else b""
        for line in lines:
            position += len(line)
            if line.startswith(b">"):
                finish()
                name, length, offset = line[1:].split()[0].decode(), 0, position
                bases = width = 0
                short = False
                continue
            letters = len(line.rstrip())
            if letters and not name:
                raise ValueError("it does not begin with '>'")
            if letters and (short or (bases and letters > bases)):
                raise ValueError(f"the lines of {name} differ in length; write it again with one line length")
            if not bases:
                bases, width = letters, len(line)
            short = letters < bases or len(line) < width
            length += letters
    finish()
    return records


class IndexedFasta:
    """FASTA read from anywhere in it.

    Parameters
    ----------
    path
        FASTA, plain or bgzip. The index ``path.fai`` is read, or made (and kept where the folder can be written).

    Raises
    ------
    InputError
        If the file is absent, empty, truncated, or compressed otherwise.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"genome {path} does not exist")
        with self.path.open("rb") as handle:
            head = handle.read(14)
        if head[:2] == b"\x1f\x8b" and head[12:14] != b"BC":
            raise InputError(
                f"{self.path.name} is compressed with gzip, which cannot be read from the middle; unpack it or compress "
                "it with bgzip"
            )
        try:
            self._bytes = _Blocks(self.path) if head[:2] == b"\x1f\x8b" else _Plain(self.path)
            self.records = self._index()
        except (ValueError, IndexError, TypeError, zlib.error, struct.error, OSError) as error:
            raise InputError(f"{self.path.name} cannot be read as FASTA: {error}") from error
        if not self.records:
            raise InputError(f"{self.path.name} holds no sequence; expected FASTA")

    def _index(self) -> dict[str, Record]:
        index = self.path.with_name(self.path.name + ".fai")
        if index.exists() and index.stat().st_mtime >= self.path.stat().st_mtime:
            return _read_index(index)
        if self.path.stat().st_size > 1 << 28:
            say(f"indexing {self.path.name}, once")
        records = _make_index(self._bytes.chunks())
        if not records:
            return records  # there is nothing to index
        lines = [
            f"{name}\t{record.length}\t{record.offset}\t{record.line_bases}\t{record.line_bytes}\n"
            for name, record in records.items()
        ]
        try:
            with atomic_path(index) as partial:
                partial.write_text("".join(lines))
        except InputError:
            pass  # a folder that cannot be written to: the index is made again next time
        return records

    def fetch(self, name: str, start: int, end: int) -> bytes:
        """Give the letters of a 0-based half-open window that lies inside the sequence.

        Raises
        ------
        InputError
            If the file ends before the window does.
        """
        record = self.records[name]

        def place(position: int) -> int:
            line, column = divmod(position, record.line_bases)
            return record.offset + line * record.line_bytes + column

        first = place(start)
        try:
            raw = self._bytes.read_at(first, place(end - 1) + 1 - first)
        except (ValueError, IndexError, zlib.error) as error:
            raise InputError(
                f"{self.path.name} is damaged at {name}:{start + 1:,}-{end:,} ({error})"
            ) from error
        letters = raw.translate(None, b"\r\n")
        if len(letters) != end - start:
            raise InputError(
                f"{self.path.name}: {name}:{start + 1:,}-{end:,} is not whole; the file is truncated or its index "
                f"{self.path.name}.fai belongs to another"
            )
        return letters

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()
