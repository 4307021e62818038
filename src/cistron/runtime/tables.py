"""The one reader of delimited text tables (.tsv, .csv, .txt, packed or not).

The separator is told by the header: tab, else comma or semicolon, else blanks. Where there are tabs, only tabs separate,
so that an empty cell never shifts a row. Every row must have as many fields as the header. Numbers are parsed by pyarrow;
a second, slow look at a file that it refuses finds the line and the column to name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.runtime.number_tables import NumberTable, read_number_table
from cistron.runtime.table_layout import MISSING, NUMBER, Layout, read_layout
from cistron.runtime.table_parsing import has_decimal_comma, parse_rows, unique_names

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MISSING", "NumberTable", "TextTable", "read_number_table", "read_text_table"]


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

    def _parsed(self, column: str) -> np.ndarray | None:
        """Numbers as pyarrow parses them, or None where it refuses a cell."""
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = self.data.column(self._index(column))
        absent = pc.is_in(cells, pa.array(sorted(MISSING)))
        try:
            return pc.if_else(absent, None, cells).cast(pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return None

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
        fast = self._parsed(column)
        if fast is not None and (missing or not np.isnan(fast).any()):
            return fast
        cells = np.array(self.text(column), dtype=object)
        absent = np.array([cell in MISSING for cell in cells], dtype=bool)
        if absent.any() and not missing:
            row = int(absent.argmax())
            raise InputError(
                f"{self.layout.label} line {self.layout.line_of(row)}: {column} is missing ({cells[row]!r})"
            )
        values = np.full(len(cells), np.nan)
        comma = self.layout.separator != "," and has_decimal_comma(cells[~absent])
        for row in np.flatnonzero(~absent).tolist():
            cell = cells[row].replace(",", ".") if comma else cells[row]
            if not NUMBER.fullmatch(cell):
                raise InputError(
                    f"{self.layout.label} line {self.layout.line_of(row)}: {column} is {cells[row][:60]!r}, not a number"
                )
            values[row] = float(cell)
        return values


def read_text_table(
    path: str | Path,
    what: str = "table",
    *,
    columns: Sequence[str] = (),
    header: bool | None = True,
    comment: str = "#",
    empty: bool = False,
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
    empty
        Whether a header without rows is a table.

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

    layout = read_layout(path, what, header=header, comment=comment, missing=MISSING, empty=empty)
    absent = [column for column in columns if column not in layout.columns]
    if absent:
        raise InputError(
            f"{layout.label} has no column {absent[0]!r}; expected a header with {', '.join(columns)}. "
            f"Given: {', '.join(layout.columns[:8])[:200]} (separated by {layout.separated_by})"
        )
    remarks: list[str] = []
    batches = list(parse_rows(layout, {}, remarks))
    if not batches and not empty:
        raise InputError(f"{layout.label} has no rows below its header")
    if not batches:
        return TextTable(
            layout, pa.table({f"c{place}": pa.array([], pa.string()) for place in range(len(layout.columns))})
        )
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
