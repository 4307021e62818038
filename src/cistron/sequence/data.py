"""Training data from signal files (bigWig, or HDF5 of Basenji) and FASTA, by a targets table: one store an organism."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import InputError
from cistron.genome import Genome
from cistron.genome.intervals import covered_bins, overlapping_rows, read_intervals
from cistron.genome.sequence import CHROMOSOME_1
from cistron.runtime import run_shards, say, sha256_of, track
from cistron.runtime.cloud import cloud_url, exists
from cistron.sequence.folds import read_folds
from cistron.sequence.inputs_signal import open_signal
from cistron.sequence.inputs_targets import check_statistics, leave_out, read_targets, transform_of
from cistron.sequence.settings_data import DataSettings
from cistron.sequence.target_transforms import (
    BLACKLIST_BUFFER,
    PRESETS,
    TargetPreset,
    fill_baseline,
    lower_unmappable,
    transform_targets,
)
from cistron.sequence.training_store import (
    MARGIN,
    SHARD_BYTES,
    TRACKS_PER_CHUNK,
    TrainingStore,
    begin_store,
)


def choose_preset(settings: DataSettings, targets: pd.DataFrame, what: str) -> TargetPreset:
    """Give the version of the transform with the sizes of the settings.

    Parameters
    ----------
    settings
        Settings.
    targets
        Table of :func:`cistron.sequence.inputs_targets.read_targets`.
    what
        Name of the table, for messages.

    Raises
    ------
    InputError
        If the table has a soft clip and no version is named, or the version lacks what the table asks for.
    """
    if settings.preset is None and targets["clip_soft"].notna().any():
        raise InputError(
            f"targets {what} have a soft clip, which versions compute differently; name the version with --settings borzoi (the manuscript) "
            "or --settings baskerville (since)"
        )
    preset = PRESETS[settings.preset or "enformer"]
    check_statistics(targets, preset, what)
    return replace(
        preset,
        bin_size=preset.bin_size if settings.bin_size is None else settings.bin_size,
        crop=preset.crop if settings.crop is None else settings.crop,
        input_length=preset.input_length if settings.input_length is None else settings.input_length,
    )


def place_sequences(folds: pd.DataFrame, genome: Genome, preset: TargetPreset, what: str) -> pd.DataFrame:
    """Check sequences against the genome, and give the part that is binned.

    Parameters
    ----------
    folds
        ``chromosome``, ``start``, ``end``, ``fold``.
    genome
        Genome.
    preset
        Sizes.
    what
        Name of the BED, for messages.

    Returns
    -------
    DataFrame
        ``name``, ``chromosome``, ``start``, ``end``, ``strand``, ``fold``, and ``row``, the place in the BED.

    Raises
    ------
    InputError
        If widths differ or do not fit bins and crop, or a sequence ends behind its chromosome.
    """
    widths = (folds["end"] - folds["start"]).unique()
    if len(widths) > 1:
        raise InputError(
            f"folds {what}: sequences are {widths.min():,} to {widths.max():,} bp wide; all must be of one width"
        )
    span = int(widths[0]) - 2 * preset.crop
    if span < preset.bin_size or span % preset.bin_size:
        raise InputError(
            f"folds {what}: sequences of {widths[0]:,} bp less 2 x {preset.crop:,} (--crop) are no whole number of bins of "
            f"{preset.bin_size} bp (--bin-size)"
        )
    if preset.input_length < span or (preset.input_length - int(widths[0])) % 2:
        raise InputError(
            f"--input-length must be at least the {span:,} bp that are binned, and lie evenly around them. Given: {preset.input_length:,}"
        )
    names = {}
    for name in folds["chromosome"].unique():
        try:
            names[name] = genome.chromosome(name)
        except InputError:
            names[name] = ""
    spelled = folds["chromosome"].map(names)
    absent = (spelled == "").to_numpy()
    if absent.all():
        raise InputError(
            f"folds {what}: no sequence lies on a chromosome of {genome.path.name}; is it of another genome?"
        )
    if absent.any():
        shown = folds[absent].iloc[:5]
        places = ", ".join(f"{row.chromosome}:{row.start}-{row.end}" for row in shown.itertuples())
        say(
            f"{int(absent.sum()):,} of {len(folds):,} sequences are left out because {genome.path.name} lacks their chromosome: {places}"
            + (", ..." if absent.sum() > 5 else "")
        )
    kept = folds[~absent].assign(chromosome=spelled[~absent])
    behind = kept["end"] > kept["chromosome"].map(genome.lengths)
    if behind.any():
        row = kept[behind].iloc[0]
        raise InputError(
            f"folds {what}: {row['chromosome']}:{row['start']:,}-{row['end']:,} ends behind its chromosome "
            f"({genome.lengths[row['chromosome']]:,} bp in {genome.path.name}); is it of another genome build?"
        )
    names_of = kept["chromosome"] + ":" + kept["start"].astype(str) + "-" + kept["end"].astype(str)
    return pd.DataFrame(
        {
            "name": names_of,
            "chromosome": kept["chromosome"],
            "start": kept["start"] + preset.crop,
            "end": kept["end"] - preset.crop,
            "strand": ".",
            "fold": kept["fold"],
            "row": np.flatnonzero(~absent),
        }
    ).reset_index(drop=True)


def track_columns(targets: pd.DataFrame, organism: str, sums: Mapping[int, str]) -> pd.DataFrame:
    """Give the table of tracks that is stored.

    Parameters
    ----------
    targets
        Table of :func:`cistron.sequence.inputs_targets.read_targets`.
    organism
        Name of the organism.
    sums
        Row to the SHA-256 of its file.
    """
    number = list(range(len(targets)))
    return pd.DataFrame(
        {
            "name": targets["name"],
            "organism": organism,
            "index": number,
            "identifier": targets["identifier"],
            "description": targets["description"],
            "strand_pair": targets["strand_pair"].astype(int),
            "source": [Path(str(file)).name for file in targets["file"]],
            "sum_stat": targets["sum_stat"],
            "scale": targets["scale"],
            "clip": targets["clip"].astype(object).where(targets["clip"].notna(), None),
            "clip_soft": targets["clip_soft"].astype(object).where(targets["clip_soft"].notna(), None),
            "sha256": [sums.get(row, "") for row in number],
        }
    )


def build_training_data(
    output: str | Path,
    *,
    genome: Genome,
    folds: str | Path,
    targets: str | Path,
    organism: str = "human",
    settings: DataSettings | None = None,
    blacklist: str | Path | None = None,
    unmappable: str | Path | None = None,
    shard_size: int | None = None,
    threads: int | None = 1,
    workers: int = 1,
    scheduler: str | None = None,
) -> TrainingStore:
    """Build the training data of one organism from its signal files. A run that was killed is taken up where it stopped.

    Parameters
    ----------
    output
        Folder of the store.
    genome
        Genome; its build must be known.
    folds
        BED of sequences with their fold.
    targets
        Targets table; its files are relative to it.
    organism
        Name of the organism, and of a model's head.
    settings
        Version of the transform, sizes.
    blacklist, unmappable
        BED of regions whose signal is replaced by a baseline; ``None`` for none.
    shard_size
        Sequences of a file; as many as fit into 64 MB of targets when absent.
    threads, workers, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    TrainingStore
        The finished store.

    Raises
    ------
    InputError
        If the inputs contradict each other, or no track or sequence is left.
    """
    settings, targets, folds = settings or DataSettings(), Path(targets), Path(folds)
    table = read_targets(targets)
    preset = choose_preset(settings, table, targets.name)
    sequences = place_sequences(read_folds(folds), genome, preset, folds.name)
    table = _usable(table, targets, genome, sequences)
    files = [_path_of(targets, str(file)) for file in table["file"]]
    sums = [sha256_of(path) for path in track(files, "checking signal files", unit="files")]
    masks = {name: path for name, path in (("blacklist", blacklist), ("unmappable", unmappable)) if path}
    bins = int(sequences["end"].iloc[0] - sequences["start"].iloc[0]) // preset.bin_size
    per_chunk = min(TRACKS_PER_CHUNK, len(table))
    size = shard_size or max(1, min(256, SHARD_BYTES // (4 * bins * per_chunk)))
    size = min(size, len(sequences))
    parameters: dict[str, Any] = {
        "transform": preset.name,
        "crop": preset.crop,
        "genome": genome.path.name,
        "genome_sha256": sha256_of(genome.path),
        "folds_sha256": sha256_of(folds),
        **{f"{name}_sha256": sha256_of(path) for name, path in masks.items()},
    }
    begun = begin_store(
        output,
        sequences=sequences.drop(columns="row"),
        tracks=track_columns(table, organism, dict(enumerate(sums))),
        bins=bins,
        bin_size=preset.bin_size,
        input_length=preset.input_length,
        genome_build=genome.require_build(),
        chromosomes={name: genome.lengths[name] for name in sequences["chromosome"].unique()},
        parameters=parameters,
        sequences_per_shard=size,
        tracks_per_chunk=per_chunk,
    )
    if isinstance(begun, TrainingStore):
        return begun
    masked = {
        name: read_intervals(path, genome.lengths, name).assign(what=name) for name, path in masks.items()
    }
    shards: dict[str, dict[str, Any]] = {}
    for start in range(0, len(sequences), size):
        part = sequences.iloc[start : start + size].reset_index(drop=True)
        shards[f"dna_{start}"] = {
            "store": str(begun.partial),
            "start": start,
            "genome": str(genome.path),
            "build": genome.build,
            "ambiguous": genome.ambiguous,
            "sequences": part,
            "input_length": preset.input_length,
        }
        near = {name: _near(regions, part, preset) for name, regions in masked.items()}
        for low in range(0, len(table), per_chunk):
            rows = slice(low, low + per_chunk)
            shards[f"signal_{start}_{low}"] = {
                "store": str(begun.partial),
                "start": start,
                "low": low,
                "files": [str(path) for path in files[rows]],
                "tracks": table.iloc[rows].reset_index(drop=True),
                "sequences": part,
                "preset": preset,
                "masks": near,
            }
    run_shards(
        write_shard,
        shards,
        begun.marks,
        suffix=".done",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="building training data",
    )
    return begun.finish()


def _path_of(table: Path, file: str) -> Path:
    return Path(file) if cloud_url(file) else table.parent / file


def _usable(table: pd.DataFrame, path: Path, genome: Genome, sequences: pd.DataFrame) -> pd.DataFrame:
    """Leave out tracks whose file is absent, damaged or without any of the chromosomes; say why."""
    reasons: dict[int, str] = {}
    chromosomes = list(sequences["chromosome"].unique())
    for row, file in enumerate(track(table["file"], "opening signal files", unit="files")):
        if not str(file).strip():
            reasons[row] = "the table names no file"
            continue
        place = _path_of(path, str(file))
        if not exists(place):
            reasons[row] = f"{file} does not exist"
            continue
        try:
            with open_signal(place) as signal:
                lengths = signal.lengths
        except InputError as error:
            reasons[row] = str(error)
            continue
        shared = {name: lengths[own] for name in chromosomes if (own := signal.spelled(name)) is not None}
        if not shared:
            reasons[row] = f"{place.name} has none of the chromosomes of the sequences"
        for name, length in shared.items():
            if signal.exact and length != genome.lengths[name]:
                told = CHROMOSOME_1.get(length, "another build")
                raise InputError(
                    f"bigWig {place.name} is of another genome build: {name} has {length:,} bp there ({told}) and "
                    f"{genome.lengths[name]:,} in {genome.path.name}; use files of one build"
                )
        absent = [name for name in chromosomes if name not in shared]
        if absent and shared:
            say(
                f"track {table['name'].iloc[row]}: {place.name} lacks {len(absent):,} of {len(chromosomes):,} chromosomes "
                f"({', '.join(absent[:3])}), on which its signal is taken as 0"
            )
    if len(reasons) == len(table):
        first = min(reasons)
        raise InputError(
            f"targets {path.name}: no track can be read; the first, {table['name'].iloc[first]}: {reasons[first]}"
        )
    return leave_out(table, reasons)


def _near(regions: pd.DataFrame, sequences: pd.DataFrame, preset: TargetPreset) -> pd.DataFrame:
    """Regions that touch the sequences of a shard, so that a worker is sent no more."""
    whole = sequences.assign(
        start=sequences["start"] - preset.crop - BLACKLIST_BUFFER,
        end=sequences["end"] + preset.crop + BLACKLIST_BUFFER,
    )
    rows, _ = overlapping_rows(regions, whole)
    return regions.iloc[np.unique(rows)].reset_index(drop=True)


def write_shard(marker: Path, store: str, **arguments: Any) -> None:
    """Write one file of the store, then the marker that says so: what a shard of :func:`build_training_data` does.

    Parameters
    ----------
    marker
        File that says that the shard is written.
    store
        Folder of the unfinished store.
    **arguments
        Of the DNA or of the signal of a shard.
    """
    root = zarr.open_group(store, mode="r+")
    start = int(arguments.pop("start"))
    if "genome" in arguments:
        block = _dna(**arguments)
        root["dna"][start : start + len(block)] = block  # type: ignore[index]
    else:
        low = int(arguments.pop("low"))
        block = _signal(**arguments)
        root["values"][start : start + len(block), :, low : low + block.shape[2]] = block  # type: ignore[index]
    marker.write_text(f"{block.nbytes}\n")


def _dna(genome: str, build: str, ambiguous: Any, sequences: pd.DataFrame, input_length: int) -> np.ndarray:
    """Codes of the DNA of sequences, uint8 [sequence, input length + 2 x margin]."""
    with Genome(genome, build or None, ambiguous) as opened:
        return read_dna(opened, sequences, input_length)


def read_dna(genome: Genome, sequences: pd.DataFrame, input_length: int) -> np.ndarray:
    """Read the DNA that is stored of sequences.

    Parameters
    ----------
    genome
        Genome.
    sequences
        ``chromosome``, ``start``, ``end``.
    input_length
        Base pairs around their middle.

    Returns
    -------
    ndarray
        uint8 [sequence, input length + 2 x :data:`cistron.sequence.training_store.MARGIN`]; N beyond the ends of a chromosome.
    """
    middle = (sequences["start"] + sequences["end"]).to_numpy() // 2
    left = middle - input_length // 2 - MARGIN
    width = input_length + 2 * MARGIN
    return np.stack(
        [
            genome.codes(name, int(low), int(low) + width)
            for name, low in zip(sequences["chromosome"], left, strict=True)
        ]
    )


def _signal(
    files: Sequence[str],
    tracks: pd.DataFrame,
    sequences: pd.DataFrame,
    preset: TargetPreset,
    masks: Mapping[str, pd.DataFrame],
) -> np.ndarray:
    """Targets of a shard, float32 [sequence, 1, track, bin]."""
    bins = int(sequences["end"].iloc[0] - sequences["start"].iloc[0]) // preset.bin_size
    targets = np.empty((len(sequences), 1, len(files), bins), np.float32)
    low = (sequences["start"] - preset.crop).to_numpy()
    high = (sequences["end"] + preset.crop).to_numpy()
    black = _base_pairs(masks.get("blacklist"), sequences["chromosome"], low, high)
    for number, (file, (_, row)) in enumerate(zip(files, tracks.iterrows(), strict=True)):
        transform = transform_of(row)
        with open_signal(file) as signal:
            for place, name in enumerate(sequences["chromosome"]):
                raw = signal.read(name, int(low[place]), int(high[place]))
                values = fill_baseline(raw, black[place], preset)
                values = values[preset.crop : len(values) - preset.crop]
                targets[place, 0, number] = transform_targets(values, transform, preset)
    regions = masks.get("unmappable")
    if regions is not None and len(regions):
        hidden = covered_bins(sequences, regions, preset.bin_size)
        for affected in np.flatnonzero(hidden.any(axis=1)):
            targets[affected, 0] = lower_unmappable(targets[affected, 0], hidden[affected], preset)
    return targets


def _base_pairs(
    regions: pd.DataFrame | None, chromosomes: pd.Series, low: np.ndarray, high: np.ndarray
) -> list[np.ndarray | None]:
    """Which base pairs of sequences are blacklisted, the buffer included; ``None`` where none is."""
    found: list[np.ndarray | None] = [None] * len(low)
    if regions is None or not len(regions):
        return found
    grouped = dict(list(regions.groupby("chromosome", sort=False)))
    for place, name in enumerate(chromosomes):
        if name not in grouped:
            continue
        start = grouped[name]["start"].to_numpy() - BLACKLIST_BUFFER - low[place]
        end = grouped[name]["end"].to_numpy() + BLACKLIST_BUFFER - low[place]
        width = int(high[place] - low[place])
        touching = (start < width) & (end > 0)
        if touching.any():
            mask = np.zeros(width, bool)
            for one, two in zip(start[touching], end[touching]):
                mask[max(one, 0) : two] = True
            found[place] = mask
    return found
