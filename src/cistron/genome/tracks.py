"""Signal of bigWig files in bins of windows: exact means, coverage, chromosome ends, strands; many files at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.chromosomes import accession_build, normalise_chromosome
from cistron.genome.bigwig import open_bigwig, reading_bigwig
from cistron.genome.sequence import CHROMOSOME_1
from cistron.genome.settings import Transform, Uncovered
from cistron.runtime import run_shards

WINDOW_COLUMNS = ("chromosome", "start", "end", "strand")


def chromosome_names(lengths: Mapping[str, int], wanted: Sequence[str], what: str) -> dict[str, str]:
    """Give the spelling that a file has for each chromosome, so that "chr1" and "1" meet.

    Parameters
    ----------
    lengths
        Base pairs of each chromosome of the file, by the name it has there.
    wanted
        Names of chromosomes that are looked for.
    what
        The file, for the message.

    Raises
    ------
    InputError
        If a chromosome is absent from the file; its first ones are named.
    """
    spelling = {normalise_chromosome(name): name for name in lengths}
    build, told = (
        accession_build(wanted),
        CHROMOSOME_1.get(lengths[spelling["1"]], "") if "1" in spelling else "",
    )
    if build and told and build != told:
        raise InputError(
            f"{what} is of {told}, but chromosomes are named by accessions of {build}; use files of one build"
        )
    absent = [name for name in dict.fromkeys(wanted) if normalise_chromosome(name) not in spelling]
    if absent:
        raise InputError(
            f"{what} has no chromosome {absent[0]}{f' and {len(absent) - 1} more' if len(absent) > 1 else ''}; it has "
            f"{', '.join(list(lengths)[:4])}{', ...' if len(lengths) > 4 else ''}. Is it of another genome build?"
        )
    return {name: spelling[normalise_chromosome(name)] for name in dict.fromkeys(wanted)}


def bin_signal(
    path: str | Path,
    windows: pd.DataFrame,
    bin_size: int = 100,
    *,
    uncovered: Uncovered = "zero",
    transform: Transform = "log1p-mean",
    lengths: Mapping[str, int] | None = None,
    parts: int | None = None,
) -> np.ndarray:
    """Average the signal of one bigWig in the bins of windows.

    Parameters
    ----------
    path
        bigWig.
    windows
        Columns ``chromosome``, ``start``, ``end`` (0-based, half-open, all of one length, a multiple of ``bin_size``; they
        may reach beyond the ends of a chromosome) and ``strand``: on ``-`` the bins are given in the direction of
        transcription.
    bin_size
        Base pairs of a bin.
    uncovered
        What base pairs without a record are: ``zero`` counts them as 0, ``skip`` averages over those that are covered. A
        bin beyond the end of the chromosome, or with nothing covered, is 0; one that crosses the end is averaged over
        the part that exists.
    transform
        ``log1p-mean`` gives log(1 + mean), ``mean-log1p`` the mean over base pairs of log(1 + signal), ``none`` the
        mean; ``logged`` the mean too, of signal whose logarithm was taken before.
    lengths
        Chromosomes of the assembly, as other bigWigs have them: writers leave out a chromosome without records. With
        ``uncovered`` zero, one that this file lacks is 0 throughout.
    parts
        Cut each window into this many parts instead of into bins of one size (:func:`part_edges`); windows may then differ in
        length.

    Returns
    -------
    ndarray
        float32 [window, bin].

    Raises
    ------
    InputError
        If the file is damaged, lacks a chromosome, holds NaN or infinities, or is negative where its logarithm is asked for;
        or a window begins behind its chromosome.
    """
    path = Path(path)
    handle = open_bigwig(path)
    own = handle.chroms()
    elsewhere = {normalise_chromosome(name) for name in lengths or () if uncovered == "zero"}
    elsewhere -= {normalise_chromosome(name) for name in own}
    absent = windows["chromosome"].map(normalise_chromosome).isin(elsewhere).to_numpy()
    names = chromosome_names(own, windows["chromosome"][~absent].tolist(), f"bigWig {path.name}")
    bins = parts or int((windows["end"] - windows["start"]).iloc[0]) // bin_size
    values = np.zeros((len(windows), bins), np.float32)
    places = windows[list(WINDOW_COLUMNS)].reset_index(drop=True)[~absent]
    with reading_bigwig(path):
        for row in places.sort_values(["chromosome", "start"]).itertuples():
            length = own[names[str(row.chromosome)]]
            if row.start >= length:
                raise InputError(
                    f"window {row.chromosome}:{row.start:,}-{row.end:,} begins behind the chromosome "
                    f"({length:,} bp in {path.name}); is it of another genome build?"
                )
            place = (names[str(row.chromosome)], int(row.start), int(row.end), length)
            means = (
                _window(handle, place, bin_size, uncovered, transform)
                if parts is None
                else _parts(handle, place, parts, uncovered, transform)
            )
            if not np.isfinite(means.astype(np.float32)).all():
                raise InputError(
                    f"bigWig {path.name} holds infinite signal near {row.chromosome}:{row.start:,}; leave uncovered what was not "
                    "measured and write it again"
                )
            if transform != "none" and (means < 0).any():
                raise InputError(
                    f"bigWig {path.name} has negative signal near {row.chromosome}:{row.start:,}, so no logarithm; give -log10 p, "
                    "coverage or fold change, or choose --transform none"
                )
            values[row.Index] = means if row.strand != "-" else means[::-1]
    return np.log1p(values, out=values) if transform == "log1p-mean" else values


def coverage(path: str | Path) -> float:
    """Give the share of all base pairs of a bigWig's chromosomes that have a record."""
    handle = open_bigwig(path)
    return float(handle.info()["summary"]["basesCovered"] / max(sum(handle.chroms().values()), 1))


