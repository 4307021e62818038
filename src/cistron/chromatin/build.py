"""``cistron chromatin build``: bigWigs or binned arrays, start sites and expression into one store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.chromatin.build_bigwigs import store_of_bigwigs
from cistron.chromatin.build_genes import known_genes
from cistron.chromatin.build_store import BuildInputs, StoreContents, create_store
from cistron.chromatin.inputs import BinnedArrays, read_binned, read_start_sites, read_track_list
from cistron.chromatin.settings import BuildSettings
from cistron.errors import InputError
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks, open_gene_tracks
from cistron.formats.store import seal_store
from cistron.runtime import Progress, RunRecord, atomic_directory, check_writable, record_path, sha256_of


def build_gene_tracks(
    output: str | Path,
    *,
    tracks: str | Path | None = None,
    binned: str | Path | None = None,
    annotation: str | Path | None = None,
    expression: str | Path | None = None,
    split: str | Path | None = None,
    blacklist: str | Path | None = None,
    contacts: str | Path | None = None,
    settings: BuildSettings | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    allow_loss: bool = False,
) -> GeneTracks:
    """Build the store that networks are fitted on.

    Parameters
    ----------
    output
        Folder of the zarr store.
    tracks
        List of bigWigs, as of :func:`cistron.chromatin.inputs.read_track_list`; or
    binned
        Arrays, as of :func:`cistron.chromatin.inputs.read_binned`.
    annotation
        Start sites; needed with bigWigs, optional with arrays (chromosomes for the split, strands for the orientation).
    expression
        Table of genes x cell types; without it the store serves prediction only.
    split
        Table ``gene``, ``split`` (train, validation, test, unused); by chromosome when absent.
    blacklist
        BED of regions with artefacts; bins of bigWigs that it touches are 0.
    contacts
        Table of distal elements and genes, as of :func:`cistron.chromatin.build_contacts.read_contacts`: each mark gets a further track.
    settings
        How.
    workers, scheduler
        Processes that read bigWigs.
    allow_loss
        Go on when more than 5% of the genes are lost.

    Returns
    -------
    GeneTracks
        The finished store.

    Raises
    ------
    InputError
        If the inputs contradict each other; nothing is left behind.
    """
    if (tracks is None) == (binned is None):
        raise InputError("give either --track-table (a list of bigWigs) or --binned (arrays)")
    settings = settings or BuildSettings()
    given = BuildInputs(
        check_writable(output), annotation, expression, split, blacklist, contacts, settings, allow_loss
    )
    if tracks is not None:
        listed = read_track_list(tracks, replicates=settings.replicates == "mean")
        return store_of_bigwigs(given, listed, workers, scheduler)
    if blacklist is not None:
        raise InputError("--blacklist is for bigWigs; arrays that are binned already are taken as they are")
    for option, value in (("--contacts", contacts), ("--gene-body-bins", settings.gene_body_bins)):
        if value:
            raise InputError(f"{option} is for bigWigs; arrays that are binned already are taken as they are")
    return _from_arrays(given, read_binned(str(binned)), Path(str(binned)))


def build_files(output: str | Path, *, settings: BuildSettings | None = None, **given: Any) -> GeneTracks:
    """Build the store and write the record of the run beside it.

    Parameters
    ----------
    output
        Folder of the zarr store.
    settings
        How.
    **given
        The rest of what :func:`build_gene_tracks` takes.

    Returns
    -------
    GeneTracks
        The finished store.
    """
    named = [
        given.get(name)
        for name in ("tracks", "binned", "annotation", "expression", "split", "blacklist", "contacts")
    ]
    inputs = [path for path in named if path is not None and Path(path).exists()]
    run = RunRecord("chromatin build", settings or BuildSettings(), inputs, 0)
    store = build_gene_tracks(output, settings=settings, **given)
    run.record("shape", list(store.tracks.values.shape))
    run.record("missing_tracks", int((~store.tracks.measured).sum()))
    run.write(record_path(output))
    return store


def _from_arrays(given: BuildInputs, arrays: BinnedArrays, path: Path) -> GeneTracks:
    output, settings = given.output, given.settings
    bins = arrays.values.shape[3]
    if given.annotation is None:
        if settings.orientation == "genome":
            raise InputError(
                "arrays in genome orientation need --annotation, which says the strand of each gene"
            )
        genes = pd.DataFrame(
            {"gene": arrays.genes, "chromosome": "", "position": bins * settings.bin_size // 2, "strand": "+"}
        )
    else:
        genes = read_start_sites(given.annotation)
        genes = known_genes(genes, arrays.genes, path.name, Path(given.annotation).name, given.allow_loss)
    genes, levels = given.meet_expression(genes, arrays.cell_types, path.name)
    settings = replace(settings, window=bins * settings.bin_size)
    row_of = {gene: number for number, gene in enumerate(arrays.genes)}
    rows = genes["gene"].map(row_of).to_numpy()
    turned = (genes["strand"] == "-").to_numpy() & (settings.orientation == "genome")
    tracks = np.argwhere(arrays.measured)
    origin = pd.DataFrame(
        {
            "cell_type": [arrays.cell_types[c] for c, _ in tracks],
            "mark": [arrays.marks[m] for _, m in tracks],
            "source": path.name,
            "kind": "measured",
            "sha256": sha256_of(path),
        }
    )
    contents = StoreContents(
        "binned arrays", genes, arrays.cell_types, arrays.marks, arrays.measured, levels, origin, {}
    )
    with atomic_directory(output) as partial:
        store = create_store(partial, given, contents, settings, {})
        starts = range(0, len(genes), GENES_PER_CHUNK)
        with Progress("writing binned tracks", len(starts), "chunks of genes") as progress:
            for start in starts:
                part = slice(start, start + GENES_PER_CHUNK)
                block = np.where(arrays.measured[None, :, :, None], arrays.values[rows[part]], np.nan)
                block = np.where(turned[part, None, None, None], block[..., ::-1], block)
                as_they_are = settings.transform in ("none", "logged")
                store.tracks.values[part] = block if as_they_are else np.log1p(block)
                progress.advance()
        seal_store(partial)
    return open_gene_tracks(output)
