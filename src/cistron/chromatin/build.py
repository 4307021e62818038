"""``cistron chromatin build``: bigWigs or binned arrays, start sites and expression into one store."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.chromatin.build_genes import (
    checked_parts,
    known_genes,
    meet_expression,
    on_chromosomes,
    read_split,
)
from cistron.chromatin.inputs import (
    BinnedArrays,
    read_binned,
    read_expression,
    read_start_sites,
    read_track_list,
)
from cistron.errors import InputError
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks, create_gene_tracks, open_gene_tracks
from cistron.formats.store import seal_store
from cistron.genome.bigwig import assembly_lengths
from cistron.genome.tracks import Transform, Uncovered, bin_many, coverage
from cistron.methods import Count, check_settings
from cistron.runtime import atomic_directory, check_writable, say, sha256_of, track
from cistron.runtime.shards import fingerprint


@dataclass(frozen=True)
class BuildSettings:
    """How signal is binned and expression is scaled.

    Attributes
    ----------
    window
        Base pairs around a start site, half on each side.
    bin_size
        Base pairs of a bin.
    transform
        ``log1p-mean``: log(1 + mean of the bin), ``mean-log1p``: mean over base pairs of log(1 + signal);
        ``logged``: the values are log(1 + signal) already; ``none``: they are not, and no logarithm is taken.
    uncovered
        Base pairs without a record count as ``zero``, or are left out of the mean (``skip``).
    orientation
        Of arrays that are binned already: ``transcription``, or ``genome``, which is reversed for genes on the minus strand.
    expression_scale
        What the expression table holds: ``tpm``, ``rpkm``, ``cpm``, ``counts`` (log1p is taken), or ``log1p`` (taken already).
    genome_build
        Build of tracks and annotation, recorded.
    licence
        Licence of the data, recorded.
    """

    window: Count = 20_000
    bin_size: Count = 100
    transform: Transform = "log1p-mean"
    uncovered: Uncovered = "zero"
    orientation: Literal["transcription", "genome"] = "transcription"
    expression_scale: Literal["tpm", "rpkm", "cpm", "counts", "log1p"] = "tpm"
    genome_build: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.window < 2 * self.bin_size or self.window % (2 * self.bin_size):
            raise InputError(
                f"window must be an even number of bins. Given: {self.window:,} bp in bins of {self.bin_size:,} bp"
            )


def build_gene_tracks(
    output: str | Path,
    *,
    tracks: str | Path | None = None,
    binned: str | Path | None = None,
    annotation: str | Path | None = None,
    expression: str | Path | None = None,
    split: str | Path | None = None,
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
    settings = settings or BuildSettings()
    if (tracks is None) == (binned is None):
        raise InputError("give either --tracks (a list of bigWigs) or --binned (arrays)")
    output = check_writable(output)
    if tracks is not None:
        return _from_bigwigs(
            output, Path(tracks), annotation, expression, split, settings, workers, scheduler, allow_loss
        )
    return _from_arrays(
        output,
        read_binned(str(binned)),
        Path(str(binned)),
        annotation,
        expression,
        split,
        settings,
        allow_loss,
    )


def _from_bigwigs(
    output: Path,
    tracks: Path,
    annotation: str | Path | None,
    expression: str | Path | None,
    split: str | Path | None,
    settings: BuildSettings,
    workers: int,
    scheduler: str | None,
    allow_loss: bool,
) -> GeneTracks:
    listed = read_track_list(tracks)
    if annotation is None:
        raise InputError("bigWigs need --annotation, a GTF, BED or table of start sites")
    cell_types, marks = (list(dict.fromkeys(listed[column])) for column in ("cell_type", "mark"))
    genes = read_start_sites(annotation)
    levels = None if expression is None else read_expression(expression)
    genes, levels = meet_expression(genes, levels, cell_types, Path(annotation).name, allow_loss)
    lengths = assembly_lengths(listed["path"], settings.genome_build)
    genes = on_chromosomes(genes, listed["path"].tolist(), lengths, settings.uncovered, allow_loss)
    levels = None if levels is None else levels.loc[genes["gene"]]
    windows = _windows(genes, settings)
    sums = [sha256_of(path) for path in track(listed["path"], "checking bigWigs", unit="files")]
    places = list(zip(listed["cell_type"].map(cell_types.index), listed["mark"].map(marks.index)))
    names = [f"{c:03d}_{m:03d}_{digest[:16]}" for (c, m), digest in zip(places, sums)]
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
    parts = {place: np.load(done[name], mmap_mode="r") for place, name in zip(places, names)}
    with atomic_directory(output) as partial:
        store = _create(
            partial,
            output.stem,
            "bigWig",
            windows,
            genes,
            cell_types,
            marks,
            measured,
            levels,
            split,
            origin,
            settings,
            {"covered": covered},
        )
        for start in track(range(0, len(genes), GENES_PER_CHUNK), "writing", unit="chunks"):
            rows = slice(start, start + GENES_PER_CHUNK)
            block = np.full((len(genes[rows]), len(cell_types), len(marks), store.bins), np.nan, np.float32)
            for (c, m), values in parts.items():
                block[:, c, m] = values[rows]
            store.tracks.values[rows] = block
        seal_store(partial)
    shutil.rmtree(shards)
    return open_gene_tracks(output)


def _from_arrays(
    output: Path,
    arrays: BinnedArrays,
    path: Path,
    annotation: str | Path | None,
    expression: str | Path | None,
    split: str | Path | None,
    settings: BuildSettings,
    allow_loss: bool,
) -> GeneTracks:
    bins = arrays.values.shape[3]
    if annotation is None:
        if settings.orientation == "genome":
            raise InputError(
                "arrays in genome orientation need --annotation, which says the strand of each gene"
            )
        genes = pd.DataFrame(
            {"gene": arrays.genes, "chromosome": "", "position": bins * settings.bin_size // 2, "strand": "+"}
        )
    else:
        genes = read_start_sites(annotation)
        genes = known_genes(genes, arrays.genes, path.name, Path(annotation).name, allow_loss)
    levels = None if expression is None else read_expression(expression)
    genes, levels = meet_expression(genes, levels, arrays.cell_types, path.name, allow_loss)
    settings = BuildSettings(**{**settings.__dict__, "window": bins * settings.bin_size})
    row_of = {gene: number for number, gene in enumerate(arrays.genes)}
    rows = genes["gene"].map(row_of).to_numpy()
    turned = (genes["strand"] == "-").to_numpy() & (settings.orientation == "genome")
    digest = sha256_of(path)
    origin = pd.DataFrame(
        [
            {
                "cell_type": arrays.cell_types[c],
                "mark": arrays.marks[m],
                "source": path.name,
                "kind": "measured",
                "sha256": digest,
            }
            for c, m in np.argwhere(arrays.measured)
        ]
    )
    with atomic_directory(output) as partial:
        store = _create(
            partial, output.stem, "binned arrays", _windows(genes, settings), genes, arrays.cell_types, arrays.marks, arrays.measured,
            levels, split, origin, settings, {},
        )  # fmt: skip
        for start in range(0, len(genes), GENES_PER_CHUNK):
            part = slice(start, start + GENES_PER_CHUNK)
            block = np.where(arrays.measured[None, :, :, None], arrays.values[rows[part]], np.nan)
            block = np.where(turned[part, None, None, None], block[..., ::-1], block)
            store.tracks.values[part] = block if settings.transform in ("none", "logged") else np.log1p(block)
        seal_store(partial)
    return open_gene_tracks(output)


def _create(
    path: Path,
    name: str,
    method: str,
    windows: pd.DataFrame,
    genes: pd.DataFrame,
    cell_types: list[str],
    marks: list[str],
    measured: np.ndarray,
    levels: pd.DataFrame | None,
    split: str | Path | None,
    origin: pd.DataFrame,
    settings: BuildSettings,
    facts: Mapping[str, object],
) -> GeneTracks:
    sequences = windows.assign(name=genes["gene"].to_numpy())
    if "symbol" in genes:
        sequences["symbol"] = genes["symbol"].to_numpy()
    if split is not None:
        sequences["split"] = read_split(Path(split), genes["gene"].tolist())
    elif "split" in genes:
        sequences["split"] = checked_parts(genes["split"], "start sites")
    expression = None if levels is None else levels[cell_types].to_numpy()
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
        cell_types=cell_types,
        marks=marks,
        bins=settings.window // settings.bin_size,
        bin_size=settings.bin_size,
        measured=measured,
        expression=expression,
        scale=scale,
        origin=origin,
        name=name,
        method=method,
        genome_build=settings.genome_build,
        licence=settings.licence,
        parameters={"transform": settings.transform, "uncovered": settings.uncovered, **facts},
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
