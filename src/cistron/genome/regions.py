"""Regions of a genome: BED, and windows of one length around them."""

from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.genome.sequence import Genome
from cistron.runtime.text_files import read_lines

REGION_COLUMNS = ("name", "chromosome", "start", "end", "strand")


def read_regions(path: str | Path) -> pd.DataFrame:
    """Read BED with three columns or more.

    Parameters
    ----------
    path
        BED, plain or packed: chromosome, start, end, and optionally name, score, strand. Lines that begin with ``#``,
        ``track`` or ``browser`` are skipped.

    Returns
    -------
    DataFrame
        ``name`` (made from the place where absent), ``chromosome``, ``start``, ``end`` (0-based, half-open),
        ``strand`` (``+``, ``-`` or ``.``).

    Raises
    ------
    InputError
        If the file is absent, empty or a row is not a region.
    """
    path = Path(path)
    rows = []
    for number, line in read_lines(path, "regions"):
        if line.startswith(("#", "track", "browser")):
            continue
        fields = line.split("\t") if "\t" in line else line.split()
        try:
            start, end = int(fields[1]), int(fields[2])
        except (IndexError, ValueError) as error:
            raise InputError(
                f"{path.name} line {number}: expected chromosome, start and end separated by tabs. Given: {line[:60]!r}"
            ) from error
        if not 0 <= start < end:
            raise InputError(
                f"{path.name} line {number}: expected 0 <= start < end. Given: {start:,} and {end:,}"
            )
        name = fields[3] if len(fields) > 3 and fields[3] not in (".", "") else ""
        strand = fields[5] if len(fields) > 5 and fields[5] in ("+", "-") else "."
        rows.append(
            {
                "name": name or f"{fields[0]}:{start}-{end}",
                "chromosome": fields[0],
                "start": start,
                "end": end,
                "strand": strand,
            }
        )
    if not rows:
        raise InputError(f"regions {path.name} hold no region; expected BED")
    return pd.DataFrame(rows, columns=list(REGION_COLUMNS))


def check_regions(regions: pd.DataFrame, genome: Genome) -> pd.DataFrame:
    """Give the regions with the genome's spelling of chromosomes.

    Raises
    ------
    InputError
        If a chromosome is absent from the genome or a region ends behind it (is it of another build?).
    """
    spelling = {name: genome.chromosome(name) for name in regions["chromosome"].unique()}
    regions = regions.assign(chromosome=regions["chromosome"].map(spelling))
    lengths = regions["chromosome"].map(genome.lengths)
    outside = regions[regions["end"] > lengths]
    if len(outside):
        row = outside.iloc[0]
        raise InputError(
            f"{len(outside):,} of {len(regions):,} regions end behind their chromosome, for example {row['name']} at "
            f"{row['chromosome']}:{row['start']:,}-{row['end']:,} ({genome.path.name} has "
            f"{genome.lengths[row['chromosome']]:,} bp there); are they of another genome build?"
        )
    return regions


def centred_windows(regions: pd.DataFrame, length: int) -> pd.DataFrame:
    """Replace each region by the window of ``length`` around its middle; it may reach beyond the chromosome."""
    middle = (regions["start"] + regions["end"]) // 2
    start = middle - length // 2
    return regions.assign(start=start, end=start + length)
