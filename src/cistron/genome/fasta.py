"""Random access to FASTA, plain, bgzip or packed otherwise, through its ``.fai`` index.

Own code because the usual library reads bgzip only with another large package, and fails in folders that cannot be
written to. Formats: SAMtools' faidx, and BGZF in section 4.1 of the SAM specification.
"""

import os
import re
import struct
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.genome.unpacked import is_packed, unpacked_file
from cistron.runtime import atomic_path, say

_BLOCKS_KEPT = 64  # of 64 kB at most
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True)
class Record:
    """Where a sequence lies: bases, offset of the first, bases a line, bytes a line."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int

    def place(self, position: int) -> int:
        """Byte at which the letter of a position (0-based) stands."""
        line, column = divmod(position, self.line_bases)
        return self.offset + line * self.line_bytes + column


class _Plain:
    """Bytes of a file, closed when it is no longer used; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._descriptor).st_size
        self.close = weakref.finalize(self, os.close, self._descriptor)

    @property
    def size(self) -> int:
        """Number of bytes, unpacked."""
        return self._size

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

    @property
    def size(self) -> int:
        return self._total

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


class _TruncatedError(Exception):
    """The file is shorter than its index says, but agrees with the index as far as it goes."""


def _misfit(records: dict[str, Record], file: _Plain) -> str:
    """Describe the first disagreement between an index and its FASTA; empty if they agree.

    Between two sequences there must be one header line, that of the next, and nothing may stand before the first or behind
    the last. So a header that was edited, a sequence that was added or cut and lines of another length are all seen, for a
    few small reads per sequence.
    """
    end, before = 0, "the beginning of the file"
    for name, record in sorted(records.items(), key=lambda item: item[1].offset):
        gap = record.offset - end
        if not 0 < gap <= _LONGEST_HEADER:
            return f"{name} cannot begin at byte {record.offset:,}"
        between = file.read_at(end, gap)
        if end and len(between) < gap and between[:1] in (b"", b"\r", b"\n"):
            raise _TruncatedError(f"{name} is missing")
        if not re.fullmatch(
            rb"[\r\n]%c>%b(\s[^\n]*)?\n" % (b"+" if end else b"*", re.escape(name.encode())), between
        ):
            return f"{name} does not begin behind {before}"
        end, before = record.offset, name
        if not record.length:
            continue
        if record.length > record.line_bases:
            ending = file.read_at(record.offset + record.line_bases, record.line_bytes - record.line_bases)
            if record.line_bases < 1 or not ending or ending.strip(b"\r\n"):
                return f"the lines of {name} do not have {record.line_bases:,} letters"
        end = record.place(record.length - 1) + 1
        if end > file.size:
            raise _TruncatedError(f"{name} has {record.length:,} letters")
        if file.read_at(end - 1, 1) in (b"\r", b"\n", b">"):
            return f"{name} does not end at byte {end:,}"
    rest = file.read_at(end, min(file.size - end, _LONGEST_HEADER)) if file.size > end else b""
    return f"something follows {before}" if rest.strip(b"\r\n") else ""


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
        FASTA, plain or bgzip. The index ``path.fai`` is read, or made (and kept where the folder can be written); one that
        does not fit the file is made again. FASTA that is packed otherwise (gzip) is unpacked once
        (:func:`cistron.genome.unpacked.unpacked_file`).

    Raises
    ------
    InputError
        If the file is absent, empty, truncated, or compressed otherwise.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"genome {path} does not exist")
        if self.path.is_dir():
            raise InputError(f"genome {path} is a folder; give the FASTA file")
        try:
            with self.path.open("rb") as handle:
                head = handle.read(14)
        except OSError as error:
            raise InputError(f"genome {self.path.name} cannot be read ({error.strerror})") from error
        if is_packed(head):
            self.path = unpacked_file(self.path)
            head = b""
        try:
            self._bytes = _Blocks(self.path) if head[:2] == b"\x1f\x8b" else _Plain(self.path)
            self.records = self._index()
        except (ValueError, IndexError, TypeError, zlib.error, struct.error, OSError) as error:
            raise InputError(f"{self.path.name} cannot be read as FASTA: {error}") from error
        if not self.records:
            raise InputError(f"{self.path.name} holds no sequence; expected FASTA")

    def _index(self) -> dict[str, Record]:
        index = self.path.with_name(self.path.name + ".fai")
        if index.exists() and (kept := self._kept(index)):
            return kept
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

    def _kept(self, index: Path) -> dict[str, Record]:
        """Records of an index that fits; none where it has to be made again."""
        try:
            records = _read_index(index)
            problem = _misfit(records, self._bytes) if records else "it is empty"
        except (ValueError, TypeError):
            records, problem = {}, "it is damaged"
        except _TruncatedError as error:
            raise InputError(
                f"{self.path.name} is truncated: by its index {index.name} it goes on ({error}); copy or fetch it again, or remove the "
                "index if the file is whole"
            ) from error
        if problem:
            say(f"{index.name} does not fit {self.path.name} ({problem}) and is made again")
        # an older index may be that of a file with other letters in lines of the same length
        return {} if problem or index.stat().st_mtime < self.path.stat().st_mtime else records

    def fetch(self, name: str, start: int, end: int) -> bytes:
        """Give the letters of a 0-based half-open window that lies inside the sequence.

        Parameters
        ----------
        name
            Name of the sequence, as the file spells it.
        start, end
            0-based, half-open, in bases.

        Raises
        ------
        InputError
            If the file ends before the window does.
        """
        record = self.records[name]
        first = record.place(start)
        try:
            raw = self._bytes.read_at(first, record.place(end - 1) + 1 - first)
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

    def build_in_header(self) -> str:
        """Name of the genome build in the first header where that has Ensembl's form, else ``""``."""
        head = self._bytes.read_at(0, 400).split(b"\n")[0].decode("ascii", "replace")
        found = re.search(r"\b(?:chromosome|primary_assembly|scaffold):([\w.-]+):[\w.-]+:\d+:\d+:-?1\b", head)
        return found[1] if found else ""

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()
