"""Gene places in tables (.tsv, .csv, Parquet) and BED files."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import find_columns, plain_column
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.start_sites import UNTAGGED, tag_rank
from cistron.runtime.text_files import open_text

# These count from 1 and include the end: BioMart's web page, its R package, and MAGMA (GENE CHR START STOP).
_FROM_ONE = {
    "gene_start_bp": "BioMart",
    "gene_end_bp": "BioMart",
    "transcription_start_site_tss": "BioMart",
    "start_position": "BioMart",
    "end_position": "BioMart",
    "transcription_start_site": "BioMart",
    "stop": "MAGMA",
}
_STRANDS = {"+": "+", "1": "+", "+1": "+", "1.0": "+", "plus": "+", "forward": "+"} | {
    "-": "-", "-1": "-", "-1.0": "-", "minus": "-", "reverse": "-", "\N{MINUS SIGN}": "-"
}  # fmt: skip
_NO_STRAND = frozenset({"", ".", "?", "*", "0", "NA", "nan", "None", "<NA>"})
_NO_NUMBER = frozenset({"", ".", "NA", "nan", "NaN", "None", "<NA>", "null"})


def expected_columns() -> str:
    """One line that says what a table of gene places may look like."""
    return (
        "expected a gene (gene, gene_id, Gene stable ID, symbol) and a place: chromosome (chr, chrom) with position (tss, "
        "0-based) or start and end (0-based, half-open; BioMart's and MAGMA's columns count from 1), and strand"
    )


def places_of_frame(
    frame: pd.DataFrame, name: str, line_of: Callable[[int], int] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Bring a table of gene places to one form.

    Parameters
    ----------
    frame
        One row per gene or transcript, columns of any accepted name.
    name
        Name of the file, for messages.
    line_of
        Gives the line of a row, for messages; rows are counted where it is absent.

    Returns
    -------
    table
        What the frame has of ``gene`` (without version), ``symbol``, ``entrez``, ``chromosome``, ``start``, ``end``,
        ``position`` (0-based, half-open), ``strand``, ``transcript``, ``biotype``, ``rank``; then its other columns.
    remarks
        What was assumed, one sentence each.

    Raises
    ------
    InputError
        If there is no column of genes, a place is no whole number of 0 or more, or a strand is no strand.
    """
    found = find_columns(list(frame.columns))
    where = (lambda row: f"line {line_of(row)}") if line_of else (lambda row: f"row {row + 1}")
    remarks: list[str] = []
    named = next((found[key] for key in ("gene", "symbol", "entrez") if key in found), None)
    if (
        named is None
        and len(frame.columns)
        and plain_column(frame.columns[0]) in ("", "index", "unnamed_0", "name")
    ):
        named = frame.columns[0]
    if named is None:
        raise InputError(
            f"{name} has no column of genes; {expected_columns()}. Given: {', '.join(map(str, frame.columns[:8]))[:200]}"
        )
    ids = _text(frame[named])
    empty = [row for row, gene in enumerate(ids) if not gene]
    if empty:
        others = [found[key] for key in ("symbol", "entrez") if key in found and found[key] != named]
        if not all(any(_text(frame[other].iloc[[row]])[0] for other in others) for row in empty):
            raise InputError(
                f"{name} {where(empty[0])}: no gene in column {named} ({len(empty):,} such rows)"
            )
        remarks.append(f"{name}: {len(empty):,} genes without {named} left out, first of {where(empty[0])}")
        kept = [row for row, gene in enumerate(ids) if gene]
        lines = where
        where = lambda row: lines(kept[row])  # noqa: E731
        frame, ids = frame.iloc[kept].reset_index(drop=True), [ids[row] for row in kept]
    table = pd.DataFrame(index=range(len(frame)))
    table["gene"] = normalise_identifiers(ids, guess_namespace(ids))
    for key in ("symbol", "entrez", "chromosome", "transcript", "biotype"):
        if key in found:
            table[key] = _text(frame[found[key]])
    if "chromosome" in table:
        table["chromosome"] = table["chromosome"].replace(sorted(_NO_NUMBER), "")
    if "entrez" in table:
        table["entrez"] = table["entrez"].str.removesuffix(".0")
    from_one = sorted({_FROM_ONE[plain] for key in ("start", "end", "position") if key in found
                       and (plain := plain_column(found[key])) in _FROM_ONE})  # fmt: skip
    if from_one:
        remarks.append(
            f"{name} has the columns of {' and '.join(from_one)}: places count from 1 and include the end"
        )
    for key in ("start", "end", "position"):
        if key not in found:
            continue
        # "position" keeps its own convention beside MAGMA's or BioMart's start and end
        own = plain_column(found[key]) in _FROM_ONE or (bool(from_one) and key != "position")
        table[key] = _numbers(
            frame[found[key]],
            f"{name}: {found[key]}",
            table["gene"],
            where,
            int(own and key != "end"),
            int(own),
        )
    if {"start", "end"} <= set(table.columns) and (table["end"] < table["start"]).any():
        row = int((table["end"] < table["start"]).to_numpy().argmax())
        raise InputError(f"{name} {where(row)}: {table['gene'].iloc[row]} ends before it starts")
    if "strand" in found:
        table["strand"] = _strands(_text(frame[found["strand"]]), name, table["gene"], where)
    table["rank"] = _ranks(frame, found)
    used = {*found.values(), named}
    return pd.concat(
        [table, frame[[c for c in frame.columns if c not in used and c not in table]].reset_index(drop=True)],
        axis=1,
    ), remarks


def _text(values: pd.Series) -> list[str]:
    return ["" if value is None or value != value else str(value).strip() for value in values]


