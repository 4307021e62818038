"""Training data from the TFRecords that were published with Basenji2, Enformer and Baskerville, read without TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from cistron.errors import InputError
from cistron.genome import Genome
from cistron.runtime import run_shards, say, sha256_of
from cistron.sequence.data import read_dna, track_columns
from cistron.sequence.folds import read_folds
from cistron.sequence.inputs_records import (
    RecordShape,
    count_records,
    decode_record,
    read_raw_records,
    read_statistics,
    record_files,
)
from cistron.sequence.inputs_targets import read_targets
from cistron.sequence.training_store import MARGIN, TrainingStore, begin_store

_BASES = np.array(list("ACGTN"))
_BUILD = "not known"


def convert_records(
    output: str | Path,
    *,
    records: str | Path,
    genome: Genome | None = None,
    targets: str | Path | None = None,
    folds: str | Path | None = None,
    organism: str = "human",
    input_length: int | None = None,
    threads: int | None = 1,
    workers: int = 1,
    scheduler: str | None = None,
) -> TrainingStore:
    """Convert a published data set. A run that was killed is taken up where it stopped.

    Parameters
    ----------
    output
        Folder of the store.
    records
        Folder with ``statistics.json``, ``sequences.bed``, ``targets.txt`` and ``tfrecords/``.
    genome
        Genome: every row's DNA is compared with it, and sequences are extended from it. Without one, DNA beyond the records is N and
        places are not checked, which a remark says.
    targets, folds
        Tables in place of those in the folder.
    organism
        Name of the organism.
    input_length
        Base pairs of DNA to store; 196,608 for bins of 128 bp with a genome, else that of the records, when absent.
    threads, workers, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    TrainingStore
        The finished store.

    Raises
    ------
    InputError
        If records, BED, targets and genome contradict each other, or a file is damaged.
    """
    folder = Path(records)
    facts = read_statistics(folder)
    shape = RecordShape(
        facts["seq_length"], facts["target_length"], facts["pool_width"], facts["num_targets"]
    )
    files = record_files(folder)
    table = read_targets(_beside(targets, folder, "targets.txt", "targets.txt.gz"))
    if len(table) != shape.tracks:
        raise InputError(
            f"{folder.name}: the targets table has {len(table):,} rows, statistics.json {shape.tracks:,} targets; give the table of "
            "these records with --targets"
        )
    bed = read_folds(_beside(folds, folder, "sequences.bed", "sequences.bed.gz"))
    if shape.length < shape.bins * shape.bin_size:
        raise InputError(
            f"{folder.name}/statistics.json: {shape.bins:,} bins of {shape.bin_size} bp are longer than a sequence"
        )
    length = input_length or (
        max(196_608, shape.length) if genome is not None and shape.bin_size == 128 else shape.length
    )
    if length < shape.bins * shape.bin_size or (length - shape.length) % 2:
        raise InputError(
            f"--input-length must be at least {shape.bins * shape.bin_size:,} and even around the records' {shape.length:,} bp. "
            f"Given: {length:,}"
        )
    if genome is None:
        say(
            f"no --genome was given: the DNA of {folder.name} is not compared with a genome"
            + (f", and the {length - shape.length:,} bp beyond it are N" if length > shape.length else "")
        )
    rows, firsts = _rows_of_files(files, bed, folder, threads, workers, scheduler, output)
    span = shape.bins * shape.bin_size
    middle = (bed["start"] + bed["end"]) // 2
    spelled = bed["chromosome"] if genome is None else bed["chromosome"].map(_spelling(bed, genome))
    sequences = pd.DataFrame(
        {
            "name": bed["chromosome"] + ":" + bed["start"].astype(str) + "-" + bed["end"].astype(str),
            "chromosome": spelled,
            "start": middle - span // 2,
            "end": middle - span // 2 + span,
            "strand": ".",
            "fold": bed["fold"],
        }
    )
    sums = {path.name: sha256_of(path) for found in files.values() for path in found}
    begun = begin_store(
        output,
        sequences=sequences,
        tracks=track_columns(table, organism, {}),
        bins=shape.bins,
        bin_size=shape.bin_size,
        input_length=length,
        genome_build=_BUILD if genome is None else genome.require_build(),
        chromosomes={}
        if genome is None
        else {name: genome.lengths[name] for name in sequences["chromosome"].unique()},
        parameters={
            "transform": "as in the records",
            "genome": "" if genome is None else genome.path.name,
            "genome_sha256": "" if genome is None else sha256_of(genome.path),
            "records_sha256": sums,
        },
        sequences_per_shard=None,
        tracks_per_chunk=None,
    )
    if isinstance(begun, TrainingStore):
        return begun
    shards = {
        path.name: {
            "store": str(begun.partial),
            "path": str(path),
            "rows": rows[path.name],
            "first": firsts[path.name],
            "sequences": sequences.iloc[rows[path.name]].reset_index(drop=True),
            "shape": shape,
            "input_length": length,
            "genome": None if genome is None else (str(genome.path), genome.build, genome.ambiguous),
        }
        for found in files.values()
        for path in found
    }
    run_shards(
        write_records,
        shards,
        begun.marks,
        suffix=".done",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="converting TFRecords",
    )
    return begun.finish()


def _spelling(bed: pd.DataFrame, genome: Genome) -> dict[str, str]:
    return {name: genome.chromosome(name) for name in bed["chromosome"].unique()}


def _beside(given: str | Path | None, folder: Path, *names: str) -> Path:
    if given is not None:
        return Path(given)
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise InputError(
        f"{folder} has no {names[0]}; give it with {'--targets' if 'targets' in names[0] else '--folds'}"
    )


def _rows_of_files(
    files: dict[str, list[Path]],
    bed: pd.DataFrame,
    folder: Path,
    threads: int | None,
    workers: int,
    scheduler: str | None,
    output: str | Path,
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Rows of the BED that each file holds, and the number of its first record within the fold.

    Records bear no coordinates: record n of a fold, its files in natural order, is row n of the fold in the BED.
    """
    from cistron.runtime.files import check_writable, destination_of
    from cistron.runtime.shards import fingerprint

    every = [path for found in files.values() for path in found]
    place = destination_of(check_writable(output))
    tag = fingerprint([[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in every])
    counted = run_shards(
        write_count,
        {path.name: {"record": str(path)} for path in every},
        place.parent / f".{place.name}.shards-{tag}",
        suffix=".count",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="counting records",
    )
    counts = {name: int(path.read_text()) for name, path in counted.items()}
    rows, firsts = {}, {}
    unknown = sorted(set(map(str, bed["fold"])) ^ set(files))
    if unknown:
        raise InputError(
            f"{folder.name}: fold {unknown[0]} is in {'the BED and has no files' if unknown[0] not in files else 'the files and not in the BED'} "
            f"(files of {', '.join(files)}; BED of {', '.join(map(str, bed['fold'].unique()))})"
        )
    for fold, found in files.items():
        of_fold = np.flatnonzero((bed["fold"] == fold).to_numpy())
        total = sum(counts[path.name] for path in found)
        if total != len(of_fold):
            raise InputError(
                f"{folder.name}: {total:,} records of fold {fold} in {len(found):,} files, but {len(of_fold):,} rows in the BED; a file "
                "is missing, or the BED is of another version"
            )
        first = 0
        for path in found:
            rows[path.name] = of_fold[first : first + counts[path.name]]
            firsts[path.name] = first
            first += counts[path.name]
    return rows, firsts


def write_count(output: Path, record: str) -> None:
    """Count the records of one file: what a shard of the counting does.

    Parameters
    ----------
    output
        File to write.
    record
        TFRecord file.
    """
    output.write_text(f"{count_records(record)}\n")


def write_records(
    marker: Path,
    store: str,
    path: str,
    rows: np.ndarray,
    first: int,
    sequences: pd.DataFrame,
    shape: RecordShape,
    input_length: int,
    genome: tuple[str, str, Any] | None,
) -> None:
    """Convert one file, a record at a time, then write the marker: what a shard of :func:`convert_records` does.

    Parameters
    ----------
    marker
        File that says that the shard is written.
    store
        Folder of the unfinished store.
    path
        TFRecord file.
    rows
        Rows of the store that its records go to, int64 [record].
    first
        Number of its first record within the fold, for messages.
    sequences
        Places of these rows.
    shape
        Sizes of a record.
    input_length
        Base pairs of DNA to store.
    genome
        FASTA, build and what to do with ambiguous letters; ``None`` for none.

    Raises
    ------
    InputError
        If a record is damaged, or its DNA is not that of its place.
    """
    root = zarr.open_group(store, mode="r+")
    values, dna = root["values"], root["dna"]
    opened = None if genome is None else Genome(genome[0], genome[1] or None, genome[2])
    width = input_length + 2 * MARGIN
    number = -1
    try:
        for number, data in enumerate(read_raw_records(path)):
            where = f"{Path(path).name} record {number}"
            codes, targets = decode_record(data, shape, where)
            place = sequences.iloc[[number]]
            if opened is None:
                full = np.full(width, 4, np.uint8)
                _put_in_middle(full, codes)
            else:
                full = read_dna(opened, place, input_length)[0]
                _require_same(codes, opened, place, f"{where} (number {first + number} of its fold)")
            dna[int(rows[number])] = full  # type: ignore[index]
            values[int(rows[number]), 0] = targets  # type: ignore[index]
    finally:
        if opened is not None:
            opened.close()
    marker.write_text(f"{number + 1}\n")


def _put_in_middle(full: np.ndarray, codes: np.ndarray) -> None:
    shift = (len(full) - len(codes)) // 2
    if shift >= 0:
        full[shift : shift + len(codes)] = codes
    else:
        full[:] = codes[-shift : -shift + len(full)]


def _require_same(codes: np.ndarray, genome: Genome, place: pd.DataFrame, where: str) -> None:
    row = place.iloc[0]
    start = (int(row["start"]) + int(row["end"])) // 2 - len(codes) // 2
    there = genome.codes(str(row["chromosome"]), start, start + len(codes))
    if (codes == there).all():
        return
    differing = int((codes != there).sum())
    offset = int((codes != there).argmax())
    raise InputError(
        f"{where}: its DNA is not that of {row['chromosome']}:{start:,}-{start + len(codes):,} in {genome.path.name} ({differing:,} of "
        f"{len(codes):,} letters differ, the first is {_BASES[codes[offset]]} at {start + offset + 1:,}, there {_BASES[there[offset]]}); "
        "the genome or the BED is of another build or version"
    )
