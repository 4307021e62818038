"""Intervals of a genome: read BED fast, sizes of chromosomes, overlaps of two tables, share of bins that are covered."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.regions import read_regions
from cistron.runtime import say
from cistron.runtime.text_files import CHUNK, CheckedText, open_text


def read_lengths(path: str | Path) -> dict[str, int]:
    """Read the base pairs of chromosomes: a FASTA index (``.fai``) or a table of name and size without a header.

    Parameters
    ----------
    path
        File, plain or packed.

    Raises
    ------
    InputError
        If a row is no name and size, or a name occurs twice.
    """
    path, lengths = Path(path), {}
    with open_text(path, "chromosome sizes") as lines:
        for number, line in enumerate(lines, 1):
            fields = line.split()
            if not fields or line.startswith("#"):
                continue
            if line.startswith(">"):
                raise InputError(
                    f"{path.name} is a FASTA; give its index ({path.name}.fai, of 'samtools faidx') or a table of name and size"
                )
            if len(fields) < 2 or not fields[1].isdigit() or not int(fields[1]):
                raise InputError(
                    f"{path.name} line {number}: expected the name of a chromosome and its base pairs (.fai or two columns). "
                    f"Given: {line.strip()[:60]!r}"
                )
            if fields[0] in lengths:
                raise InputError(f"{path.name} line {number}: {fields[0]} occurs twice")
            lengths[fields[0]] = int(fields[1])
    if not lengths:
        raise InputError(f"{path.name} names no chromosome; expected a .fai or a table of name and size")
    return lengths


def read_intervals(path: str | Path, lengths: Mapping[str, int], what: str) -> pd.DataFrame:
    """Read the places of a BED file on the chromosomes of a genome; other columns are not read.

    Parameters
    ----------
    path
        BED without header, plain or packed.
    lengths
        Base pairs of each chromosome. Rows on others are left out, and counted in a remark.
    what
        What the regions are, for messages.

    Returns
    -------
    DataFrame
        ``chromosome`` (as ``lengths`` spell it), ``start``, ``end``, sorted.

    Raises
    ------
    InputError
        If a row is no region, a region ends behind its chromosome, or none lies on a chromosome of the genome.
    """
    path = Path(path)
    names = ["chromosome", "start", "end"]
    try:
        with CheckedText(path, what) as checked:
            table = pd.read_csv(
                io.BufferedReader(checked, CHUNK),
                sep="\t",
                header=None,
                comment="#",
                usecols=[0, 1, 2],
                names=names,
                dtype={"chromosome": str, "start": np.int64, "end": np.int64},
                na_filter=False,
            )
        if ((table["start"] < 0) | (table["start"] >= table["end"])).any():
            raise ValueError
    except (
        ValueError,
        OverflowError,
    ):  # a header, other separators, a row that is no region: the slow reader says which
        table = read_regions(path)[names]
    spelling = {normalise_chromosome(name): name for name in reversed(list(lengths))}
    own = {name: spelling.get(normalise_chromosome(name)) for name in table["chromosome"].unique()}
    table["chromosome"] = table["chromosome"].map(own)
    lost = int(table["chromosome"].isna().sum())
    if lost == len(table):
        raise InputError(
            f"{what} {path.name}: no row is on a chromosome of the genome (they are on {', '.join(list(own)[:3])}, it has "
            f"{', '.join(list(lengths)[:3])}); is it of another genome?"
        )
    if lost:
        absent = sorted(name for name, found in own.items() if found is None)
        say(
            f"{what} {path.name}: {lost:,} of {len(table):,} rows on chromosomes that are not used are left out ({', '.join(absent[:3])})"
        )
    table = table.dropna()
    behind = table["end"].to_numpy() > table["chromosome"].map(lengths).to_numpy()
    if behind.any():
        row = table[behind].iloc[0]
        raise InputError(
            f"{what} {path.name}: {row['chromosome']}:{row['start']:,}-{row['end']:,} ends behind its chromosome "
            f"({lengths[row['chromosome']]:,} bp); is it of another genome build?"
        )
    return table.sort_values(["chromosome", "start"], kind="stable").reset_index(drop=True)


def overlapping_rows(
    first: pd.DataFrame, second: pd.DataFrame, *, more_than: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Give all pairs of rows of two tables that overlap.

    Parameters
    ----------
    first, second
        ``chromosome``, ``start``, ``end``.
    more_than
        Base pairs that an overlap must exceed.

    Returns
    -------
    rows_of_first, rows_of_second : ndarray
        int64 [pair].
    """
    left, right = [], []
    groups = {
        name: np.asarray(rows) for name, rows in second.groupby("chromosome", sort=False).indices.items()
    }
    for name, rows in first.groupby("chromosome", sort=False).indices.items():
        others = groups.get(name)
        if others is None:
            continue
        others = others[np.argsort(second["start"].to_numpy()[others], kind="stable")]
        starts, ends = second["start"].to_numpy()[others], second["end"].to_numpy()[others]
        furthest = np.maximum.accumulate(ends)
        low = np.searchsorted(furthest, first["start"].to_numpy()[rows], side="right")
        high = np.searchsorted(starts, first["end"].to_numpy()[rows], side="left")
        counts = np.maximum(high - low, 0)
        row = np.repeat(rows, counts)
        place = (
            np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
        )
        shared = np.minimum(first["end"].to_numpy()[row], ends[place]) - np.maximum(
            first["start"].to_numpy()[row], starts[place]
        )
        kept = shared > more_than
        left.append(row[kept])
        right.append(others[place[kept]])
    if not left:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(left).astype(np.int64), np.concatenate(right).astype(np.int64)


