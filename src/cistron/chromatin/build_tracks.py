"""What is done to binned tracks before they are stored: replicates become one, blacklisted bins become empty."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.regions import read_regions
from cistron.runtime import say


def mean_of_replicates(parts: Sequence[np.ndarray], transform: str) -> np.ndarray:
    """Average replicates of a track: the mean of their signal; with ``mean-log1p`` and ``logged`` that of their logarithms.

    Parameters
    ----------
    parts
        Binned values of each replicate, float32 [gene, bin]; NaN where one has no record.
    transform
        As of :class:`cistron.chromatin.settings.BuildSettings`.

    Returns
    -------
    ndarray
        float32 [gene, bin]; NaN only where every replicate is.
    """
    if len(parts) == 1:
        return np.asarray(parts[0], np.float32)
    logarithms = transform == "log1p-mean"
    total = np.zeros(parts[0].shape, np.float64)
    count = np.zeros(parts[0].shape, np.int64)
    for part in parts:
        values = np.expm1(part, dtype=np.float64) if logarithms else np.asarray(part, np.float64)
        seen = np.isfinite(values)
        total += np.where(seen, values, 0)
        count += seen
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return (np.log1p(mean) if logarithms else mean).astype(np.float32)


def blacklisted_bins(windows: pd.DataFrame, blacklist: str | Path, bins: int, bin_size: int) -> np.ndarray:
    """Find the bins that a blacklist touches.

    Parameters
    ----------
    windows
        ``chromosome``, ``start``, ``end``, ``strand``, one row a gene.
    blacklist
        BED.
    bins, bin_size
        Size of a window.

    Returns
    -------
    ndarray
        bool [gene, bin], in the direction of transcription.

    Raises
    ------
    InputError
        If the BED cannot be read, or shares no chromosome with the genes.
    """
    regions = read_regions(blacklist)
    places = windows["chromosome"].map(normalise_chromosome).to_numpy()
    known = regions["chromosome"].map(normalise_chromosome).to_numpy()
    if not set(known) & set(places):
        raise InputError(
            f"blacklist {Path(blacklist).name} shares no chromosome with the genes (it has {known[0]}, they have {places[0]}); give the one "
            "of their genome build"
        )
    mask = np.zeros((len(windows), bins), dtype=bool)
    left = windows["start"].to_numpy()
    for chromosome in sorted(set(known) & set(places)):
        rows = np.flatnonzero(places == chromosome)
        here = known == chromosome
        for start, end in zip(regions["start"].to_numpy()[here], regions["end"].to_numpy()[here]):
            touched = rows[(left[rows] < end) & (left[rows] + bins * bin_size > start)]
            for row in touched:
                first = max(0, (start - left[row]) // bin_size)
                mask[row, first : -((left[row] - end) // bin_size)] = True
    minus = (windows["strand"] == "-").to_numpy()
    mask = np.where(minus[:, None], mask[:, ::-1], mask)
    say(
        f"blacklist {Path(blacklist).name}: {mask.mean():.2%} of the bins of {int(mask.any(axis=1).sum()):,} of {len(mask):,} genes are set to 0"
    )
    return mask
