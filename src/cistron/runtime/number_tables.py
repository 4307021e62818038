"""Read tables of numbers, and find the line and the column of what is no number."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime.table_layout import MISSING, NUMBER, Layout, read_layout
from cistron.runtime.table_parsing import NotNumbersError, parse_rows, unique_names

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE, _SAMPLE_CELLS = 100, 200_000
_GROUPED = re.compile(
    r"[+-]?\d{1,3}(?:(,\d{3})+(?:\.\d*)?|(\.\d{3})+,\d*|(\.\d{3}){2,}|([ '\u2019\xa0\u202f]\d{3})+(?:[.,]\d*)?)"
)
_POINT_OF_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_FEWEST_POINTS = 10


@dataclass(frozen=True)
class NumberTable:
    """A table with names in its first column and numbers in the others.

    Attributes
    ----------
    layout
        Separator and header.
    values
        Numbers float64 [row, column], by the names of the first column as they stand in the file.
    text
        Columns that hold text (descriptions, symbols), by the same names.
    remarks
        What was noticed, one sentence each.
    """

    layout: Layout
    values: pd.DataFrame
    text: pd.DataFrame
    remarks: tuple[str, ...] = field(default=())


def read_number_table(
    path: str | Path, what: str = "table", *, header: bool | None = None, comment: str = "#"
) -> NumberTable:
    """Read a delimited table of numbers with names in its first column.

    Parameters
    ----------
    path
        File, plain or packed.
    what
        What the file is, for messages.
    header
        Whether the first line is a header; ``None`` looks whether it is one. Columns of a table without one are
        called ``d0``, ``d1``, ..., and a remark says so.
    comment
        Text with which comment lines before the header begin, or empty.

    Returns
    -------
    NumberTable
        Numbers, and beside them the columns that hold text. A column is text if at least half of its cells are no
        numbers.

    Raises
    ------
    InputError
        If the file cannot be read, a row has no name or more or fewer fields than the header, or a column of
        numbers holds something else; line and column are named.
    """
    return read_numbers(read_layout(path, what, header=header, comment=comment, missing=MISSING))


def read_numbers(layout: Layout) -> NumberTable:
    """Read the numbers of a table whose layout is known, as :func:`read_number_table`."""
    if len(layout.columns) < 2:
        raise InputError(
            f"{layout.label} has one column only ({layout.columns[0][:60]!r}); expected names and numbers separated by tabs, "
            "commas, semicolons or blanks"
        )
    remarks = []
    if layout.headerless and not layout.named:
        remarks.append(
            f"{layout.label} has no header: its first line is a row, and columns are called d0, d1, ..."
        )
    text, comma = _look_ahead(layout)
    try:
        found = _read_numbers(layout, text, comma, remarks)
    except NotNumbersError:
        text, comma = _judge_columns(layout)
        try:
            found = _read_numbers(layout, text, comma, remarks)
        except NotNumbersError as error:
            raise InputError(_unusual(layout)) from error
    if comma:
        remarks.append(f"{layout.label} writes numbers with a decimal comma and was read so")
    again = [name for name, count in Counter(layout.columns).items() if count > 1 and name]
    if again:
        remarks.append(
            f"{layout.label}: {len(again):,} column names occur more than once, for example {again[0]!r}"
        )
    names, values, words = found
    columns = unique_names(layout.columns)
    places = [place for place in range(1, len(columns)) if place not in text]
    index = pd.Index(names, dtype=object, name=columns[0] or None)
    frame = pd.DataFrame(values, index=index, columns=[columns[place] for place in places])
    # A spreadsheet writes the empty columns beside a table where they were once touched.
    blank = np.array([not layout.columns[place] for place in places], dtype=bool) & np.isnan(values).all(
        axis=0
    )
    if blank.any():
        frame = frame.loc[:, ~blank]
        remarks.append(
            f"{layout.label}: {int(blank.sum()):,} columns without a name and without values were left out"
        )
    beside = pd.DataFrame({columns[place]: words[place] for place in words}, index=index, dtype=object)
    return NumberTable(layout, frame, beside, tuple(remarks))


def number_blocks(
    layout: Layout, text: Collection[int] = (), rows: int = 1000, named: int = 0
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield names and numbers of a table block by block, for tables that do not fit into memory.

    Parameters
    ----------
    layout
        Layout of the table.
    text
        Places of columns that hold text, which are not given.
    rows
        Most rows of a block.
    named
        Place of the column with the names.

    Yields
    ------
    names
        Names of the rows, text.
    values
        Numbers float64 [row, column]; NaN where a cell is one of :data:`cistron.runtime.table_layout.MISSING`.

    Raises
    ------
    InputError
        As :func:`read_number_table`.
    """
    import pyarrow as pa

    numeric = [place for place in range(1, len(layout.columns)) if place not in text]
    try:
        for batch in parse_rows(layout, dict.fromkeys(numeric, pa.float64()), []):
            for start in range(0, batch.num_rows, rows):
                part = batch.slice(start, rows)
                yield part.column(named).to_pylist(), _numbers_of(part, numeric)
    except NotNumbersError as error:
        _judge_columns(layout)
        raise InputError(_unusual(layout)) from error


