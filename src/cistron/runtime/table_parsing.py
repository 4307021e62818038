"""Parse the rows of a delimited table with pyarrow, block by block."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cistron.errors import InputError
from cistron.runtime.table_layout import MISSING, NUMBER, Layout, RowStream
from cistron.runtime.text_files import CHUNK

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCKS = (1 << 22, 1 << 26, 1 << 29)
_WIDE = 2000


class NotNumbersError(Exception):
    """pyarrow met a cell that is no number in a column that was taken for one."""


def parse_rows(
    layout: Layout, types: Mapping[int, Any], remarks: list[str], comma: bool = False
) -> Iterator["pa.RecordBatch"]:
    """Yield batches of rows; columns without a type are text.

    Parameters
    ----------
    layout
        What was found out of the file: separator, header, width.
    types
        Arrow type by number of the column.
    remarks
        Remarks are appended to it.
    comma
        Whether numbers have a decimal comma.
    """
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
                raise NotNumbersError from error
            if "Empty CSV" in message:
                return
            layout.require_even_rows()
        remarks.extend(remark for remark in rows.checked.remarks if remark not in remarks)


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


def has_decimal_comma(cells: Sequence[str] | np.ndarray) -> bool:
    """Tell whether numbers are written like ``3,5``: some are, and none has a point."""
    comma = False
    for cell in cells:
        if "," in cell and NUMBER.fullmatch(cell.replace(",", ".", 1)):
            comma = True
        elif "." in cell and NUMBER.fullmatch(cell):
            return False
    return comma
