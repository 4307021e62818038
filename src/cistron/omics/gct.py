"""GCT, the table of the Broad Institute: version 1.2 (GTEx) and 1.3 (CLUE, DepMap), with metadata of rows and columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.runtime.number_tables import number_blocks
from cistron.runtime.table_layout import Layout
from cistron.runtime.text_files import open_text

_NAMES = ("name", "gene_id")


@dataclass(frozen=True)
class GctFile:
    """What the head of a ``.gct`` says.

    Attributes
    ----------
    layout
        Layout of its rows.
    samples
        Names of the samples.
    genes
        Number of rows that it says it has.
    metadata
        Places of the columns that hold no values.
    named
        Place of the column with the names of the rows.
    """

    layout: Layout
    samples: list[str]
    genes: int
    metadata: tuple[int, ...]
    named: int

    def blocks(self, rows: int) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield names and numbers float64 [row, sample] of blocks of rows; a missing value is NaN.

        Raises
        ------
        InputError
            If a value is no number, or the file has not as many rows as it says.
        """
        seen = 0
        for names, values in number_blocks(self.layout, text=set(self.metadata), rows=rows, named=self.named):
            seen += len(names)
            yield [name.strip() for name in names], values
        if seen != self.genes:
            raise InputError(
                f"{self.layout.label} says {self.genes:,} genes and holds {seen:,}; it may be truncated"
            )


def read_gct_head(path: Path, what: str = "matrix") -> GctFile:
    """Read the head of a ``.gct``, plain or packed.

    Parameters
    ----------
    path
        File.
    what
        What it is, for messages.

    Raises
    ------
    InputError
        If it is no GCT, or its head contradicts itself.
    """
    with open_text(path, what) as handle:
        version, shape, header = (handle.readline().rstrip("\r\n") for _ in range(3))
    label = f"{what} {path.name}"
    version = version.strip().split("\t")[0]
    if version not in ("#1.2", "#1.3"):
        raise InputError(
            f"{label} is not a .gct: the first line is {version[:40]!r}, expected '#1.2' or '#1.3'"
        )
    sizes = shape.split("\t")
    while sizes and not sizes[-1].strip():
        sizes.pop()  # a spreadsheet pads lines
    wanted = 2 if version == "#1.2" else 4
    if len(sizes) < wanted or not all(size.strip().isdigit() for size in sizes[:wanted]):
        raise InputError(
            f"{label} line 2: expected {wanted} numbers (rows, samples{', metadata of rows and of columns' if wanted == 4 else ''}). "
            f"Given: {shape[:40]!r}"
        )
    genes, samples = int(sizes[0]), int(sizes[1])
    columns = [name.strip() for name in header.split("\t")]
    before = 1 + int(sizes[2]) if wanted == 4 else len(columns) - samples
    # tissue files of GTEx have a number of the row before the name
    usual = wanted == 4 or before == 2 or (before == 3 and columns[0].lower() == "id")
    if len(columns) != before + samples or not usual:
        raise InputError(
            f"{label} line 3: {len(columns):,} columns, but line 2 says {samples:,} samples; expected Name, Description and these"
        )
    named = next((place for place in range(before) if columns[place].lower() in _NAMES), 0)
    metadata = tuple(place for place in range(1, before))
    skip = 3 + (int(sizes[3]) if wanted == 4 else 0)
    layout = Layout(path, what, "\t", tuple(columns), skip, headerless=True, comment="", named=True)
    return GctFile(layout, columns[before:], genes, metadata, named)
