"""GTEx expression of all samples, streamed from its .gct."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.genes.identity import normalise_identifiers
from cistron.omics.duplicates import Merging
from cistron.omics.gct import GctFile, read_gct_head
from cistron.omics.matrix import samples_of
from cistron.omics.parquet_values import ParquetTable
from cistron.omics.prepared import PreparationSettings, Prepared, in_universe, merged_genes
from cistron.runtime.progress import Progress

_ROWS = 500


class _GtexParquet:
    """The Parquet form of GTEx's tables (since v10), with what is asked of a GCT: columns ``Name``, ``Description``, samples."""

    def __init__(self, path: Path) -> None:
        table = ParquetTable(path)
        example = table.column(table.text[0]).iloc[0] if table.text else ""
        self.samples, _ = samples_of(table.numbers, table.text, example, f"GTEx file {path.name}")
        self._names, self._values, self._path = table.names, table.matrix(self.samples), path

    def blocks(self, rows: int) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield names and numbers [row, sample] of blocks of rows."""
        for start in range(0, len(self._names), rows):
            stop = min(start + rows, len(self._names))
            yield list(self._names[start:stop]), np.asarray(self._values.rows(start, stop))

    @property
    def genes(self) -> int:
        """Number of rows."""
        return len(self._names)

    def place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"GTEx file {self._path.name} row {row + 1}"


def prepare_gtex(path: Path, settings: PreparationSettings) -> Prepared:
    """GTEx TPM (.gct, .gct.gz, .parquet), all samples, streamed: log10(TPM + 1), divided by one global deviation.

    Genes keep their level, as everywhere by default; ``centre_genes`` takes it out, as the report did. The file is read twice, in blocks of rows: for names and the deviation, and for the values; once more where genes that
    occur twice are summed or averaged.
    """
    head = _GtexParquet(path) if _is_parquet(path) else read_gct_head(path, "GTEx file")
    centre = settings.matrix.centre_genes
    names: list[str] = []
    squares, total, count = 0.0, 0.0, 0
    with Progress("reading GTEx", head.genes, "genes") as progress:
        for part, block in _blocks(head):
            names += part
            logged = _logged(block, centre)
            squares += float(np.nansum(np.square(logged, dtype=np.float64)))
            total += float(np.nansum(logged, dtype=np.float64))
            count += int(np.isfinite(logged).sum())
            progress.advance(len(part))
    steps = [
        f"GTEx TPM of {len(names):,} genes in {len(head.samples):,} samples",
        f"log10(TPM + 1), genes {'centred' if centre else 'not centred (--matrix.centre-genes centres them)'}",
    ]
    found = merged_genes(names, settings, f"GTEx file {path.name}", steps)
    inside = in_universe(found.genes, settings, steps)
    mean = total / max(count, 1)
    deviation = np.sqrt(max(squares / max(count, 1) - mean**2, 0.0)) or 1.0
    steps.append(f"divided by the global standard deviation {deviation:.4f}")
    merged = _merged_rows(head, found)

    def blocks() -> Iterator[np.ndarray]:
        start, number_of = 0, np.full(len(names), -1)
        number_of[found.first[inside]] = np.flatnonzero(inside)
        for part, block in _blocks(head):
            numbers = number_of[start : start + len(part)]
            start += len(part)
            chosen = np.flatnonzero(numbers >= 0)
            block = block[chosen]
            for place, number in enumerate(numbers[chosen].tolist()):
                if number in merged:
                    block[place] = merged[number]
            if len(block):
                yield _logged(block, centre) / np.float32(deviation)

    return Prepared([gene for gene, keep in zip(found.genes, inside) if keep], head.samples, blocks(), steps)


def _merged_rows(head: GctFile | _GtexParquet, found: Merging) -> dict[int, np.ndarray]:
    """Sum or mean of the rows of genes that occur more than once, by the number of the gene."""
    wanted = {
        row: number for number, others in found.further.items() for row in (int(found.first[number]), *others)
    }
    rows: dict[int, list[np.ndarray]] = {}
    start = 0
    for part, block in _blocks(head) if wanted else ():
        for place in range(len(part)):
            if start + place in wanted:
                rows.setdefault(wanted[start + place], []).append(block[place])
        start += len(part)
    return {number: found.merged(np.stack(several)) for number, several in rows.items()}


def _logged(block: np.ndarray, centre: bool) -> np.ndarray:
    values: np.ndarray = np.log10(block + np.float32(1))
    if not centre:
        return values
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=1, keepdims=True)
    return values - total / np.maximum(known.sum(axis=1, keepdims=True), 1)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _blocks(head: GctFile | _GtexParquet) -> Iterator[tuple[list[str], np.ndarray]]:
    """Blocks of genes as float32 [gene, sample]; an empty cell is NaN, anything else must be a number of 0 or more."""
    row = 0
    for names, block in head.blocks(_ROWS):
        wrong = ~((block >= 0) & (block < np.finfo(np.float32).max)) & ~np.isnan(block)
        if wrong.any():
            place, column = map(int, np.argwhere(wrong)[0])
            raise InputError(
                f"{_where(head, row + place)}: sample {head.samples[column]} of {names[place]} is "
                f"{block[place, column]:g}; TPM are finite and not negative"
            )
        row += len(names)
        yield normalise_identifiers(names, "ensembl"), block.astype(np.float32)


def _where(head: GctFile | _GtexParquet, row: int) -> str:
    if isinstance(head, _GtexParquet):
        return head.place(row)
    return f"{head.layout.label} line {head.layout.line_of(row)}"
