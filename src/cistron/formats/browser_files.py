"""Files for a genome browser of marks around genes and of designed epigenomes: bigWig of tracks, BED of windows and edits."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import InputError
from cistron.formats.designed_epigenome import read_designed_epigenome
from cistron.formats.tracks import Tracks, open_tracks, write_bigwigs
from cistron.runtime import atomic_path, say, track

_RISE, _FALL = "0,114,178", "213,94,0"  # blue and orange, as in the figures


def write_browser_files(
    path: str | Path, directory: str | Path, lengths: Mapping[str, int] | None = None
) -> list[Path]:
    """Export a store of marks around genes, or a designed epigenome, for a genome browser.

    Values are those of the store (log(1 + signal)); genes on the minus strand are turned back to the direction of the genome, and
    where windows overlap the mean is written.

    Parameters
    ----------
    path
        Store of ``cistron chromatin build`` or ``design``.
    directory
        Folder of the files: ``CELL_TYPE/MARK.bw`` and ``windows.bed``; of a design ``CELL_TYPE/before|after|change/MARK.bw`` and
        ``edits.bed`` (blue where a mark rises, orange where it falls).
    lengths
        Length of each chromosome, where the store has none (binned arrays).

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If the length of a chromosome is not known, or a window lies behind its end.
    """
    directory = Path(directory)
    tracks = open_tracks(path)
    tracks = _with_lengths(tracks, lengths or {})
    parameters = json.loads(tracks.header["parameters"])
    if parameters.get("gene_body_bins"):
        raise InputError(
            f"{Path(path).name} has gene bodies scaled to {parameters['gene_body_bins']:,} bins, which have no one size in the genome; export a "
            "store that was built without --gene-body-bins"
        )
    distal = np.isin(tracks.tracks["name"], list(parameters.get("distal_marks", ())))
    root = zarr.open_group(str(path), mode="r")
    edits: pd.DataFrame | None = None
    if "outcome" in root.attrs:
        design = read_designed_epigenome(path)
        after = np.stack([np.asarray(tracks.values[row]) for row in range(len(tracks.sequences))])
        edits = design.edits
        versions = {"before": design.original, "after": after, "change": after - design.original}
    else:
        every = range(len(tracks.sequences))
        versions = {"": np.stack([np.asarray(tracks.values[row]) for row in every])}
    written = []
    cells = [(cell, name) for cell, name in enumerate(tracks.cell_types)]
    for cell, name in track(cells, "writing bigWigs", unit="cell types"):
        chosen = np.flatnonzero(tracks.measured[cell] & ~distal).tolist()  # distal tracks lie at no place
        for version, values in versions.items():
            turned = replace(tracks, values=_along_genome(values, tracks.sequences))  # type: ignore[arg-type]
            written += write_bigwigs(turned, directory / _safe(name) / version, chosen, cell)
    written.append(_write_bed(directory / "windows.bed", _window_rows(tracks)))
    if edits is not None:
        written.append(_write_bed(directory / "edits.bed", _edit_rows(edits)))
    return written


def _with_lengths(tracks: Tracks, lengths: Mapping[str, int]) -> Tracks:
    known = {**dict(tracks.header.get("chromosomes", {})), **dict(lengths)}
    table = tracks.sequences
    absent = [name for name in table["chromosome"].unique() if name not in known]
    if absent:
        what = f"chromosome {absent[0]!r}" if absent[0] else "the genes, which have no chromosome"
        raise InputError(
            f"the length of {what} is not known; give --chromosome-lengths, a table of name and length (UCSC's hg38.chrom.sizes)"
        )
    behind = table[table["start"] >= table["chromosome"].map(known)]
    if len(behind):
        row = behind.iloc[0]
        raise InputError(
            f"gene {row['name']} lies behind the end of {row['chromosome']} ({known[row['chromosome']]:,} bp); give the lengths of its "
            "genome build"
        )
    return replace(tracks, header={**tracks.header, "chromosomes": known})


def _along_genome(values: np.ndarray, sequences: pd.DataFrame) -> np.ndarray:
    """Values in the direction of the genome."""
    minus = (sequences["strand"] == "-").to_numpy()
    return np.where(minus[:, None, None, None], values[..., ::-1], values)


def _window_rows(tracks: Tracks) -> list[tuple[Any, ...]]:
    known = tracks.header["chromosomes"]
    return [
        (
            row.chromosome,
            max(int(row.start), 0),
            min(int(row.end), known[row.chromosome]),
            row.name,
            0,
            row.strand,
        )
        for row in tracks.sequences[["chromosome", "start", "end", "name", "strand"]].itertuples(index=False)
    ]


def _edit_rows(edits: pd.DataFrame) -> list[tuple[Any, ...]]:
    """BED 9: the score is the share of the largest change, 0 to 1,000."""
    if "genome_start" not in edits:
        say(
            "this design is of an earlier version, without genomic coordinates of its edits: no edits are in edits.bed"
        )
        return []
    largest = float(edits["change"].abs().max()) if len(edits) else 1.0
    rows = []
    for row in edits.itertuples():
        start, end = max(int(row.genome_start), 0), int(row.genome_end)
        name = f"{row.gene}:{row.cell_type}:{row.mark}:{row.change:+.2f}".replace(" ", "_")
        score = round(1000 * abs(row.change) / (largest or 1.0))
        colour = _RISE if row.change > 0 else _FALL
        rows.append((row.chromosome, start, end, name, score, ".", start, end, colour))
    return rows


def _write_bed(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    rows = sorted(rows, key=lambda row: (str(row[0]), row[1], row[2]))
    with atomic_path(path) as partial:
        # the first line names the track and lets browsers take the colours
        lines = [f'track name="{path.stem}" itemRgb="On"', *("\t".join(map(str, row)) for row in rows)]
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _safe(name: str) -> str:
    """A cell type as the name of a folder."""
    return "".join(c if c.isalnum() or c in "+-._" else "_" for c in name)


def read_chromosome_lengths(path: str | Path) -> dict[str, int]:
    """Read lengths of chromosomes: two columns, name and length, as UCSC's ``chrom.sizes`` or a FASTA's ``.fai``.

    Raises
    ------
    InputError
        If a line has no length.
    """
    path = Path(path)
    found: dict[str, int] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is not a readable table of chromosome lengths; give name and length, tab-separated"
        ) from error
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts or line.startswith("#"):
            continue
        if len(parts) < 2 or not parts[1].isdigit() or int(parts[1]) < 1:
            raise InputError(
                f"{path.name}, line {number}: expected the name of a chromosome and its length. Given: {line[:60]!r}; give UCSC's chrom.sizes"
            )
        found[parts[0]] = int(parts[1])
    if not found:
        raise InputError(f"{path.name} has no line with a chromosome and its length; give UCSC's chrom.sizes")
    return found
