"""How a delimited text table is laid out: its separator, its header, and the stream of its rows."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cistron.errors import InputError
from cistron.runtime.text_files import CHUNK, CheckedText

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE | re.ASCII)
# What stands for a missing number, as pandas reads it; in a column of text nothing is missing but an empty cell.
MISSING = frozenset(
    [
        "NA",
        "N/A",
        "n/a",
        "na",
        "NaN",
        "nan",
        "-nan",
        "-NaN",
        "NAN",
        "NULL",
        "null",
        "None",
        "<NA>",
        "#N/A",
        "#NA",
        "1.#IND",
        "-1.#IND",
        "1.#QNAN",
        "-1.#QNAN",
    ]
) | {"", "#N/A N/A"}
# A name that a spreadsheet lost, and no comment.
_ERRORS = "(?!REF!|N/A|NAME\\?|VALUE!|DIV/0!|NUM!|NULL!)"
# Excel's first line that tells the separator, which the header tells as well.
_SEPARATOR_LINE = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_ENSEMBL_ROW = re.compile(r"ENS[A-Z]*[GTP]\d{11}(\.\d+)?")
_TITLE = re.compile(
    "gene|symbol|id$|^id|name|probe|locus|transcript|feature|ensembl|entrez|sample|cell|barcode|index|row|unnamed|hugo|^orf$",
    re.IGNORECASE,
)
_SEPARATORS = {"\t": "tabs", ",": "','", ";": "';'", " ": "blanks"}


@dataclass(frozen=True)
class Layout:
    """Layout of a table, as its first lines show it: separator, columns, header.

    Attributes
    ----------
    path, what
        File, and what it is, for messages.
    separator
        Tab, comma, semicolon, or a blank for any run of blanks.
    columns
        Names of the columns; of a table without a header ``""``, ``d0``, ``d1``, ...
    skip
        Number of lines before the first row.
    headerless
        Whether the first line is a row and no header.
    extra
        Whether rows have one empty field more than the header (a separator at the end of each row).
    comments
        Lines before the header that begin with ``#``.
    comment
        Text that lines begin with which are skipped anywhere, or empty.
    named
        Whether names of the columns were given by the reader of a form that has no header.
    """

    path: Path
    what: str
    separator: str
    columns: tuple[str, ...]
    skip: int
    headerless: bool = False
    extra: bool = False
    comments: tuple[str, ...] = field(default=(), repr=False)
    comment: str = "#"
    named: bool = False

    @property
    def label(self) -> str:
        """Name of the table for messages."""
        return f"{self.what} {self.path.name}"

    @property
    def separated_by(self) -> str:
        """Separator in words."""
        return _SEPARATORS[self.separator]

    @property
    def width(self) -> int:
        """Number of fields of a row."""
        return len(self.columns) + self.extra

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and fields of each row; slow, for messages."""
        with CheckedText(self.path, self.what) as checked:
            text = io.TextIOWrapper(io.BufferedReader(checked, CHUNK), encoding="utf-8")
            waiting, first = "", 0
            for number, line in enumerate(text, 1):
                if number <= self.skip or (not waiting and self._skipped(line)):
                    continue
                first = first if waiting else number
                waiting += line
                if self.separator != " " and waiting.count('"') % 2 and len(waiting) < CHUNK:
                    continue  # a quoted field that goes on in the next line
                yield first, split_fields(waiting.rstrip("\r\n"), self.separator)
                waiting = ""
            if waiting:
                yield first, split_fields(waiting.rstrip("\r\n"), self.separator)

    def _skipped(self, line: str) -> bool:
        return not line.strip("\r\n ") or bool(self.comment and _comment(self.comment).match(line))

    def line_of(self, row: int) -> int:
        """Number of the line on which a row (counted from 0) begins."""
        for index, (number, _) in enumerate(self.rows()):
            if index == row:
                return number
        return 0

    def require_even_rows(self) -> None:
        """Raise and name the first row that has another number of fields than the header.

        Raises
        ------
        InputError
            If there is one.
        """
        last = 0
        for number, fields in self.rows():
            last = number
            if len(fields) == self.width:
                continue
            if any(value.startswith('"') and not _QUOTED.fullmatch(value) for value in fields):
                raise InputError(f"{self.label} line {number}: a quote is opened and not closed")
            wanted = "the first row" if self.headerless else "the header"
            problem = (
                f"{self.label} line {number}: {len(fields):,} fields, but {wanted} has {len(self.columns):,} "
                f"(separated by {self.separated_by})"
            )
            cut = len(fields) < self.width and self._is_last_without_end(number)
            raise InputError(f"{problem}; {'the file is cut there' if cut else 'correct that row'}")
        raise InputError(f"{self.label} cannot be read as a table (near line {last})")

    def _is_last_without_end(self, number: int) -> bool:
        with CheckedText(self.path, self.what) as checked:
            last, count = b"", 0
            for line in io.BufferedReader(checked, CHUNK):
                last, count = line, count + 1
        return count <= number and not last.endswith(b"\n")


def _comment(sign: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(sign)}{_ERRORS}")


def split_fields(line: str, separator: str) -> list[str]:
    """Split one line into fields; a field in double quotes may hold separators and doubled quotes.

    Parameters
    ----------
    line
        Line without its end.
    separator
        Separator; a blank splits at any run of blanks and tabs.
    """
    if separator == " ":
        return [value.strip('"') for value in line.split()]
    if '"' not in line:
        return line.split(separator)
    pattern = rf'(?:^|{separator})(?:("(?:[^"]|"")*")(?={separator}|$)|([^{separator}]*))'
    return [
        quoted[1:-1].replace('""', '"') if quoted else plain
        for quoted, plain in re.findall(pattern, line, re.DOTALL)
    ]


