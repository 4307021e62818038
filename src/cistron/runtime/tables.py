"""The one reader of delimited text tables (.tsv, .csv, .txt, packed or not).

The separator is told by the header: tab, else comma or semicolon, else blanks. Where there are tabs, only tabs separate,
so that an empty cell never shifts a row. Every row must have as many fields as the header. Numbers are parsed by pyarrow;
a second, slow look at a file that it refuses finds the line and the column to name.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime.table_layout import NUMBER, Layout, RowStream, read_layout
from cistron.runtime.text_files import CHUNK

if TYPE_CHECKING:
    import pyarrow as pa

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
_BLOCKS = (1 << 22, 1 << 26, 1 << 29)
_WIDE = 2000
_SAMPLE = 100


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are text as they stand in the file, without blanks around them.

    Attributes
    ----------
    layout
        Separator and header.
    data
        Arrow table of text, one column per column of the file.
    remarks
        What was noticed, one sentence each.
    """

    layout: Layout
    data: "pa.Table"
    remarks: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.layout.columns

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def _index(self, column: str) -> int:
        places = [place for place, name in enumerate(self.columns) if name == column]
        if len(places) != 1:
            problem = (
                f"columns {' and '.join(str(place + 1) for place in places)} are both called {column!r}; rename one"
                if places
                else f"has no column {column!r}; its columns are {', '.join(self.columns[:8])}"
            )
            raise InputError(f"{self.layout.label} {problem}")
        return places[0]

    def text(self, column: str) -> list[str]:
        """Cells of a column as text.

        Raises
        ------
        InputError
            If there is no such column, or two.
        """
        return self.data.column(self._index(column)).to_pylist()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All cells as text; a name that occurs again is followed by .1, .2, ..."""
        names = unique_names(self.columns)
        return pd.DataFrame(
            {name: self.data.column(place).to_pylist() for place, name in enumerate(names)},
            dtype=object,
            columns=names,
        )

    def numbers(self, column: str, *, missing: bool = True) -> np.ndarray:
        """Cells of a column as numbers, float64 [row]; NaN where a cell is one of :data:`MISSING`.

        Parameters
        ----------
        column
            Name of the column.
        missing
            Whether cells may be missing.

        Raises
        ------
        InputError
            If a cell is no number, or is missing where it may not; line and column are named.
        """
        cells = np.array(self.text(column), dtype=object)
        absent = np.array([cell in MISSING for cell in cells], dtype=bool)
        if absent.any() and not missing:
            row = int(absent.argmax())
            raise InputError(
                f"{self.layout.label} line {self.layout.line_of(row)}: {column} is missing ({cells[row]!r})"
            )
        values = np.full(len(cells), np.nan)
        comma = self.layout.separator != "," and _decimal_comma(cells[~absent])
        for row in np.flatnonzero(~absent).tolist():
            cell = cells[row].replace(",", ".") if comma else cells[row]
            if not NUMBER.fullmatch(cell):
                raise InputError(
                    f"{self.layout.label} line {self.layout.line_of(row)}: {column} is {cells[row][:60]!r}, not a number"
                )
            values[row] = float(cell)
        return values


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


def unique_names(names: Sequence[str]) -> list[str]:
    """Give each name once; one that occurs again is followed by ``.1``, ``.2``, ..."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 0
        while candidate in taken:
            number += 1
            candidate = f"{name}.{number}"
        taken.add(candidate)
        unique.append(candidate)
    return unique


