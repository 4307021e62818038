"""``cistron sequence data``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import PRESET, Output, Scheduler, Threads, Workers
from cistron.cli.running import Lists
from cistron.cli.sequence_options import MODEL, Ambiguous, Build
from cistron.errors import InputError
from cistron.methods import Count
from cistron.runtime import show
from cistron.sequence.settings_data import DataSettings


@dataclass(frozen=True)
class _Settings(DataSettings):
    __doc__ = DataSettings.__doc__
    preset: Annotated[Literal["enformer", "borzoi", "baskerville"] | None, PRESET] = DataSettings.preset


def data(
    *,
    output: Output,
    genome: Annotated[
        Path | None, Parameter(group=MODEL, help="FASTA, plain or bgzip; an index is made beside it.")
    ] = None,
    folds: Path | None = None,
    targets: Annotated[Path | None, Lists("file")] = None,
    from_tfrecords: Path | None = None,
    organism: str = "human",
    blacklist: Path | None = None,
    unmappable: Path | None = None,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    build: Build = None,
    ambiguous: Ambiguous = "n",
    shard_size: Annotated[
        Count | None, Parameter(help="Sequences of a file; as many as fit into 64 MB of targets when absent.")
    ] = None,
    threads: Threads = 1,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Build training data of one organism, from signal files or from published TFRecords. Run the same command again to go on.

    Writes a tracks store with the targets of every sequence, its fold and the DNA around it.

    Parameters
    ----------
    folds
        BED of sequences with their fold, of 'cistron sequence folds' or published; with TFRecords in place of their sequences.bed.
    targets
        Targets table: identifier, file (relative to it), clip, clip_soft, scale, sum_stat, strand_pair, description.
    from_tfrecords
        Folder with statistics.json, sequences.bed, targets.txt and tfrecords/, in place of signal files.
    organism
        Name of the organism, and of the model's head that is trained on it.
    blacklist
        BED of regions with artefacts, whose signal is replaced by a baseline of the sequence.
    unmappable
        BED of regions that short reads cannot be mapped to, likewise.
    """
    from cistron.genome import Genome

    settings = settings or _Settings()
    running = {"threads": threads, "workers": workers, "scheduler": scheduler}
    if from_tfrecords is not None:
        from cistron.sequence.data_records import convert_records

        given = {
            "--blacklist": blacklist,
            "--unmappable": unmappable,
            "--settings": settings.preset,
            "--bin-size": settings.bin_size,
            "--crop": settings.crop,
            "--shard-size": shard_size,
        }
        useless = [name for name, value in given.items() if value is not None]
        if useless:
            raise InputError(
                f"{useless[0]} does nothing with --from-tfrecords, whose targets are finished; leave it out"
            )
        opened = None if genome is None else Genome(genome, build, ambiguous)
        store = convert_records(
            output,
            records=from_tfrecords,
            genome=opened,
            targets=targets,
            folds=folds,
            organism=organism,
            input_length=settings.input_length,
            **running,  # type: ignore[arg-type]
        )
    else:
        from cistron.sequence.data import build_training_data

        for name, value in (("--genome", genome), ("--folds", folds), ("--targets", targets)):
            if value is None:
                raise InputError(
                    f"{name} is needed to build training data from signal files (or give --from-tfrecords)"
                )
        assert genome is not None
        assert folds is not None
        assert targets is not None
        store = build_training_data(
            output,
            genome=Genome(genome, build, ambiguous),
            folds=folds,
            targets=targets,
            organism=organism,
            settings=settings,
            blacklist=blacklist,
            unmappable=unmappable,
            shard_size=shard_size,
            **running,  # type: ignore[arg-type]
        )
    found = store.tracks
    counts = found.sequences["fold"].value_counts(sort=False)
    show(
        f"wrote {output}: {len(found.sequences):,} sequences x {len(found.tracks):,} tracks x {found.values.shape[3]:,} bins of "
        f"{found.bin_size} bp, DNA of {store.input_length:,} bp"
    )
    show(
        f"  {found.tracks['organism'].iloc[0]}: {', '.join(f'{name} {number:,}' for name, number in counts.items())}"
    )