def _separator_of(header: str, first: str | None) -> str:
    """Tab, else comma or semicolon (whichever splits more), else blanks if the first row agrees or several words stand in both; else a comma."""
    bare = _QUOTED.sub("", header)
    if "\t" in bare:
        return "\t"
    if "," in bare or ";" in bare:
        return ";" if bare.count(";") > bare.count(",") else ","
    words = len(header.split())
    row = words if first is None else len(first.split())
    # Three words over two are a table with a short row, which is told by its line, and not one column of texts.
    if words > 1 and (row in (words, words + 1) or (words > 2 and row > 1)):
        return " "
    if words == 1 and first is not None and "\t" in first:
        return "\t"
    return ","


def _is_headerless(header: list[str], missing: frozenset[str]) -> bool:
    """Tell whether the first line is a row: it begins with an Ensembl id, or its other fields cannot be names."""
    if len(header) > 1 and _ENSEMBL_ROW.fullmatch(header[0]):
        return True
    values = [value for value in header[1:] if value not in missing]
    if not values or not all(NUMBER.fullmatch(value) for value in values):
        return False
    # Whole numbers that differ may be names (samples 1, 2, 3; Entrez ids) behind a first field that is a title; 0.1257 is
    # no name, and behind TP53 there are values.
    whole = len(set(values)) == len(values) and all(value.isdigit() for value in values)
    return not (whole and (not header[0] or _TITLE.search(header[0])))


def read_layout(
    path: str | Path,
    what: str,
    *,
    header: bool | None,
    comment: str,
    missing: frozenset[str],
    empty: bool = False,
) -> Layout:
    """Look at the first lines of a table.

    Parameters
    ----------
    path
        File.
    what
        What the file is, for messages.
    header
        Whether the first line is a header; ``None`` looks whether it is one.
    comment
        Text with which comment lines begin, or empty.
    missing
        What stands for a missing number.
    empty
        Whether a header without rows is a table.

    Raises
    ------
    InputError
        If the file cannot be read or has no header.
    """
    path = Path(path)
    comments: list[str] = []
    found: list[tuple[int, str]] = []
    with CheckedText(path, what) as checked:
        buffered = io.BufferedReader(checked, CHUNK)
        number = 0
        while len(found) < 2 and (line := buffered.readline()):
            number += 1
            text = line.decode().rstrip("\r\n")
            if not text.strip() or (not found and _SEPARATOR_LINE.fullmatch(text)):
                continue
            if comment and _comment(comment).match(text):
                if not found:
                    comments.append(text)
                continue
            found.append((number, text))
    if not found:
        raise InputError(f"{what} {path.name} holds no rows; expected a header and rows below it")
    skip, top = found[0]
    # UCSC, BED and PLINK write the header as a comment: "#chrom  start  end"
    named = comments[-1].lstrip("#").strip() if comments and header is not False else ""
    if named and len(found) and not comments[-1].startswith("##"):
        width = len(top.split("\t")) if "\t" in top else len(top.split())
        if width > 1 and len(named.split("\t" if "\t" in top else None)) == width and len(found) > 0:
            found.insert(0, (skip - 1, named))
            skip, top = found[0]
            comments.pop()
    first = found[1][1] if len(found) > 1 else None
    separator = _separator_of(top, first)
    columns = [name.strip() for name in split_fields(top, separator)]
    if header is False or (header is None and _is_headerless(columns, missing)):
        names = ["", *(f"d{index}" for index in range(len(columns) - 1))]
        return Layout(path, what, separator, tuple(names), skip - 1, True, False, tuple(comments), comment)
    if len(columns) > 2 and not any(columns[1:]):
        raise InputError(
            f"{what} {path.name} line {skip}: {len(columns):,} columns, but a name of the first only ({columns[0][:60]!r}); if that is "
            "a title, delete what stands before the header, else give each column a name"
        )
    extra = False
    if first is None:
        if not empty:
            raise InputError(f"{what} {path.name} has no rows below its header ({top[:60]!r})")
        return Layout(path, what, separator, tuple(columns), skip, False, extra, tuple(comments), comment)
    row = split_fields(first, separator)
    if len(row) == len(columns) + 1:
        # a separator at the end of every row, or R's row names, which have no name in the header
        extra = row[-1] == ""
        columns = columns if extra else ["", *columns]
    return Layout(path, what, separator, tuple(columns), skip, False, extra, tuple(comments), comment)


class RowStream(io.RawIOBase):
    """The rows of a table as bytes for a parser: without header and comment lines, runs of blanks as tabs.

    Parameters
    ----------
    layout
        Layout of the table.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.checked = CheckedText(layout.path, layout.what)
        self._buffered = io.BufferedReader(self.checked, CHUNK)
        self._edit = _editor(layout)
        self._pending = b""
        for _ in range(layout.skip):
            self._buffered.readline()

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Fill a buffer with the next bytes."""
        while not self._pending:
            block = self._buffered.read(CHUNK)
            if not block:
                return 0
            if self._edit is not None:
                block = self._edit(block + self._buffered.readline())
            self._pending = block
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            # absent where opening failed: the interpreter closes such an object, too
            if hasattr(self, "checked"):
                self.checked.close()
            super().close()


def _editor(layout: Layout) -> Callable[[bytes], bytes] | None:
    comment = re.escape(layout.comment.encode())
    lines = re.compile(rb"(?m)^" + comment + _ERRORS.encode() + rb".*\n?") if comment else None

    def edit(block: bytes) -> bytes:
        if lines is not None and layout.comment.encode() in block:
            block = lines.sub(b"", block)
        if layout.separator == " ":
            block = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", block)
            block = re.sub(rb"[ \t]+", b"\t", block)
        return block

    return edit if lines is not None or layout.separator == " " else None
