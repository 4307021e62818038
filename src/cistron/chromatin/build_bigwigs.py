"""A store of bigWigs: binned in shards that an interrupted run goes on from, then written a chunk of genes at a time."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.chromatin.build_contacts import (
    SUFFIX,
    contact_weights,
    distal_signal,
    elements_of,
    read_contacts,
)
from cistron.chromatin.build_genes import on_chromosomes
from cistron.chromatin.build_store import BuildInputs, StoreContents, create_store
from cistron.chromatin.build_tracks import blacklisted_bins, mean_of_replicates
from cistron.chromatin.build_windows import Pieces, bin_edges, binned_pieces
from cistron.chromatin.inputs import read_start_sites
from cistron.errors import InputError
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks, open_gene_tracks
from cistron.formats.store import seal_store
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.bigwig import assembly_lengths
from cistron.genome.tracks import bin_many, coverage
from cistron.runtime import atomic_directory, say, sha256_of, track
from cistron.runtime.shards import fingerprint

Place = tuple[int, int]  # cell type and mark


@dataclass(frozen=True)
class _Binning:
    """bigWigs to bin, and how."""

    output: Path
    paths: dict[str, Path]  # of each replicate
    places: list[Place]
    options: dict[str, Any]
    lengths: dict[str, int]
    workers: int
    scheduler: str | None

    def run(self, pieces: Pieces, what: str) -> tuple[dict[Place, list[np.ndarray]], Path]:
        """Values of the replicates of each track, on disk, and the folder that they lie in."""
        key = fingerprint([self.options, [(windows.to_json(), parts) for windows, parts in pieces]])
        folder = self.output.parent / f".{self.output.name}.{what}-{key}"
        try:
            done = bin_many(
                self.paths,
                pieces,
                folder,
                lengths=self.lengths,
                workers=self.workers,
                scheduler=self.scheduler,
                **self.options,
            )
        except InputError:
            if not any(folder.glob("*.npy")):  # nothing that the next run could go on from
                shutil.rmtree(folder, ignore_errors=True)
            raise
        parts: dict[Place, list[np.ndarray]] = {}
        for place, name in zip(self.places, self.paths):
            parts.setdefault(place, []).append(np.load(done[name], mmap_mode="r"))
        return parts, folder


def store_of_bigwigs(
    given: BuildInputs, listed: pd.DataFrame, workers: int, scheduler: str | None
) -> GeneTracks:
    """Build a store from a list of bigWigs.

    Parameters
    ----------
    given
        The other inputs.
    listed
        List of bigWigs, as of :func:`cistron.chromatin.inputs.read_track_list`.
    workers, scheduler
        Processes that read bigWigs.

    Raises
    ------
    InputError
        If the inputs contradict each other.
    """
    if given.annotation is None:
        raise InputError("bigWigs need --annotation, a GTF, BED or table of start sites")
    output, settings = given.output, given.settings
    cell_types, marks = (list(dict.fromkeys(listed[column])) for column in ("cell_type", "mark"))
    genes, levels = given.meet_expression(
        read_start_sites(given.annotation, ends=bool(settings.gene_body_bins)),
        cell_types,
        Path(given.annotation).name,
    )
    lengths = assembly_lengths(listed["path"], settings.genome_build)
    genes = on_chromosomes(genes, listed["path"].tolist(), lengths, settings.uncovered, given.allow_loss)
    levels = None if levels is None else levels.loc[genes["gene"]]
    pieces = binned_pieces(genes, settings)
    links = (
        None if given.contacts is None else read_contacts(given.contacts, genes, cell_types, settings.window)
    )
    sums = [sha256_of(path) for path in track(listed["path"], "checking bigWigs", unit="files")]
    places = list(zip(listed["cell_type"].map(cell_types.index), listed["mark"].map(marks.index)))
    names = [f"{c:03d}_{m:03d}_{digest[:16]}" for (c, m), digest in zip(places, sums)]
    if len(set(names)) < len(names):
        raise InputError("two replicates of a track hold the same bytes; keep one of them")
    black = (
        np.zeros((len(genes), settings.window // settings.bin_size), bool)
        if given.blacklist is None
        else blacklisted_bins(genes["chromosome"], bin_edges(pieces, settings.bin_size), given.blacklist)
    )
    options = {
        "bin_size": settings.bin_size,
        "uncovered": settings.uncovered,
        "transform": settings.transform,
    }
    binning = _Binning(
        output, dict(zip(names, listed["path"])), places, options, dict(lengths), workers, scheduler
    )
    parts, shards = binning.run(pieces, "shards")
    folders, distal = [shards], None
    if links is not None:
        distal, elements = _distal(binning, links, len(genes))
        folders.append(elements)
    measured = np.zeros((len(cell_types), len(marks)), bool)
    measured[tuple(np.array(places).T)] = True
    if not measured.all():
        c, m = np.argwhere(~measured)[0]
        say(
            f"{(~measured).sum()} of {measured.size} tracks are missing, for example {marks[m]} of {cell_types[c]}; they are masked"
        )
    facts: dict[str, Any] = {"covered": {str(path): round(coverage(path), 4) for path in listed["path"]}}
    if settings.gene_body_bins:
        facts["gene_body_bins"] = settings.gene_body_bins
    known = {normalise_chromosome(name): size for name, size in lengths.items()}
    contents = StoreContents(
        "bigWig",
        genes,
        cell_types,
        marks,
        measured,
        levels,
        _origin(listed, sums),
        {name: known[normalise_chromosome(name)] for name in sorted(set(genes["chromosome"]))},
    )
    if distal is not None:
        contents, facts = contents.with_distal(SUFFIX, str(Path(str(given.contacts)).name), facts)
    with atomic_directory(output) as partial:
        store = create_store(partial, given, contents, settings, facts)
        for start in track(range(0, len(genes), GENES_PER_CHUNK), "writing", unit="chunks"):
            rows = slice(start, start + GENES_PER_CHUNK)
            block = np.full((len(genes[rows]), *contents.measured.shape, store.bins), np.nan, np.float32)
            for (c, m), replicates in parts.items():
                values = mean_of_replicates([part[rows] for part in replicates], settings.transform)
                block[:, c, m] = np.where(black[rows], 0, values)
                if distal is not None:
                    block[:, c, len(marks) + m] = distal[(c, m)][rows, None]
            store.tracks.values[rows] = block
        seal_store(partial)
    for folder in folders:
        shutil.rmtree(folder)
    return open_gene_tracks(output)


def _distal(binning: _Binning, links: pd.DataFrame, genes: int) -> tuple[dict[Place, np.ndarray], Path]:
    """Each track over the elements of each gene, float32 [gene], and the folder of the elements' signal."""
    elements, number = elements_of(links)
    signal, folder = binning.run([(elements, 1)], "elements")
    transform = str(binning.options["transform"])
    weights = {cell: contact_weights(links, number, genes, cell) for cell in {cell for cell, _ in signal}}
    return {
        place: distal_signal(weights[place[0]], mean_of_replicates(values, transform)[:, 0], transform)
        for place, values in signal.items()
    }, folder


def _origin(listed: pd.DataFrame, sums: Sequence[str]) -> pd.DataFrame:
    """One row a track: its sources and their SHA-256, those of replicates together."""
    origin = listed.assign(source=listed["path"].map(lambda path: Path(path).name), sha256=sums)
    return (
        origin.groupby(["cell_type", "mark"], sort=False)
        .agg({"path": "first", "kind": "first", "source": " + ".join, "sha256": " ".join})
        .reset_index()
    )
