"""Open text files of any usual packing and encoding; what is damaged or no text is refused with its line number.

The packing (gzip, bgzip, bzip2, xz, Zstandard, zip with one file) is told by the first bytes and not by the suffix. Text is UTF-8 with or
without a byte order mark, or UTF-16 with one.
"""

import bz2
import codecs
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from cistron.errors import InputError

CHUNK = 1 << 20
# The last 28 bytes of every whole bgzip file (SAM specification, section 4.1.2).
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_ZIP = b"PK\x03\x04"
# What lies where the file itself should be.
_STAND_INS = (
    (b"version https://git-lfs", "a Git LFS pointer and not the file itself; get it with 'git lfs pull'"),
    (b"/annex/objects/", "a git-annex pointer and not the file itself; get it with 'git annex get'"),
    (b"<!DOCTYPE html", "a web page and not the file itself; download it again"),
    (b"<!doctype html", "a web page and not the file itself; download it again"),
    (b"<html", "a web page and not the file itself; download it again"),
)
# What files that are no text begin with.
_OTHER_FORMS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5ad, .h5)"),
    (b"PAR1", "a Parquet file"),
    (_ZIP, "a zip archive of several files, a workbook (.xlsx) or .npz; unpack it or save the sheet as text"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save the sheet as text"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x9d", "packed with compress (.Z); unpack it first"),
    (b"\x1f\x8b", "packed with gzip twice; unpack it once"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard twice; unpack it once"),
    (b"BAM\x01", "a BAM file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a rich-text document; save it as plain text"),
    (b"<?xml", "XML, perhaps an error message of a server; download it again"),
    *_STAND_INS,
)


def refuse_stand_in(path: Path) -> None:
    """Raise where a pointer or a web page lies in place of a file, whatever the form that it should have.

    Parameters
    ----------
    path
        A file on this machine.

    Raises
    ------
    InputError
        Telling what it is and how to get the file.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(32)
    except OSError:
        return  # who reads it says what is wrong
    for magic, form in _STAND_INS:
        if head.lstrip().startswith(magic):
            raise InputError(f"{path} is {form}")


def plain_name(path: str | Path) -> str:
    """Name of a file without the suffix of a packing: ``genes.gtf`` for ``genes.gtf.gz``."""
    name = Path(path).name
    for suffix in (".gz", ".bgz", ".bz2", ".xz", ".zst", ".zip"):
        name = name.removesuffix(suffix)
    return name


class CheckedText(io.RawIOBase):
    """The bytes of a text file as UTF-8 with ``\\n`` at the ends of lines, checked while they are read.

    Parameters
    ----------
    path
        File.
    what
        What the file is, for messages (``track list``).

    Attributes
    ----------
    remarks
        What was noticed, one sentence each; complete when everything was read.

    Raises
    ------
    InputError
        On opening or reading: the file is absent, a folder, empty, may not be read, is cut or damaged, or is no text.
    """

    def __init__(self, path: str | Path, what: str = "table") -> None:
        super().__init__()
        self.path = Path(path)
        self.label = f"{what} {self.path.name}"
        self.remarks: list[str] = []
        self.failure: InputError | None = None
        self._what = what
        self._lines = 0
        self._pending = b""
        self._ended = True
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._raw = self._open()
        self._packed = self._unpacking()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _open(self) -> io.BufferedReader:
        try:
            if self.path.is_dir():
                raise InputError(f"{self.label} is a folder; expected a text file")
            handle = self.path.open("rb")
        except FileNotFoundError as error:
            raise InputError(f"{self._what} {self.path} does not exist") from error
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{self.label} cannot be read ({reason})") from error
        return handle

    def _unpacking(self) -> BinaryIO:
        head = self._raw.peek(18)
        if head[:2] == b"\x1f\x8b":
            self._check_bgzip_end(head)
            return gzip.GzipFile(fileobj=self._raw)  # type: ignore[return-value]
        if head[:4] == _ZIP and (member := self._only_member()):
            return member
        if head[:3] == b"BZh":
            return bz2.BZ2File(self._raw)  # type: ignore[return-value]
        if head[:6] == b"\xfd7zXZ\x00":
            return lzma.LZMAFile(self._raw)  # type: ignore[return-value]
        if head[:4] == b"\x28\xb5\x2f\xfd":
            import pyarrow as pa

            return pa.CompressedInputStream(pa.PythonFile(self._raw, mode="r"), "zstd")
        return self._raw

    def _only_member(self) -> BinaryIO | None:
        """The one file of a zip archive; ``None`` where there are more (a workbook, .npz)."""
        if not self._raw.seekable():
            return None
        try:
            archive = zipfile.ZipFile(self._raw)
            members = [
                one for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename
            ]
            if len(members) == 1 and not members[0].filename.endswith(".npy"):
                return archive.open(members[0])  # type: ignore[return-value]
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
        ) as error:  # RuntimeError: it is encrypted
            raise self._fail(
                f"is a zip archive that cannot be read ({error}); it may be truncated"
            ) from error
        self._raw.seek(0)
        return None

    def _check_bgzip_end(self, head: bytes) -> None:
        if len(head) >= 18 and head[3] & 4 and head[12:14] == b"BC" and self._raw.seekable():
            self._raw.seek(-min(28, os.fstat(self._raw.fileno()).st_size), os.SEEK_END)
            if self._raw.read() != _BGZIP_END:
                self.remarks.append(f"{self.label} lacks the end mark of bgzip; it may be truncated")
            self._raw.seek(0)

    def _begin(self) -> None:
        head = self._read_packed()
        while len(head) < 64 and (more := self._read_packed()):
            head += more
        if not head:
            raise self._fail("is empty; it may have been cut while it was copied")
        for magic, form in _OTHER_FORMS:
            if head.startswith(magic):
                raise self._fail(f"is not text but {form}")
        self._wide: codecs.IncrementalDecoder | None = None
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise self._fail("is UTF-32 text; save it as UTF-8")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._wide = codecs.getincrementaldecoder("utf-16")()
            self.remarks.append(f"{self.label} is UTF-16 text and was read as such")
        else:
            zeros = [place for place, byte in enumerate(head[:64]) if byte == 0]
            if len(zeros) >= 16 and len({place % 2 for place in zeros}) == 1:
                raise self._fail("looks like UTF-16 text without its byte order mark; save it as UTF-8")
        head = head.removeprefix(codecs.BOM_UTF8)
        probe = head if self._wide is None else head.replace(b"\x00", b"")
        self._old_mac = b"\r" in probe[:-1] and b"\n" not in probe
        self._pending = self._checked(head)

    def _read_packed(self) -> bytes:
        try:
            return bytes(self._packed.read(CHUNK))
        except EOFError as error:
            raise self._fail(
                "cannot be read: it ends in the middle of its packing; it may be truncated"
            ) from error
        # pyarrow reports damaged Zstandard as OSError, lzma and zlib have kinds of their own
        except (OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
            raise self._fail(f"cannot be read ({reason}); it may be truncated or damaged") from error

    def _fail(self, problem: str) -> InputError:
        self.failure = InputError(f"{self.label} {problem}")
        return self.failure

    def _checked(self, chunk: bytes) -> bytes:
        last = not chunk
        if self._wide is not None:
            try:
                chunk = self._wide.decode(chunk, last).encode()
            except UnicodeError as error:
                raise self._fail(
                    f"line {self._lines + 1}: not valid UTF-16 text; it may be truncated"
                ) from error
        nul = chunk.find(b"\x00")
        if nul >= 0:
            line = self._lines + chunk.count(b"\n", 0, nul) + 1
            odd = sum(byte < 9 or 13 < byte < 32 or byte > 126 for byte in chunk[:512])
            if odd > 0.3 * len(chunk[:512]):
                raise self._fail(f"is not text (bytes of value 0 from line {line})")
            raise self._fail(
                f"line {line}: bytes of value 0 (NUL), as after a crash; the file is damaged, get it again"
            )
        waiting = self._utf8.getstate()[0]
        if waiting or not chunk.isascii() or last:
            try:
                self._utf8.decode(chunk, last)
            except UnicodeDecodeError as error:
                line = self._lines + chunk.count(b"\n", 0, max(0, error.start - len(waiting))) + 1
                raise self._fail(
                    f"line {line}: not UTF-8 text (perhaps Latin-1, or no text at all); save it as UTF-8"
                ) from error
        if self._old_mac:
            chunk = chunk.replace(b"\r", b"\n")
        self._lines += chunk.count(b"\n")
        if last and not self._ended:
            self.remarks.append(
                f"{self.label} has no line end behind its last row; if it was cut there, the last value is wrong"
            )
        self._ended = last or chunk.endswith(b"\n")
        return chunk

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Fill a buffer with the next bytes."""
        while not self._pending:
            read = self._read_packed()
            self._pending = self._checked(read)
            if not read and not self._pending:
                return 0
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            # absent where opening failed: the interpreter closes such an object, too
            if hasattr(self, "_raw"):
                self._raw.close()
            super().close()


