"""Entries that are held out, and scales that are computed without them: what both networks fit on."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np

from cistron.errors import InputError
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.runtime.seeds import random_generator

_ROWS = 1024  # rows at once: bounds the memory of temporary arrays


def draw_held_out(values: np.ndarray, share: float, most: int, seed: int, name: str | int = 0) -> np.ndarray:
    """Draw entries that are kept from fitting, to judge and to stop by.

    Parameters
    ----------
    values
        Matrix, float [gene, sample]; NaN is missing and is never drawn.
    share
        Share of the observed entries to hold out.
    most
        Largest number to hold out (more would cost time and tell no more).
    seed, name
        Seed of the run and name of the matrix.

    Returns
    -------
    ndarray of bool
        Held out [gene, sample]. At least one observed entry of each gene is left to fit on.
    """
    generator = random_generator(seed, "held-out entries", name)
    probability = np.float32(min(share, most / max(values.size, 1)))
    held_out = np.empty(values.shape, dtype=bool)
    for start in range(0, len(values), _ROWS):
        block = values[start : start + _ROWS]
        observed = np.isfinite(block)
        drawn = observed & (generator.random(block.shape, dtype=np.float32) < probability)
        emptied = np.flatnonzero(observed.any(axis=1) & ~(observed & ~drawn).any(axis=1))
        drawn[emptied, observed[emptied].argmax(axis=1)] = False
        held_out[start : start + _ROWS] = drawn
    return held_out


@dataclass(frozen=True)
class EntryScale:
    """What genes and samples are centred and divided by, computed from the entries to fit on alone.

    Attributes
    ----------
    gene_centre, gene_spread
        float32 [gene]; zeros and ones where genes are not centred or scaled.
    sample_centre, sample_spread
        float32 [sample]; likewise.
    gene_mean
        Mean of each gene after scaling, float32 [gene]: what a held-out entry is compared with. NaN for a gene
        without an entry to fit on.
    entries
        Entries to fit on of each gene, int64 [gene].
    """

    gene_centre: np.ndarray
    gene_spread: np.ndarray
    sample_centre: np.ndarray
    sample_spread: np.ndarray
    gene_mean: np.ndarray
    entries: np.ndarray

    @classmethod
    def fit(
        cls, values: np.ndarray, held_out: np.ndarray, settings: PreprocessingSettings, what: str
    ) -> "EntryScale":
        """Compute the scale.

        Parameters
        ----------
        values
            float32 [gene, sample], logarithms already taken; NaN is missing.
        held_out
            Entries that must not be looked at, bool [gene, sample].
        settings
            Which axes are centred and scaled.
        what
            Name of the matrix, for messages.

        Raises
        ------
        InputError
            If there is one sample only, or the entries do not vary within genes.
        """
        genes, samples = values.shape
        if samples < 2:
            raise InputError(f"{what} has {samples} sample; at least 2 are needed")
        centre, spread = np.zeros(genes, dtype=np.float32), np.ones(genes, dtype=np.float32)
        mean = np.full(genes, np.nan, dtype=np.float32)
        entries = np.zeros(genes, dtype=np.int64)
        sums = np.zeros((3, samples))  # count, sum, sum of squares of each sample
        within = 0.0
        for rows in _windows(genes):
            used = np.isfinite(values[rows]) & ~held_out[rows]
            count = used.sum(axis=1)
            block = np.where(used, values[rows], 0.0).astype(np.float64)
            average = block.sum(axis=1) / np.maximum(count, 1)
            variance = np.maximum((block**2).sum(axis=1) / np.maximum(count, 1) - average**2, 0.0)
            within += float((variance * count).sum())
            if settings.centre_genes:
                centre[rows] = average
            if settings.scale_genes:
                spread[rows] = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
            block = np.where(used, (block - centre[rows, None]) / spread[rows, None], 0.0)
            sums += used.sum(axis=0), block.sum(axis=0), (block**2).sum(axis=0)
            entries[rows] = count
            mean[rows] = np.where(count > 0, block.sum(axis=1) / np.maximum(count, 1), np.nan)
        if not within > 1e-9:
            raise InputError(
                f"{what} does not vary within genes: {int(entries.sum()):,} observed entries of {genes:,} genes x "
                f"{samples:,} samples; at least 2 samples with different values are needed"
            )
        count = np.maximum(sums[0], 1)
        average = sums[1] / count
        deviation = np.sqrt(np.maximum(sums[2] / count - average**2, 0.0))
        overall = np.sqrt((deviation**2 * count).sum() / count.sum())
        sample_centre = average if settings.centre_samples else np.zeros(samples)
        sample_spread = (
            np.where(deviation > 1e-7, deviation, 1.0)
            if settings.scale_samples
            else np.full(samples, overall)  # one number for all, so that a network sees values of order 1
        )
        scale = cls(
            centre,
            spread,
            sample_centre.astype(np.float32),
            sample_spread.astype(np.float32),
            mean,
            entries,
        )
        scale._measure_means(values, held_out)
        return scale

    def _measure_means(self, values: np.ndarray, held_out: np.ndarray) -> None:
        for rows in _windows(len(values)):
            scaled = self.apply(values[rows], rows)
            used = np.isfinite(scaled) & ~held_out[rows]
            total, count = np.where(used, scaled, 0.0).sum(axis=1), used.sum(axis=1)
            self.gene_mean[rows] = np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def apply(self, values: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """Give scaled values of some genes, float32 [gene, sample]; missing entries stay NaN."""
        scaled = (values - self.gene_centre[rows, None]) / self.gene_spread[rows, None]
        scaled -= self.sample_centre
        scaled /= self.sample_spread
        return scaled

    def apply_in_place(self, values: np.ndarray) -> np.ndarray:
        """Scale a whole matrix block by block in its own memory and return it."""
        for rows in _windows(len(values)):
            values[rows] = self.apply(values[rows], rows)
        return values


def _windows(length: int) -> Iterator[slice]:
    for start in range(0, length, _ROWS):
        yield slice(start, min(start + _ROWS, length))


@dataclass(frozen=True)
class ScaledEntries:
    """A matrix scaled without its held-out entries.

    Attributes
    ----------
    name
        Name of the matrix.
    genes
        Genes with at least one entry to fit on.
    values
        Scaled values, float32 [gene, sample]; NaN is missing.
    held_out
        Entries that are not fitted on, bool [gene, sample].
    gene_mean
        Mean of each gene over the entries to fit on, float32 [gene].
    entries
        Number of these, int64 [gene].
    dropped
        Genes without any.
    test
        Row, column and scaled value of the entries that nothing saw, three arrays [n].
    """

    name: str
    genes: list[str]
    values: np.ndarray
    held_out: np.ndarray
    gene_mean: np.ndarray
    entries: np.ndarray
    dropped: list[str]
    test: tuple[np.ndarray, np.ndarray, np.ndarray]

    def with_test_entries(self) -> tuple[np.ndarray, np.ndarray]:
        """The values with those of the test entries in place, and a mask of these; both [gene, sample]."""
        rows, columns, truth = self.test
        values, mask = self.values.copy(), np.zeros(self.values.shape, dtype=bool)
        values[rows, columns], mask[rows, columns] = truth, True
        return values, mask

    def fingerprint(self) -> str:
        """SHA-256 of names and values, so that a checkpoint of other data is known for what it is."""
        digest = hashlib.sha256("\n".join([self.name, *self.genes]).encode())
        for rows in _windows(len(self.values)):
            digest.update(np.ascontiguousarray(self.values[rows]).tobytes())
        return digest.hexdigest()


def scaled_entries(
    prepared: PreparedMatrix, share: float, most: int, seed: int, tested: float = 0.0
) -> ScaledEntries:
    """Read a prepared matrix, hold entries out, and scale the rest by its settings.

    Unlike :meth:`PreparedMatrix.blocks`, missing entries stay missing, and no scale has seen a held-out entry.

    Parameters
    ----------
    prepared
        Matrix with its transform.
    share, most
        Share of observed entries to hold out, and their largest number.
    seed
        Seed of the run.
    tested
        Share of observed entries that are missing for everything else, scales included, and are kept in ``test``. They are the
        same whatever ``share`` is.
    """
    values = np.empty((int(prepared.kept.sum()), len(prepared.matrix.samples)), dtype=np.float32)
    start = 0
    for window, block in prepared.matrix.blocks():
        block = block[prepared.kept[window]]
        # log2(x + 1), by the same rule as for principal components
        values[start : start + len(block)] = np.log2(block + np.float32(1)) if prepared.logarithm else block
        start += len(block)
    name, genes = prepared.matrix.name, prepared.genes
    rows, columns = np.nonzero(
        draw_held_out(values, tested, most, seed, f"{name}, test") if tested else np.zeros((0, 0))
    )
    truth = values[rows, columns]
    values[rows, columns] = np.nan
    held_out = draw_held_out(values, share, most, seed, name)
    scale = EntryScale.fit(values, held_out, prepared.settings, f"matrix {name}")
    scale.apply_in_place(values)
    truth = (truth - scale.gene_centre[rows]) / scale.gene_spread[rows]
    truth = (truth - scale.sample_centre[columns]) / scale.sample_spread[columns]
    seen = scale.entries > 0
    if seen.all():
        return ScaledEntries(
            name, genes, values, held_out, scale.gene_mean, scale.entries, [], (rows, columns, truth)
        )
    left = seen[rows]
    place = np.cumsum(seen) - 1
    return ScaledEntries(
        name,
        list(compress(genes, seen)),
        values[seen],
        held_out[seen],
        scale.gene_mean[seen],
        scale.entries[seen],
        list(compress(genes, ~seen)),
        (place[rows[left]], columns[left], truth[left]),
    )
