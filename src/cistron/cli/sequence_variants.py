"""``cistron sequence variants``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import FurtherOutput, Output, Scheduler, Seed, Threads, Workers
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
from cistron.methods import Count, CountOrZero
from cistron.runtime import show

_SHOWN = 5


def variants(
    variants: Path,
    *,
    genome: Fasta,
    weights: Weights,
    output: Output,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    organism: Literal["human", "mouse"] = "human",
    length: Count | None = None,
    shared_windows: CountOrZero = 0,
    log_ratio: Annotated[bool, Parameter(negative=())] = False,
    top_components: CountOrZero = 0,
    screen: CountOrZero = 0,
    controls: CountOrZero = 0,
    within: str | None = None,
    skip_mismatch: Annotated[bool, Parameter(negative=())] = False,
    report_folder: FurtherOutput = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    shard_size: Annotated[Count, Parameter(help="Variants of a shard, the unit that is never redone.")] = 32,
    seed: Seed = 0,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Score variants: how each changes every predicted track. Run the same command again to go on after an interruption.

    The difference of the sums over all predicted bins, alternative minus reference, is the column sad:TRACK of the table.
    Each variant stands in the middle of a window of its own; with --shared-windows those that lie close share one, which is
    several times as fast.

    Parameters
    ----------
    variants
        VCF (plain, gzip, bgzip) or BCF; genotypes are not read. BCF needs pysam: pip install pysam.
    tracks
        Tracks to score: numbers, ranges (0-9), identifiers, or parts of descriptions (CAGE:, K562). All when absent.
    organism
        Whose tracks.
    length
        Base pairs of input, a multiple of 128; that of the model when absent.
    shared_windows
        Variants within the same stretch of this many bp share one window; 8192 suits saturation and fine-mapping.
    log_ratio
        Write log2((alternative + 1) / (reference + 1)) of the sums as well, in columns log_ratio:TRACK.
    top_components
        Principal components of the differences over tracks to write as well.
    screen
        Rank substitutions by a gradient, one backward pass a window, and score only this many exactly, and a sample of the rest
        by which the ranking is judged.
    controls
        Random substitutions near the variants that are scored beside them, for the report.
    within
        chr1 or chr1:1,000-2,000: variants that touch it; an indexed file is not read to its end.
    skip_mismatch
        Leave out variants whose REF is not what the genome has, and count them.
    report_folder
        Folder to write a summary to: scores, the strongest variants and report.html.
    """
    from cistron.genome import open_genome
    from cistron.sequence.settings import InferenceSettings
    from cistron.sequence.settings_variants import VariantSettings
    from cistron.sequence.variant_summary import UNTRAINED, write_variant_summary
    from cistron.sequence.variants import score_variants

    inference = InferenceSettings(batch_size, precision, augment, shifts, device)
    settings = VariantSettings(organism, length, shared_windows, log_ratio, top_components, screen, inference)
    with open_genome(genome, build, ambiguous) as opened:
        found = score_variants(
            weights,
            opened,
            variants,
            output,
            tracks=tracks,
            settings=settings,
            region=within,
            skip_mismatch=skip_mismatch,
            controls=controls,
            seed=seed,
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    if not found.trained:
        show(UNTRAINED)
    for row in found.frame.nlargest(_SHOWN, "magnitude").itertuples():
        show(
            f"  {row.chromosome}:{row.position:,} {row.ref}>{row.alt} {row.id}: {row.track} {row.log_ratio:+.4f} (log2 ratio)"
        )
    show(f"wrote {output}: {len(found.frame):,} variants x {len(found.tracks):,} tracks")
    if report_folder is not None:
        from cistron.report import build_report

        write_variant_summary(found, report_folder, variants, weights, seed=seed)
        show(f"report: {build_report([report_folder], report_folder / 'report.html')}")