def refuse_workbook(path: str | Path, what: str) -> None:
    """Raise on a workbook of a spreadsheet, told by the end of its name.

    Parameters
    ----------
    path
        File.
    what
        What it should be, for the message.

    Raises
    ------
    InputError
        If it ends as workbooks of Excel, LibreOffice or Numbers do.
    """
    if Path(path).suffix.lower() in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".numbers"):
        raise InputError(
            f"{what} {Path(path).name} is a workbook of a spreadsheet, which is not read; save its sheet as CSV or tab-separated text, "
            "and see that names such as MARCH1 have not become dates"
        )


@contextmanager
def open_text(path: str | Path, what: str = "table") -> Iterator[TextIO]:
    """Open a text file of any packing for reading by line.

    Lines end at ``\\n``, ``\\r\\n`` or ``\\r``; no other sign ends a line.

    Parameters
    ----------
    path
        File.
    what
        What the file is, for messages.

    Raises
    ------
    InputError
        As :class:`CheckedText`.
    """
    with CheckedText(path, what) as checked:
        buffered = io.BufferedReader(checked, CHUNK)
        with io.TextIOWrapper(buffered, encoding="utf-8") as text:
            yield text


def read_lines(path: str | Path, what: str = "list") -> list[tuple[int, str]]:
    """Read the lines of a text file that are not blank, with their numbers, without blanks at their ends.

    Parameters
    ----------
    path
        File.
    what
        What the file is, for messages.

    Raises
    ------
    InputError
        As :class:`CheckedText`.
    """
    with open_text(path, what) as text:
        return [(number, line.rstrip()) for number, line in enumerate(text, 1) if line.strip()]