def _unusual(layout: Layout) -> str:
    return f"{layout.label} holds numbers in an unusual form; write them plainly, as 1.5 or 2e-3"


def _numbers_of(batch: "pa.RecordBatch", numeric: list[int]) -> np.ndarray:
    block = np.empty((batch.num_rows, len(numeric)))
    for number, place in enumerate(numeric):
        block[:, number] = batch.column(place).to_numpy(zero_copy_only=False)
    return block


def _look_ahead(layout: Layout) -> tuple[set[int], bool]:
    """Which columns look like text in the first rows, and whether numbers have a decimal comma."""
    bad: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    grouped: dict[int, tuple[int, str, str]] = {}
    points = _ThousandPoints()
    spreadsheet = layout.separator in (";", "\t")
    for line, fields in islice(layout.rows(), max(5, min(_SAMPLE, _SAMPLE_CELLS // layout.width))):
        for place, value in enumerate(fields[1:], 1):
            cell = value.strip(" \t")  # as pyarrow does
            if cell in MISSING:
                continue
            seen[place] += 1
            if NUMBER.fullmatch(cell):
                if spreadsheet:
                    points.add(place, line, fields[0], cell)
                continue
            if layout.separator != "," and NUMBER.fullmatch(cell.replace(",", ".", 1)):
                return _judge_columns(layout)
            bad[place] += 1
            if _GROUPED.fullmatch(cell):
                grouped.setdefault(place, (line, fields[0], cell))
    text = {place for place in seen if bad[place] >= 0.5 * seen[place]}
    for place in sorted(text & set(grouped)):
        raise _separators(layout, place, *grouped[place], "has separators of thousands")
    if (place_and_cell := points.found()) is not None:
        raise _separators(layout, *place_and_cell, "may have a point as a separator of thousands")
    return text, False


class _ThousandPoints:
    """Finds a column of numbers such as 12.345 beside 980, as a spreadsheet writes that separates thousands by points.

    A column that was rounded to three digits is another thing: there, whole numbers have three digits behind the point as well. So is any
    file that has another number of digits, or a number below 1, behind a point somewhere.
    """

    def __init__(self) -> None:
        self._with_point: Counter[int] = Counter()
        self._whole: Counter[int] = Counter()
        self._example: dict[int, tuple[int, str, str]] = {}
        self._large: set[int] = set()
        self._plain = False

    def add(self, place: int, line: int, name: str, cell: str) -> None:
        if _POINT_OF_THOUSANDS.fullmatch(cell):
            self._with_point[place] += 1
            self._example.setdefault(place, (line, name, cell))
        elif not cell.isdigit():
            self._plain = True
        elif int(cell) > 999:
            self._large.add(place)
        else:
            self._whole[place] += cell != "0"

    def found(self) -> tuple[int, int, str, str] | None:
        """Column, line, name and cell; ``None`` where points are decimal points, as they should be."""
        for place, count in self._with_point.items():
            if (
                not self._plain
                and count >= _FEWEST_POINTS
                and self._whole[place]
                and place not in self._large
            ):
                return place, *self._example[place]
        return None


def _separators(layout: Layout, place: int, line: int, name: str, cell: str, what: str) -> InputError:
    return InputError(
        f"{layout.label} line {line}: {layout.columns[place]} of {name[:40]} is {cell[:60]!r}, which {what}; "
        "write numbers with a point and without separators"
    )


def _judge_columns(layout: Layout) -> tuple[set[int], bool]:
    """Look at every cell: which columns are text, whether there is a decimal comma, and which cell is wrong."""
    width = len(layout.columns)
    seen, points, commas = np.zeros(width, int), np.zeros(width, int), np.zeros(width, int)
    bad = np.zeros(width, int)
    example: dict[int, tuple[int, str, str]] = {}
    grouped: dict[int, tuple[int, str, str]] = {}
    ambiguous = True
    for line, fields in layout.rows():
        for place, value in enumerate(fields[1:width], 1):
            cell = value.strip(" \t")  # as pyarrow does
            if cell in MISSING:
                continue
            seen[place] += 1
            if NUMBER.fullmatch(cell):
                points[place] += "." in cell
            elif (
                layout.separator != "," and cell.count(",") == 1 and NUMBER.fullmatch(cell.replace(",", "."))
            ):
                commas[place] += 1
                ambiguous &= len(cell.partition(",")[2]) == 3 and cell.lstrip("+-").partition(",")[0] not in (
                    "",
                    "0",
                )
                example.setdefault(place, (line, fields[0], cell))
            else:
                bad[place] += 1
                if bad[place] == 1:
                    example[place] = line, fields[0], cell
                if _GROUPED.fullmatch(cell):
                    grouped.setdefault(place, (line, fields[0], cell))
    numeric = bad < 0.5 * np.maximum(seen, 1)
    comma = bool(commas[numeric].any())
    if comma and points[numeric].any():
        place = int((commas * numeric).argmax())
        line, name, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} of {name[:40]} is {cell!r}, but other numbers have a decimal point; "
            "write all numbers with a point"
        )
    if comma and ambiguous and layout.separator != ";":
        place = int(commas.argmax())
        line, name, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} of {name[:40]} is {cell!r}, which may be a thousand or a decimal comma; "
            "write numbers with a point and without separators"
        )
    if not comma:
        bad += commas
    text = {place for place in range(1, width) if seen[place] and bad[place] >= 0.5 * seen[place]}
    for place in sorted(text & set(grouped)):
        raise _separators(layout, place, *grouped[place], "has separators of thousands")
    wrong = [place for place in range(1, width) if bad[place] and place not in text]
    if wrong:
        place = min(wrong, key=lambda number: example[number][0])
        line, name, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} of {name[:40]} is {cell[:60]!r}, not a number "
            f"({int(bad[wrong].sum()):,} such cells); correct it or leave it empty"
        )
    return text, comma


