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


def blacklisted_bins(
    chromosomes: pd.Series, edges: tuple[np.ndarray, np.ndarray], blacklist: str | Path
) -> np.ndarray:
    """Find the bins that a blacklist touches.

    Parameters
    ----------
    chromosomes
        Of each gene.
    edges
        Left and right edges of its bins, int [gene, bin] each, as of :func:`cistron.chromatin.build_windows.bin_edges`.
    blacklist
        BED.

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
    places = chromosomes.map(normalise_chromosome).to_numpy()
    known = regions["chromosome"].map(normalise_chromosome).to_numpy()
    if not set(known) & set(places):
        raise InputError(
            f"blacklist {Path(blacklist).name} shares no chromosome with the genes (it has {known[0]}, they have {places[0]}); give the one "
            "of their genome build"
        )
    left, right = edges
    mask = np.zeros(left.shape, dtype=bool)
    for chromosome in sorted(set(known) & set(places)):
        rows, here = places == chromosome, known == chromosome
        starts, ends = (np.sort(regions[name].to_numpy()[here]) for name in ("start", "end"))
        # regions that begin in front of the right edge, less those that have ended at the left one
        mask[rows] = np.searchsorted(starts, right[rows], "left") > np.searchsorted(ends, left[rows], "right")
    say(
        f"blacklist {Path(blacklist).name}: {mask.mean():.2%} of the bins of {int(mask.any(axis=1).sum()):,} of {len(mask):,} genes are set to 0"
    )
    return mask