def _numbers(
    values: pd.Series, what: str, genes: pd.Series, where: Callable[[int], str], shift: int, least: int
) -> pd.Series:
    cells = _text(values)
    numbers = pd.to_numeric(
        pd.Series([None if cell in _NO_NUMBER else cell for cell in cells], dtype=object), errors="coerce"
    )
    numbers = numbers.astype(np.float64)
    given = np.array([cell not in _NO_NUMBER for cell in cells], dtype=bool)
    wrong = given & ~((numbers >= least) & (numbers % 1 == 0) & (numbers < 2**40)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{what} of {genes.iloc[row]} ({where(row)}) is not a number of {least} or more. Given: {cells[row][:40]!r}"
        )
    numbers -= shift
    return numbers.astype(np.int64) if given.all() else numbers


def _strands(cells: list[str], name: str, genes: pd.Series, where: Callable[[int], str]) -> list[str]:
    strands = []
    for row, cell in enumerate(cells):
        strand = "." if cell in _NO_STRAND else _STRANDS.get(cell.lower())
        if strand is None:
            raise InputError(
                f"{name} {where(row)}: strand is + or - (or 1 or -1). Given: {cell[:20]!r} for {genes.iloc[row]}"
            )
        strands.append(strand)
    return strands


def _ranks(frame: pd.DataFrame, found: dict[str, object]) -> list[int]:
    """Ranks from a column of tags, or from those of BioMart (Ensembl Canonical, MANE, APPRIS annotation)."""
    ranks = np.full(len(frame), UNTAGGED)
    for column in frame.columns:
        plain = plain_column(column)
        if found.get("tag") is not None and column == found["tag"]:
            tags = [re.split(r"[,;|]", cell) for cell in _text(frame[column])]
        elif plain in ("ensembl_canonical", "transcript_is_canonical", "canonical"):
            tags = [
                ["ensembl_canonical"] * (cell in ("1", "1.0", "True", "true", "TRUE", "yes"))
                for cell in _text(frame[column])
            ]
        elif plain.endswith(("mane_select", "mane_plus_clinical")):
            tag = "mane_select" if plain.endswith("select") else "mane_plus_clinical"
            tags = [[tag] * (cell not in _NO_NUMBER) for cell in _text(frame[column])]
        elif plain in ("appris_annotation", "transcript_appris"):
            tags = [["appris_" + re.sub(r"(\d)", r"_\1", cell)] for cell in _text(frame[column])]
        else:
            continue
        ranks = np.minimum(ranks, [tag_rank(each) for each in tags])
    return ranks.tolist()


def read_bed(path: str | Path, what: str = "gene places") -> tuple[pd.DataFrame, list[str]]:
    """Read genes from BED with the gene in column 4.

    Rows of one width (nine in ten of them) are windows around start sites, and the middle is the site; of rows of
    different widths, which are genes or transcripts, it is the 5' end.

    Parameters
    ----------
    path
        BED of four columns or more, plain or packed; six are needed for the strand.
    what
        What the file is, for messages.

    Returns
    -------
    table
        ``gene`` (without version), ``chromosome``, ``start``, ``end`` (0-based, half-open), ``position`` of windows,
        ``strand`` where there are six columns.
    remarks
        What was assumed, one sentence each.

    Raises
    ------
    InputError
        If the file cannot be read or a row is no region with a name; its line is named.
    """
    path = Path(path)
    rows = []
    width = 0
    with open_text(path, what) as handle:
        for number, line in enumerate(handle, 1):
            line = line.rstrip("\r\n")
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            fields = line.split("\t") if "\t" in line else line.split()
            width = width or len(fields)
            if len(fields) != width:
                raise InputError(
                    f"{what} {path.name} line {number}: {len(fields)} fields, but the rows before it have {width}; the row is damaged, or "
                    "the file is cut there"
                )
            if width < 4 or not fields[1].strip().isdecimal() or not fields[2].strip().isdecimal():
                raise InputError(
                    f"{what} {path.name} line {number}: expected BED with six columns (chromosome, start, end, gene, score, "
                    f"strand). Given: {line[:60]!r}"
                )
            start, end, gene = int(fields[1]), int(fields[2]), fields[3].strip()
            if not fields[0].strip():
                raise InputError(f"{what} {path.name} line {number}: no chromosome. Given: {line[:60]!r}")
            if not 0 <= start < end or gene in ("", "."):
                raise InputError(
                    f"{what} {path.name} line {number}: expected 0 <= start < end and a gene. Given: {line[:60]!r}"
                )
            strand = fields[5].strip() if len(fields) > 5 else "."
            if strand not in ("+", "-", ".", ""):
                raise InputError(
                    f"{what} {path.name} line {number}: strand is + or -. Given: {strand[:20]!r} for {gene}"
                )
            rows.append((gene, fields[0], start, end, strand or "."))
    if not rows:
        raise InputError(f"{what} {path.name} holds no genes; expected BED with the gene in column 4")
    table = pd.DataFrame(rows, columns=["gene", "chromosome", "start", "end", "strand"])
    table["gene"] = normalise_identifiers(table["gene"], guess_namespace(table["gene"]))
    widths = table["end"] - table["start"]
    windows = bool((widths == widths.mode().iloc[0]).mean() >= 0.9)
    remarks = []
    if not windows:
        remarks.append(
            f"{path.name} has rows of different widths, taken for genes: start sites are their 5' ends"
        )
    else:
        table["position"] = (table["start"] + table["end"]) // 2
        if widths.max() > 1:
            remarks.append(
                f"{path.name} has rows of one width, taken for windows: start sites are their middles"
            )
    return (table if width > 5 else table.drop(columns="strand")), remarks
