"""GTEx expression of all samples, streamed from its .gct."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cistron.errors import InputError
from cistron.genes.identity import normalise_identifiers
from cistron.omics.duplicates import Merging
from cistron.omics.gct import GctFile, read_gct_head
from cistron.omics.prepared import PreparationSettings, Prepared, in_universe, merged_genes
from cistron.runtime.progress import Progress

_ROWS = 500


def prepare_gtex(path: Path, settings: PreparationSettings) -> Prepared:
    """GTEx TPM (.gct, .gct.gz), all samples, streamed: log10(TPM + 1), genes centred, one global deviation.

    The file is read twice, in blocks of rows: for names and the deviation, and for the values; once more where genes that
    occur twice are summed or averaged.
    """
    head = read_gct_head(path, "GTEx file")
    names: list[str] = []
    squares, count = 0.0, 0
    with Progress("reading GTEx", unit="genes") as progress:
        for part, block in _blocks(head):
            names += part
            block = _log_centred(block)
            squares += float(np.nansum(np.square(block, dtype=np.float64)))
            count += int(np.isfinite(block).sum())
            progress.advance(len(part))
    steps = [
        f"GTEx TPM of {len(names):,} genes in {len(head.samples):,} samples",
        "log10(TPM + 1), genes centred",
    ]
    found = merged_genes(names, settings, f"GTEx file {path.name}", steps)
    inside = in_universe(found.genes, settings, steps)
    deviation = np.sqrt(squares / max(count, 1)) or 1.0
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
                yield _log_centred(block) / np.float32(deviation)

    return Prepared([gene for gene, keep in zip(found.genes, inside) if keep], head.samples, blocks(), steps)


def _merged_rows(head: GctFile, found: Merging) -> dict[int, np.ndarray]:
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


def _log_centred(block: np.ndarray) -> np.ndarray:
    values = np.log10(block + np.float32(1))
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=1, keepdims=True)
    return values - total / np.maximum(known.sum(axis=1, keepdims=True), 1)


def _blocks(head: GctFile) -> Iterator[tuple[list[str], np.ndarray]]:
    """Blocks of genes as float32 [gene, sample]; an empty cell is NaN, anything else must be a number of 0 or more."""
    row = 0
    for names, block in head.blocks(_ROWS):
        wrong = ~((block >= 0) & (block < np.finfo(np.float32).max)) & ~np.isnan(block)
        if wrong.any():
            place, column = map(int, np.argwhere(wrong)[0])
            raise InputError(
                f"{head.layout.label} line {head.layout.line_of(row + place)}: sample {head.samples[column]} of {names[place]} is "
                f"{block[place, column]:g}; TPM are finite and not negative"
            )
        row += len(names)
        yield normalise_identifiers(names, "ensembl"), block.astype(np.float32)