def read_text_table(
    path: str | Path,
    what: str = "table",
    *,
    columns: Sequence[str] = (),
    header: bool | None = True,
    comment: str = "#",
) -> TextTable:
    """Read a delimited table, all cells as text.

    Parameters
    ----------
    path
        File, plain or packed (:mod:`cistron.runtime.text_files`).
    what
        What the file is, for messages.
    columns
        Columns that it must have.
    header
        Whether the first line is a header; ``None`` looks whether it is one.
    comment
        Text with which comment lines begin, or empty.

    Returns
    -------
    TextTable
        The cells; ``NA``, ``nan``, ``1e5`` and ``1-Mar`` stay what they are.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, lacks a column, or a row has more or fewer fields than the header.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    layout = read_layout(path, what, header=header, comment=comment, missing=MISSING)
    absent = [column for column in columns if column not in layout.columns]
    if absent:
        raise InputError(
            f"{layout.label} has no column {absent[0]!r}; expected a header with {', '.join(columns)}. "
            f"Given: {', '.join(layout.columns[:8])[:200]} (separated by {layout.separated_by})"
        )
    remarks: list[str] = []
    batches = list(_parse(layout, {}, remarks))
    if not batches:
        raise InputError(f"{layout.label} has no rows below its header")
    data = pa.Table.from_batches(batches)
    cells = [pc.utf8_trim_whitespace(column) for column in data.columns[: len(layout.columns)]]
    empty = pc.equal(cells[0], "")
    for column in cells[1:]:
        empty = pc.and_(empty, pc.equal(column, ""))
    skipped = int(pc.sum(empty).as_py() or 0)
    if skipped:
        remarks.append(f"{layout.label}: {skipped:,} empty rows were skipped")
        data = data.filter(pc.invert(empty))
    return TextTable(layout, data, tuple(remarks))


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
    layout = read_layout(path, what, header=header, comment=comment, missing=MISSING)
    if len(layout.columns) < 2:
        raise InputError(
            f"{layout.label} has one column only ({layout.columns[0][:60]!r}); expected names and numbers separated by tabs, "
            "commas, semicolons or blanks"
        )
    remarks = []
    if layout.headerless:
        remarks.append(
            f"{layout.label} has no header: its first line is a row, and columns are called d0, d1, ..."
        )
    text, comma = _look_ahead(layout)
    try:
        found = _read_numbers(layout, text, comma, remarks)
    except _NotNumbersError:
        text, comma = _judge_columns(layout)
        found = _read_numbers(layout, text, comma, remarks)
    if comma:
        remarks.append(f"{layout.label} writes numbers with a decimal comma and was read so")
    again = [name for name, count in Counter(layout.columns).items() if count > 1]
    if again:
        remarks.append(
            f"{layout.label}: {len(again):,} column names occur more than once, for example {again[0]!r}"
        )
    names, values, words = found
    columns = unique_names(layout.columns)
    numeric = [columns[place] for place in range(1, len(columns)) if place not in text]
    index = pd.Index(names, dtype=object, name=columns[0] or None)
    frame = pd.DataFrame(values, index=index, columns=numeric)
    beside = pd.DataFrame({columns[place]: words[place] for place in words}, index=index, dtype=object)
    return NumberTable(layout, frame, beside, tuple(remarks))


class _NotNumbersError(Exception):
    """pyarrow met a cell that is no number in a column that was taken for one."""


def _parse(
    layout: Layout, types: Mapping[int, Any], remarks: list[str], comma: bool = False
) -> Iterator["pa.RecordBatch"]:
    """Yield batches of rows; columns without a type are text."""
    # A block costs time per column, so that wide tables want few blocks.
    for size in _BLOCKS if layout.width < _WIDE else _BLOCKS[1:]:
        try:
            yield from _parse_blocks(layout, types, remarks, comma, size)
            return
        except _LongLineError:
            continue
    raise InputError(f"{layout.label}: a line is longer than {_BLOCKS[-1] >> 20} MB")


class _LongLineError(Exception):
    """A line does not fit a block."""


def _parse_blocks(
    layout: Layout, types: Mapping[int, Any], remarks: list[str], comma: bool, size: int
) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa
    from pyarrow import csv

    names = [f"c{place}" for place in range(layout.width)]
    yielded = False
    with RowStream(layout) as rows:
        try:
            reader = csv.open_csv(
                pa.PythonFile(io.BufferedReader(rows, CHUNK), mode="r"),
                csv.ReadOptions(column_names=names, block_size=size),
                csv.ParseOptions(
                    delimiter="\t" if layout.separator == " " else layout.separator, newlines_in_values=True
                ),
                csv.ConvertOptions(
                    column_types={name: types.get(place, pa.string()) for place, name in enumerate(names)},
                    null_values=sorted(MISSING),
                    strings_can_be_null=False,
                    decimal_point="," if comma else ".",
                ),
            )
            for batch in reader:
                if batch.num_rows:
                    if layout.extra and any(
                        value not in ("", None) for value in batch.column(layout.width - 1).to_pylist()
                    ):
                        layout_without = Layout(
                            layout.path, layout.what, layout.separator, layout.columns, layout.skip
                        )
                        layout_without.require_even_rows()
                    yielded = True
                    yield batch
        except InputError:
            raise
        except (pa.ArrowException, OSError, ValueError, EOFError) as error:
            if rows.checked.failure is not None:
                raise rows.checked.failure from error
            message = str(error)
            if "straddling" in message and not yielded:
                raise _LongLineError from error
            if "conversion error" in message:
                raise _NotNumbersError from error
            if "Empty CSV" in message:
                return
            layout.require_even_rows()
        remarks.extend(remark for remark in rows.checked.remarks if remark not in remarks)


def _look_ahead(layout: Layout) -> tuple[set[int], bool]:
    """Which columns look like text in the first rows, and whether numbers have a decimal comma."""
    bad: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    for _, fields in islice(layout.rows(), _SAMPLE):
        for place, value in enumerate(fields[1:], 1):
            cell = value.strip()
            if cell in MISSING:
                continue
            seen[place] += 1
            if NUMBER.fullmatch(cell):
                continue
            if layout.separator != "," and NUMBER.fullmatch(cell.replace(",", ".", 1)):
                return _judge_columns(layout)
            bad[place] += 1
    return {place for place in seen if bad[place] >= 0.5 * seen[place]}, False


def _decimal_comma(cells: Sequence[str] | np.ndarray) -> bool:
    """Tell whether numbers are written like ``3,5``: some are, and none has a point."""
    comma = False
    for cell in cells:
        if "," in cell and NUMBER.fullmatch(cell.replace(",", ".", 1)):
            comma = True
        elif "." in cell and NUMBER.fullmatch(cell):
            return False
    return comma


def _judge_columns(layout: Layout) -> tuple[set[int], bool]:
    """Look at every cell: which columns are text, whether there is a decimal comma, and which cell is wrong."""
    width = len(layout.columns)
    seen, points, commas = np.zeros(width, int), np.zeros(width, int), np.zeros(width, int)
    bad = np.zeros(width, int)
    example: dict[int, tuple[int, str]] = {}
    ambiguous = True
    for line, fields in layout.rows():
        for place, value in enumerate(fields[1:width], 1):
            cell = value.strip()
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
                example.setdefault(place, (line, cell))
            else:
                bad[place] += 1
                example[place] = example.get(place, (line, cell)) if bad[place] > 1 else (line, cell)
    numeric = bad < 0.5 * np.maximum(seen, 1)
    comma = bool(commas[numeric].any())
    if comma and points[numeric].any():
        place = int((commas * numeric).argmax())
        line, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} is {cell!r}, but other numbers have a decimal point; "
            "write all numbers with a point"
        )
    if comma and ambiguous and layout.separator != ";":
        place = int(commas.argmax())
        line, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} is {cell!r}, which may be a thousand or a decimal comma; "
            "write numbers with a point and without separators"
        )
    if not comma:
        bad += commas
    text = {place for place in range(1, width) if seen[place] and bad[place] >= 0.5 * seen[place]}
    wrong = [place for place in range(1, width) if bad[place] and place not in text]
    if wrong:
        place = min(wrong, key=lambda number: example[number][0])
        line, cell = example[place]
        raise InputError(
            f"{layout.label} line {line}: {layout.columns[place]} is {cell[:60]!r}, not a number "
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
    for batch in _parse(layout, dict.fromkeys(numeric, pa.float64()), remarks, comma):
        names += [name.strip() for name in batch.column(0).to_pylist()]
        for place in words:
            words[place] += [word.strip() for word in batch.column(place).to_pylist()]
        block = np.empty((batch.num_rows, len(numeric)))
        for number, place in enumerate(numeric):
            block[:, number] = batch.column(place).to_numpy(zero_copy_only=False)
        blocks.append(block)
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