def _window(
    handle: Any, place: tuple[str, int, int, int], bin_size: int, uncovered: Uncovered, transform: Transform
) -> np.ndarray:
    """Means of the bins of one window, float64 [bin], without NaN."""
    name, start, end, length = place
    fill = 0.0 if uncovered == "zero" else None
    bins = (end - start) // bin_size
    whole_from, whole_to = max(0, -(start // bin_size)), min(bins, (length - start) // bin_size)
    means = np.zeros(bins)
    if transform == "mean-log1p":
        signal = handle.values(name, max(start, 0), min(end, length), fillna=None, uncovered=None)
        if (signal < 0).any():
            return np.full(bins, -1.0)
        padded = np.full(end - start, np.nan)
        padded[max(start, 0) - start : min(end, length) - start] = (
            np.nan_to_num(signal) if uncovered == "zero" else signal
        )
        logs = np.log1p(padded).reshape(bins, bin_size)
        seen = np.isfinite(logs)
        return np.nansum(logs, axis=1) / np.maximum(seen.sum(axis=1), 1)
    inside = (start + whole_from * bin_size, start + whole_to * bin_size)
    if whole_to > whole_from:
        options = {"bins": whole_to - whole_from, "exact": True, "fillna": 0.0}
        means[whole_from:whole_to] = handle.values(name, *inside, uncovered=fill, **options)
    # the bins that an end of the chromosome cuts: averaged over what exists
    for number in {whole_from - 1, whole_to} & set(range(bins)):
        left = max(start + number * bin_size, 0)
        right = min(start + number * bin_size + bin_size, length)
        if right > left:
            options = {"bins": 1, "exact": True, "fillna": 0.0}
            means[number] = handle.values(name, left, right, uncovered=fill, **options)[0]
    return means


def part_edges(start: np.ndarray, end: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the parts of windows: whole base pairs, as even as can be; a part of a window with fewer base pairs than parts has one.

    Parameters
    ----------
    start, end
        Windows, int [window]; 0-based, half-open.
    parts
        Parts of each.

    Returns
    -------
    left, right
        int64 [window, part], from the left end.
    """
    start, length = np.asarray(start, np.int64)[:, None], np.asarray(end - start, np.int64)[:, None]
    edges = start + np.arange(parts + 1) * length // parts
    return edges[:, :-1], np.maximum(edges[:, 1:], edges[:, :-1] + 1)


def _parts(
    handle: Any, place: tuple[str, int, int, int], parts: int, uncovered: Uncovered, transform: Transform
) -> np.ndarray:
    """Means of the parts of one window, float64 [part], without NaN."""
    name, start, end, length = place
    first, last = max(start, 0), min(end, length)
    signal = np.asarray(handle.values(name, first, last, fillna=None, uncovered=None), np.float64)
    if transform == "mean-log1p":
        if (signal < 0).any():
            return np.full(parts, -1.0)
        signal = np.log1p(signal)
    seen = np.isfinite(signal) if uncovered == "skip" else np.ones(len(signal), bool)
    if np.isinf(signal).any():
        return np.full(parts, np.inf)
    left, right = (
        np.clip(edge[0], first, last) - first
        for edge in part_edges(np.array([start]), np.array([end]), parts)
    )
    sums, counts = (
        np.concatenate([[0.0], np.cumsum(one)]) for one in (np.where(seen, np.nan_to_num(signal), 0), seen)
    )
    return np.asarray((sums[right] - sums[left]) / np.maximum(counts[right] - counts[left], 1))


def bin_many(
    tracks: Mapping[str, str | Path],
    windows: pd.DataFrame | Sequence[tuple[pd.DataFrame, int | None]],
    directory: str | Path,
    *,
    bin_size: int = 100,
    uncovered: Uncovered = "zero",
    transform: Transform = "log1p-mean",
    lengths: Mapping[str, int] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> dict[str, Path]:
    """Bin many bigWigs, a shard each; those finished by an earlier run are not redone.

    Parameters
    ----------
    tracks
        Name of each track (a valid file name) to its bigWig.
    windows, bin_size, uncovered, transform, lengths
        As of :func:`bin_signal`. Several sets of windows, each with its ``parts`` (or ``None``), are put side by side.
    directory
        Folder of the shards; its name should hang on the settings.
    workers, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    dict
        Track to an ``.npy``, float32 [window, bin].
    """
    sets = [(windows, None)] if isinstance(windows, pd.DataFrame) else list(windows)
    sets = [(one[list(WINDOW_COLUMNS)], parts) for one, parts in sets]
    shards = {
        name: {
            "bigwig": str(path),
            "windows": sets,
            "options": {
                "bin_size": bin_size,
                "uncovered": uncovered,
                "transform": transform,
                "lengths": dict(lengths or {}),
            },
        }
        for name, path in tracks.items()
    }
    return run_shards(
        write_binned_signal,
        shards,
        directory,
        suffix=".npy",
        workers=workers,
        scheduler=scheduler,
        description="binning bigWigs",
    )


def write_binned_signal(
    output: Path,
    bigwig: str,
    windows: Sequence[tuple[pd.DataFrame, int | None]],
    options: Mapping[str, Any],
) -> None:
    """Bin one bigWig into an ``.npy``: what a shard of :func:`bin_many` does.

    Parameters
    ----------
    output
        File to write: float32 as :func:`bin_signal` gives it.
    bigwig
        Path or address of the bigWig.
    windows
        Sets of windows, one row each, with the number of parts of each window (``None``: bins of one size); side by side.
    options
        Further arguments of :func:`bin_signal`.
    """
    sets = [bin_signal(bigwig, one, parts=parts, **options) for one, parts in windows]
    np.save(output, np.concatenate(sets, axis=1))
