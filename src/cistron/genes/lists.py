"""Lists of genes: one per line, in the first column."""

import re
from pathlib import Path

from cistron.errors import InputError
from cistron.genes.columns import ACCEPTED_COLUMNS, plain_column
from cistron.runtime.text_files import read_lines

_HEADERS = frozenset(
    {"genes", *(name for key in ("gene", "symbol", "entrez") for name in ACCEPTED_COLUMNS[key].split())}
)


def read_gene_list(path: str | Path, what: str = "gene list") -> list[str]:
    """Read a list of genes, each once, in the order of the file.

    Parameters
    ----------
    path
        Text file with one gene id or symbol per line, plain or packed; what follows it behind a tab, comma, semicolon or
        blank is not read. Lines that begin with ``#`` and a header of a usual name are skipped.
    what
        What the list is, for messages.

    Raises
    ------
    InputError
        If the file cannot be read or names no gene.
    """
    genes = []
    for number, line in read_lines(path, what):
        gene = re.split(r"[\t,;\s]", line.strip(), maxsplit=1)[0].strip("\"'")
        if line.startswith("#") or not gene:
            continue
        if len(gene) > 200:
            raise InputError(
                f"{what} {Path(path).name} line {number}: {len(gene):,} letters are no gene; expected one per line"
            )
        genes.append(gene)
    if genes and plain_column(genes[0]) in _HEADERS:
        genes = genes[1:]
    if not genes:
        raise InputError(f"{what} {Path(path).name} names no gene; expected one per line")
    return list(dict.fromkeys(genes))
