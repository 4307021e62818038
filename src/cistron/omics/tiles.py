"""Tiles: batches of genes x samples, so that what depends on a gene or a sample alone is computed once for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cistron.runtime.seeds import random_generator

_SPARSE = 0.6  # below this share of observed entries in a tile, only these are computed


@dataclass(frozen=True)
class AssayEntries:
    """A scaled matrix with its held-out entries.

    Attributes
    ----------
    values
        Scaled values, float32 [gene, sample]; NaN is missing.
    held_out
        Entries that are not fitted on, bool [gene, sample].
    genes
        Row of each gene in the model's gene table, int64 [gene].
    gene_mean
        Mean of each gene over the entries that are fitted on, float32 [gene].
    """

    values: np.ndarray
    held_out: np.ndarray
    genes: np.ndarray
    gene_mean: np.ndarray


def tiles_of_epoch(
    assays: list[AssayEntries],
    tile_entries: int,
    tile_samples: int,
    seed: int,
    epoch: int,
    most: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Give each observed entry once, in tiles of random genes x random samples, in random order.

    Parameters
    ----------
    assays
        Matrices with their held-out entries.
    tile_entries
        Entries of a tile, observed or not.
    tile_samples
        Largest number of samples in a tile.
    seed, epoch
        Seed of the run and number of the epoch; they determine the order.
    most
        Stop after about this many entries; all are shown when absent.

    Yields
    ------
    dict
        ``assay``; ``genes`` int64 [g]; ``samples`` int64 [s]; ``values`` float32 [g, s]; ``weights`` float32
        [g, s], 1 for an entry to fit on. Where few entries are, ``rows`` and ``columns`` int64 [n] say which,
        and ``values`` is [n].
    """
    generator = random_generator(seed, "tiles", epoch)
    plan = []
    for number, assay in enumerate(assays):
        genes, samples = assay.values.shape
        width = min(samples, tile_samples)
        height = max(1, min(genes, tile_entries // width))
        gene_order, sample_order = generator.permutation(genes), generator.permutation(samples)
        gene_blocks = np.array_split(gene_order, max(1, round(genes / height)))
        sample_blocks = np.array_split(sample_order, -(-samples // width))
        plan += [(number, rows, columns) for rows in gene_blocks for columns in sample_blocks]
    shown = 0
    for index in generator.permutation(len(plan)):
        if most is not None and shown >= most:
            return
        number, rows, columns = plan[index]
        shown += len(rows) * len(columns)
        yield _tile(assays[number], number, np.sort(rows), np.sort(columns))


def _tile(assay: AssayEntries, number: int, rows: np.ndarray, columns: np.ndarray) -> dict[str, Any]:
    whole = len(columns) == assay.values.shape[1]
    values = assay.values[rows] if whole else assay.values[rows[:, None], columns]
    held_out = assay.held_out[rows] if whole else assay.held_out[rows[:, None], columns]
    used = np.isfinite(values) & ~held_out
    tile: dict[str, Any] = {
        "assay": number,
        "genes": torch.from_numpy(assay.genes[rows]),
        "samples": torch.from_numpy(columns),
    }
    if used.mean() < _SPARSE:
        row, column = np.nonzero(used)
        tile |= {"rows": torch.from_numpy(row), "columns": torch.from_numpy(column)}
        return tile | {"values": torch.from_numpy(values[used])}
    tile["weights"] = torch.from_numpy(used.astype(np.float32))
    return tile | {"values": torch.from_numpy(np.where(used, values, np.float32(0)))}


def held_out_batches(assays: list[AssayEntries], size: int = 65_536) -> list[dict[str, Any]]:
    """List all held-out entries, ``size`` at a time: ``assay``, ``genes`` [n], ``samples`` [n], ``values`` and ``means`` (of the gene) [n]."""
    batches: list[dict[str, Any]] = []
    for number, assay in enumerate(assays):
        row, column = np.nonzero(assay.held_out)
        for start in range(0, len(row), size):
            rows, columns = row[start : start + size], column[start : start + size]
            batches.append(
                {
                    "assay": number,
                    "genes": torch.from_numpy(assay.genes[rows]),
                    "samples": torch.from_numpy(columns),
                    "values": torch.from_numpy(assay.values[rows, columns]),
                    "means": torch.from_numpy(assay.gene_mean[rows]),
                }
            )
    return batches
