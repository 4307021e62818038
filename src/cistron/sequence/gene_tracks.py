"""Predicted tracks of genes: one value a gene and track, at the start site that is predicted to be used most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.store import seal_store
from cistron.formats.tracks import create_tracks
from cistron.genome import Genome
from cistron.runtime import atomic_directory, check_writable
from cistron.sequence.inputs_tracks import choose_tracks, track_rows
from cistron.sequence.settings import BIN


@dataclass(frozen=True)
class GeneTrackRequest:
    """Predicted tracks of genes that a run is to write, and where.

    Parameters
    ----------
    path
        Folder of the tracks store.
    numbers
        Tracks of the organism, int64 [track].
    rows
        What they are (:func:`cistron.sequence.inputs_tracks.track_rows`).
    """

    path: Path
    numbers: np.ndarray
    rows: pd.DataFrame


def wanted_tracks(
    path: str | Path, table: pd.DataFrame, organism: str, wanted: Sequence[str] = ()
) -> GeneTrackRequest:
    """Choose tracks of genes.

    Parameters
    ----------
    path
        Folder of the store that will be written.
    table
        Track table of the model.
    organism
        Whose tracks.
    wanted
        What :func:`cistron.sequence.inputs_tracks.choose_tracks` understands; empty takes all.

    Raises
    ------
    InputError
        If the store cannot be written, or a track does not exist.
    """
    path = check_writable(path)
    if path.is_file():
        raise InputError(f"cannot write {path}: it is a file; give the path of a folder")
    numbers = choose_tracks(table, organism, wanted)
    return GeneTrackRequest(path, numbers, track_rows(table, {organism: numbers}))


def write_gene_tracks(
    wanted: GeneTrackRequest,
    genes: pd.DataFrame,
    values: np.ndarray,
    genome: Genome,
    neighbours: int,
    parameters: Mapping[str, Any],
) -> None:
    """Write a store of one bin a gene.

    Parameters
    ----------
    wanted
        Tracks and path.
    genes
        Index of gene ids; ``chromosome``, ``strand``, ``bin_start`` (first position of the chosen bin of 128 bp).
    values
        float32 [gene, track], means over the chosen bin and its neighbours.
    genome
        Genome, for its build and lengths.
    neighbours
        Bins on either side that were averaged.
    parameters
        Settings, for the header.
    """
    used = set(genes["chromosome"])
    start = genes["bin_start"].to_numpy() - neighbours * BIN
    width = (2 * neighbours + 1) * BIN
    sequences = pd.DataFrame(
        {
            "name": genes.index.astype(str),
            "chromosome": genes["chromosome"].to_numpy(),
            "start": start,
            "end": start + width,
            "strand": genes["strand"].to_numpy(),
        }
    )
    with atomic_directory(wanted.path) as partial:
        store = create_tracks(
            partial,
            name=wanted.path.stem,
            method="enformer",
            sequences=sequences,
            tracks=wanted.rows,
            bins=1,
            bin_size=width,
            genome_build=genome.require_build(),
            parameters=parameters,
            chromosomes={name: size for name, size in genome.lengths.items() if name in used},
            sequences_per_chunk=256,
        )
        store.values[:] = values[:, None, :, None]
        seal_store(partial)


GeneTracks = GeneTrackRequest  # its name before 0.2; kept until 0.3
