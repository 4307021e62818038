"""``cistron chromatin build``: bigWigs or binned arrays, start sites and expression into one store."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.chromatin.build_genes import (
    checked_parts,
    known_genes,
    meet_expression,
    on_chromosomes,
    read_split,
)
from cistron.chromatin.build_tracks import blacklisted_bins, mean_of_replicates
from cistron.chromatin.inputs import (
    BinnedArrays,
    read_binned,
    read_expression,
    read_start_sites,
    read_track_list,
)
from cistron.chromatin.settings import BuildSettings
from cistron.errors import InputError
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks, create_gene_tracks, open_gene_tracks
from cistron.formats.store import seal_store
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.bigwig import assembly_lengths
from cistron.genome.tracks import bin_many, coverage
from cistron.runtime import RunRecord, atomic_directory, check_writable, record_path, say, sha256_of, track
from cistron.runtime.shards import fingerprint


def build_gene_tracks(
    output: str | Path,
    *,
    tracks: str | Path | None = None,
    binned: str | Path | None = None,
    annotation: str | Path | None = None,
    expression: str | Path | None = None,
    split: str | Path | None = None,
    blacklist: str | Path | None = None,
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
    given = _Given(check_writable(output), annotation, expression, split, blacklist, settings, allow_loss)
    if tracks is not None:
        listed = read_track_list(tracks, replicates=settings.replicates == "mean")
        return _from_bigwigs(given, listed, workers, scheduler)
    if blacklist is not None:
        raise InputError("--blacklist is for bigWigs; arrays that are binned already are taken as they are")
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
        given.get(name) for name in ("tracks", "binned", "annotation", "expression", "split", "blacklist")
    ]
    inputs = [path for path in named if path is not None and Path(path).exists()]
    run = RunRecord("chromatin build", settings or BuildSettings(), inputs, 0)
    store = build_gene_tracks(output, settings=settings, **given)
    run.record("shape", list(store.tracks.values.shape))
    run.record("missing_tracks", int((~store.tracks.measured).sum()))
    run.write(record_path(output))
    return store


@dataclass(frozen=True)
class _Given:
    """Inputs that are the same whether bigWigs or binned arrays are given."""

    output: Path
    annotation: str | Path | None
    expression: str | Path | None
    split: str | Path | None
    blacklist: str | Path | None
    settings: BuildSettings
    allow_loss: bool

    def meet_expression(
        self, genes: pd.DataFrame, cell_types: list[str], what: str
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        levels = None if self.expression is None else read_expression(self.expression)
        return meet_expression(genes, levels, cell_types, what, self.allow_loss)


@dataclass(frozen=True)
class _Contents:
    """Tables and names of a store, without its values."""

    method: str
    genes: pd.DataFrame
    cell_types: list[str]
    marks: list[str]
    measured: np.ndarray
    levels: pd.DataFrame | None
    origin: pd.DataFrame
    chromosomes: dict[str, int]


def _from_bigwigs(given: _Given, listed: pd.DataFrame, workers: int, scheduler: str | None) -> GeneTracks:
    if given.annotation is None:
        raise InputError("bigWigs need --annotation, a GTF, BED or table of start sites")
    output, settings = given.output, given.settings
    cell_types, marks = (list(dict.fromkeys(listed[column])) for column in ("cell_type", "mark"))
    genes, levels = given.meet_expression(
        read_start_sites(given.annotation), cell_types, Path(given.annotation).name
    )
    lengths = assembly_lengths(listed["path"], settings.genome_build)
    genes = on_chromosomes(genes, listed["path"].tolist(), lengths, settings.uncovered, given.allow_loss)
    levels = None if levels is None else levels.loc[genes["gene"]]
    windows = _windows(genes, settings)
    sums = [sha256_of(path) for path in track(listed["path"], "checking bigWigs", unit="files")]
    places = list(zip(listed["cell_type"].map(cell_types.index), listed["mark"].map(marks.index)))
    names = [f"{c:03d}_{m:03d}_{digest[:16]}" for (c, m), digest in zip(places, sums)]
    if len(set(names)) < len(names):
        raise InputError("two replicates of a track hold the same bytes; keep one of them")
    bins = settings.window // settings.bin_size
    black = (
        np.zeros((len(windows), bins), bool)
        if given.blacklist is None
        else blacklisted_bins(windows, given.blacklist, bins, settings.bin_size)
    )
    options = {
        "bin_size": settings.bin_size,
        "uncovered": settings.uncovered,
        "transform": settings.transform,
    }
    shards = output.parent / f".{output.name}.shards-{fingerprint([options, windows.to_json()])}"
    try:
        done = bin_many(
            dict(zip(names, listed["path"])),
            windows,
            shards,
            lengths=lengths,
            workers=workers,
            scheduler=scheduler,
            **options,  # type: ignore[arg-type]
        )
    except InputError:
        if not any(shards.glob("*.npy")):  # nothing that the next run could go on from
            shutil.rmtree(shards, ignore_errors=True)
        raise
    measured = np.zeros((len(cell_types), len(marks)), bool)
    measured[tuple(np.array(places).T)] = True
    if not measured.all():
        c, m = np.argwhere(~measured)[0]
        say(
            f"{(~measured).sum()} of {measured.size} tracks are missing, for example {marks[m]} of {cell_types[c]}; they are masked"
        )
    covered = {str(path): round(coverage(path), 4) for path in listed["path"]}
    origin = listed.assign(source=listed["path"].map(lambda path: Path(path).name), sha256=sums)
    origin = (
        origin.groupby(["cell_type", "mark"], sort=False)
        .agg({"path": "first", "kind": "first", "source": " + ".join, "sha256": " ".join})
        .reset_index()
    )
    parts: dict[tuple[int, int], list[np.ndarray]] = {}
    for place, name in zip(places, names):
        parts.setdefault(place, []).append(np.load(done[name], mmap_mode="r"))
    known = {normalise_chromosome(name): size for name, size in lengths.items()}
    chromosomes = {name: known[normalise_chromosome(name)] for name in sorted(set(genes["chromosome"]))}
    contents = _Contents("bigWig", genes, cell_types, marks, measured, levels, origin, chromosomes)
    with atomic_directory(output) as partial:
        store = _create(partial, given, contents, settings, {"covered": covered})
        for start in track(range(0, len(genes), GENES_PER_CHUNK), "writing", unit="chunks"):
            rows = slice(start, start + GENES_PER_CHUNK)
            block = np.full((len(genes[rows]), len(cell_types), len(marks), store.bins), np.nan, np.float32)
            for (c, m), replicates in parts.items():
                values = mean_of_replicates([part[rows] for part in replicates], settings.transform)
                block[:, c, m] = np.where(black[rows], 0, values)
            store.tracks.values[rows] = block
        seal_store(partial)
    shutil.rmtree(shards)
    return open_gene_tracks(output)


def _from_arrays(given: _Given, arrays: BinnedArrays, path: Path) -> GeneTracks:
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
    contents = _Contents(
        "binned arrays", genes, arrays.cell_types, arrays.marks, arrays.measured, levels, origin, {}
    )
    with atomic_directory(output) as partial:
        store = _create(partial, given, contents, settings, {})
        for start in range(0, len(genes), GENES_PER_CHUNK):
            part = slice(start, start + GENES_PER_CHUNK)
            block = np.where(arrays.measured[None, :, :, None], arrays.values[rows[part]], np.nan)
            block = np.where(turned[part, None, None, None], block[..., ::-1], block)
            store.tracks.values[part] = block if settings.transform in ("none", "logged") else np.log1p(block)
        seal_store(partial)
    return open_gene_tracks(output)


def _create(
    path: Path, given: _Given, contents: _Contents, settings: BuildSettings, facts: Mapping[str, object]
) -> GeneTracks:
    genes, levels = contents.genes, contents.levels
    sequences = _windows(genes, settings)
    if "symbol" in genes:
        sequences["symbol"] = genes["symbol"].to_numpy()
    if given.split is not None:
        sequences["split"] = read_split(Path(given.split), genes["gene"].tolist())
    elif "split" in genes:
        sequences["split"] = checked_parts(genes["split"], "start sites")
    expression = None if levels is None else levels[contents.cell_types].to_numpy()
    if settings.expression_scale == "tpm" and expression is not None and (expression % 1 == 0).all():
        say(
            "expression is taken as TPM, but all values are whole numbers; if they are counts, say --expression-scale counts"
        )
    if expression is not None and settings.expression_scale != "log1p":
        expression = np.log1p(expression)
    scale = "log1p" if settings.expression_scale == "log1p" else f"log1p_{settings.expression_scale}"
    return create_gene_tracks(
        path,
        genes=sequences,
        cell_types=contents.cell_types,
        marks=contents.marks,
        bins=settings.window // settings.bin_size,
        bin_size=settings.bin_size,
        measured=contents.measured,
        expression=expression,
        scale=scale,
        origin=contents.origin,
        name=given.output.stem,
        method=contents.method,
        genome_build=settings.genome_build,
        licence=settings.licence,
        parameters={"transform": settings.transform, "uncovered": settings.uncovered, **facts},
        chromosomes=contents.chromosomes,
    )


def _windows(genes: pd.DataFrame, settings: BuildSettings) -> pd.DataFrame:
    """Windows in which the bin behind the middle begins at the start site, in the direction of transcription."""
    start = genes["position"] - settings.window // 2 + (genes["strand"] == "-").astype(int)
    return pd.DataFrame(
        {
            "name": genes["gene"],
            "chromosome": genes["chromosome"],
            "start": start,
            "end": start + settings.window,
            "strand": genes["strand"],
        }
    ).reset_index(drop=True)
