"""``cistron sequence saturate``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import FurtherOutput, Output, Scheduler, Threads, Workers
from cistron.cli.sequence_options import (
    Ambiguous,
    Augment,
    BatchSize,
    Build,
    Device,
    Fasta,
    Precision,
    Shifts,
    Weights,
)
from cistron.methods import Count
from cistron.runtime import show


def saturate(
    *,
    genome: Fasta,
    regions: Path,
    weights: Weights,
    output: Output,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    organism: Literal["human", "mouse"] = "human",
    length: Count | None = None,
    span: Count | None = None,
    report_folder: FurtherOutput = None,
    motifs: Path | None = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    shard_size: Annotated[Count, Parameter(help="Changes of a shard, the unit that is never redone.")] = 96,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Change every base of regions to every other and write how each predicted track changes. Run it again to go on after an interruption.

    The map is a tracks store with one bin a base pair and four tracks (one a letter) for each track of the model.

    Parameters
    ----------
    regions
        BED of regions of one width; the window of the model lies around the middle of each.
    tracks
        Tracks to score: numbers, ranges (0-9), identifiers, or parts of descriptions (CAGE:, K562). All when absent.
    organism
        Whose tracks.
    length
        Base pairs of input, a multiple of 128; that of the model when absent.
    span
        Base pairs that are changed around the middle of each region; the whole region when absent.
    report_folder
        Folder to write a summary to: letters, motifs, the strongest changes and report.html with the logos.
    motifs
        Motifs in MEME format (JASPAR, HOCOMOCO; also .gz) to name in the report. Needs memelite: pip install memelite.
    """
    from cistron.errors import InputError
    from cistron.genome import open_genome
    from cistron.sequence.motifs import read_motifs
    from cistron.sequence.saturate import saturate_regions
    from cistron.sequence.saturation_summary import write_saturation_summary
    from cistron.sequence.saving import read_description
    from cistron.sequence.settings import InferenceSettings
    from cistron.sequence.variant_summary import UNTRAINED

    if motifs is not None:
        if report_folder is None:
            raise InputError("--motifs are named in the report; give --report-folder, too")
        read_motifs(motifs)  # before the work
    trained = "random" not in str(read_description(weights)["origin"].get("weights", ""))
    with open_genome(genome, build, ambiguous) as opened:
        found = saturate_regions(
            weights,
            opened,
            regions,
            output,
            tracks=tracks,
            organism=organism,
            length=length,
            span=span,
            inference=InferenceSettings(batch_size, precision, augment, shifts, device),
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    if not trained:
        show(UNTRAINED)
    show(
        f"wrote {output}: {len(found.reference):,} regions x {found.store.values.shape[3]:,} bp x {len(found.tracks):,} tracks x 4 letters"
    )
    if report_folder is not None:
        from cistron.report import build_report

        write_saturation_summary(found, report_folder, regions, weights, motifs=motifs, trained=trained)
        show(f"report: {build_report([report_folder], report_folder / 'report.html')}")