def merge_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Join overlapping and touching intervals, so that a base pair is counted once.

    Parameters
    ----------
    table
        ``chromosome``, ``start``, ``end``, sorted by both.
    """
    parts = []
    for name, rows in table.groupby("chromosome", sort=False):
        start, end = rows["start"].to_numpy(), rows["end"].to_numpy()
        furthest = np.maximum.accumulate(end)
        new = np.r_[True, start[1:] > furthest[:-1]]
        last = np.r_[np.flatnonzero(new)[1:] - 1, len(start) - 1]
        parts.append(pd.DataFrame({"chromosome": name, "start": start[new], "end": furthest[last]}))
    return pd.concat(parts, ignore_index=True) if parts else table[["chromosome", "start", "end"]]


def covered_bins(
    windows: pd.DataFrame, regions: pd.DataFrame, bin_size: int, least: float = 0.1
) -> np.ndarray:
    """Tell which bins of windows are covered by regions.

    Parameters
    ----------
    windows
        ``chromosome``, ``start``, ``end``, all of one length, a multiple of ``bin_size``.
    regions
        ``chromosome``, ``start``, ``end``, sorted.
    bin_size
        Base pairs of a bin.
    least
        Share of a bin that must be covered.

    Returns
    -------
    ndarray
        bool [window, bin].
    """
    width = int((windows["end"] - windows["start"]).iloc[0]) if len(windows) else bin_size
    bins = width // bin_size
    covered = np.zeros((len(windows), bins), bool)
    if not len(regions) or not len(windows):
        return covered
    origin, sums = windows["start"].to_numpy(), np.zeros(0)
    edges = np.arange(bins + 1) * bin_size
    groups = dict(list(merge_intervals(regions).groupby("chromosome", sort=False)))
    for name, rows in windows.groupby("chromosome", sort=False).indices.items():
        if name not in groups:
            continue
        start, end = groups[name]["start"].to_numpy(), groups[name]["end"].to_numpy()
        sums = np.r_[0, np.cumsum(end - start)]

        def before(
            position: np.ndarray, start: np.ndarray = start, end: np.ndarray = end, sums: np.ndarray = sums
        ) -> np.ndarray:
            """Covered base pairs left of a position."""
            rank = np.searchsorted(start, position, side="right")
            inside = np.where(rank > 0, np.minimum(position - end[rank - 1], 0), 0)
            return sums[rank] + inside

        for part in np.array_split(rows, max(1, len(rows) * bins // 4_000_000)):
            places = origin[part][:, None] + edges  # [window, bin + 1]
            covered[part] = np.diff(before(places), axis=1) >= max(least * bin_size, 1)
    return covered