def _read_numbers(
    layout: Layout, text: set[int], comma: bool, remarks: list[str]
) -> tuple[list[str], np.ndarray, dict[int, list[str]]]:
    import pyarrow as pa

    numeric = [place for place in range(1, len(layout.columns)) if place not in text]
    names: list[str] = []
    words: dict[int, list[str]] = {place: [] for place in sorted(text)}
    blocks = []
    for batch in parse_rows(layout, dict.fromkeys(numeric, pa.float64()), remarks, comma):
        names += [name.strip() for name in batch.column(0).to_pylist()]
        for place in words:
            words[place] += [word.strip() for word in batch.column(place).to_pylist()]
        blocks.append(_numbers_of(batch, numeric))
    values = np.concatenate(blocks) if blocks else np.empty((0, len(numeric)))
    nameless = [row for row, name in enumerate(names) if not name]
    if nameless:
        empty = [
            row
            for row in nameless
            if np.isnan(values[row]).all() and not any(words[place][row] for place in words)
        ]
        if len(empty) < len(nameless):
            row = next(row for row in nameless if row not in set(empty))
            raise InputError(
                f"{layout.label} line {layout.line_of(row)}: no name in the first column ({len(nameless):,} such rows); give each row one"
            )
        remarks.append(f"{layout.label}: {len(empty):,} empty rows were skipped")
        kept = [row for row, name in enumerate(names) if name]
        names, values = [names[row] for row in kept], values[kept]
        words = {place: [words[place][row] for row in kept] for place in words}
    return names, values, words
