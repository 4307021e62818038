"""Compute vectors and predicted tracks of genes in one process, as means around the bin of each gene's start site."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cistron.genome import Dna, Genome
from cistron.sequence.enformer import Enformer
from cistron.sequence.inference import Place, distinct_copies, embed_windows
from cistron.sequence.inputs_gene_sites import GeneSites, site_bins
from cistron.sequence.settings import BIN, GeneEmbeddingSettings


def _windows(
    gene: GeneSites, settings: GeneEmbeddingSettings, length: int
) -> list[tuple[int, tuple[int, ...]]]:
    """List the windows of a gene: start, and the start sites that may be chosen in it."""
    if settings.windows == "canonical":
        return [(gene.canonical - length // 2, gene.sites)]
    return [(site - length // 2, (site,)) for site in gene.sites]


def _most_active(
    copies: Sequence[Dna], place: Place, sites: tuple[int, ...], activity: Sequence[np.ndarray], crop: int
) -> list[int] | None:
    """Give the bin of the most active start site in each copy; None where no site lies in the output of all.

    Parameters
    ----------
    copies
        Copies of the genome, in which a site may have different places.
    place
        The window.
    sites
        Start sites, in the reference.
    activity
        Of each copy, mean predicted CAGE float32 [bin].
    crop
        Bins cut from the left.
    """
    bins = np.stack([site_bins(copy.offsets(*place, sites), crop, len(activity[0])) for copy in copies])
    seen = (bins >= 0).all(axis=0)
    if not seen.any():
        return None
    bins = bins[:, seen]  # [copy, site]
    level = np.mean([values[where] for values, where in zip(activity, bins)], axis=0)
    return bins[:, level.argmax()].tolist()


def _read_out(
    copies: Sequence[Dna],
    outputs: Sequence[tuple[np.ndarray, np.ndarray]],
    place: Place,
    sites: tuple[int, ...],
    cage: int,
    settings: GeneEmbeddingSettings,
    crop: int,
) -> dict[str, Any] | None:
    """Give the row of a gene from the outputs of one window: means over copies and neighbouring bins.

    Parameters
    ----------
    copies
        Copies of the genome.
    outputs
        Of each copy, trunk [bin, 2 x channels] and tracks [bin, CAGE tracks and others].
    place, sites
        Window and start sites.
    cage
        Number of the CAGE tracks.
    settings, crop
        Rules; bins cut from the left.
    """
    levels = [values[:, :cage].mean(axis=1) for _, values in outputs]
    chosen = _most_active(copies, place, sites, levels, crop)
    if chosen is None:
        return None
    here = list(zip(outputs, chosen))
    trunks = [_around(trunk, where, settings.neighbours) for (trunk, _), where in here]
    tracks = [_around(values[:, cage:], where, settings.track_neighbours) for (_, values), where in here]
    return {
        "cage": np.mean([level[where] for level, where in zip(levels, chosen)]),
        "embedding": np.mean(trunks, axis=0),
        "tracks": np.mean(tracks, axis=0),
        "start": copies[0].position(*place, (crop + chosen[0]) * BIN),
    }


def embed_genes(
    model: Enformer,
    genome: Genome,
    genes: Sequence[GeneSites],
    cage: np.ndarray,
    settings: GeneEmbeddingSettings | None = None,
    tracks: np.ndarray | None = None,
    pairs: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Embed genes in this process.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    genome
        Where the DNA is.
    genes
        Genes with their start sites.
    cage
        Tracks of ``settings.organism`` whose mean chooses the bin.
    settings
        Rules.
    tracks
        Tracks of ``settings.organism`` to predict at the chosen bin.
    pairs
        Partner of every track of the organism on the other strand.

    Returns
    -------
    dict of str to ndarray
        ``embedding`` float32 [gene, 2 x channels]; ``cage`` float32 [gene], mean of the CAGE tracks at the chosen bin;
        ``tracks`` float32 [gene, track]; ``start`` int64 [gene], first position of the chosen bin; ``known`` bool [gene],
        False where the whole window is N.
    """
    settings = settings or GeneEmbeddingSettings()
    tracks = np.empty(0, np.int64) if tracks is None else tracks
    length, crop = model.settings.length, model.settings.crop
    found: dict[str, np.ndarray] = {
        "embedding": np.zeros((len(genes), 2 * model.settings.channels), np.float32),
        "cage": np.full(len(genes), -1, np.float32),
        "tracks": np.full((len(genes), len(tracks)), np.nan, np.float32),
        "start": np.full(len(genes), -1, np.int64),
        "known": np.zeros(len(genes), bool),
    }
    jobs = [
        (row, (gene.chromosome, start, start + length), sites)
        for row, gene in enumerate(genes)
        for start, sites in _windows(gene, settings, length)
    ]
    size = settings.inference.batch_size
    margin = max(abs(shift) for shift, _ in settings.inference.passes())
    for batch in (jobs[first : first + size] for first in range(0, len(jobs), size)):
        places = [place for _, place, _ in batch]
        copies = distinct_copies(genome, places, margin)
        runs = [
            embed_windows(
                model,
                copy,
                places,
                settings.organism,
                np.concatenate([cage, tracks]),
                settings.inference,
                pairs,
            )
            for copy in copies
        ]
        for number, (row, place, sites) in enumerate(batch):
            outputs = [(trunk[number], values[number]) for trunk, values in runs]
            gene = _read_out(copies, outputs, place, sites, len(cage), settings, crop)
            if gene is None or gene["cage"] <= found["cage"][row]:
                continue
            for name, value in gene.items():
                found[name][row] = value
            found["known"][row] = bool((genome.codes(*place) < 4).any())
    return found


def _around(values: np.ndarray, where: int, neighbours: int) -> np.ndarray:
    """Mean of [bin, column] over a bin and its neighbours, as far as there are any."""
    return values[max(0, where - neighbours) : where + neighbours + 1].mean(axis=0)
