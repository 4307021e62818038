"""``cistron sequence enhancers``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import AllowLoss, FurtherOutput, Output, Scheduler, Seed, Threads, Workers
from cistron.cli.sequence_options import Ambiguous, Build, Device, Fasta, Precision, Weights
from cistron.methods import Count, CountOrZero
from cistron.runtime import show


def enhancers(
    pairs: Path,
    *,
    genome: Fasta,
    annotation: Path,
    weights: Weights,
    output: Output,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    methods: Annotated[
        tuple[Literal["gradient", "attention", "ism"], ...], Parameter(negative=(), consume_multiple=True)
    ] = (
        "gradient",
        "attention",
    ),
    organism: Literal["human", "mouse"] = "human",
    length: Count | None = None,
    element_window: Count = 2000,
    site_neighbours: CountOrZero = 1,
    shuffles: Count = 10,
    placement: Literal["site", "elements"] = "site",
    controls: CountOrZero = 0,
    report_folder: FurtherOutput = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    device: Device = "auto",
    shard_size: Annotated[Count, Parameter(help="Genes of a shard, the unit that is never redone.")] = 4,
    seed: Seed = 0,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    allow_loss: AllowLoss = False,
) -> None:
    """Score how much elements contribute to the predicted start site of a gene. Run it again to go on after an interruption.

    One window lies around the most active start site of each gene, and all its elements are scored in it: by gradient times input, by
    attention, or by replacing the element. 'cistron evaluate enhancers' judges the table.

    Parameters
    ----------
    pairs
        Elements and genes, with the columns of the CRISPR benchmark (chrom, chromStart, chromEnd, measuredGeneSymbol) or other common
        names of these; outcomes are not looked at.
    annotation
        Where genes lie: GTF, GFF3, BED or a table (docs/formats/gene_places.md), of the same build as the genome.
    output
        Table to write (.tsv): one row a pair and method.
    tracks
        CAGE tracks of the cell type, for example K562; all CAGE when absent.
    methods
        gradient (times input, one backward pass a gene), attention (of the start site), ism (the element replaced by shuffles; a pass
        of the transformer for each).
    organism
        Whose tracks.
    length
        Base pairs of input, a multiple of 128; that of the model when absent.
    element_window
        Base pairs around the middle of an element that are scored.
    site_neighbours
        Bins on either side of the start site that are summed with its own.
    shuffles
        Dinucleotide shuffles by which ism replaces an element.
    placement
        Where the window of a gene lies: the start site in its middle, or moved to hold as many of the elements as it can.
    controls
        Random places at like distance of the start site that are scored beside each element, for the report.
    report_folder
        Folder to write a summary to: scores, the strongest elements and report.html.
    """
    from cistron.genome import open_genome
    from cistron.sequence.enhancer_summary import write_enhancer_summary
    from cistron.sequence.enhancers import score_enhancers
    from cistron.sequence.settings import InferenceSettings
    from cistron.sequence.settings_enhancers import EnhancerScoreSettings
    from cistron.sequence.variant_summary import UNTRAINED

    settings = EnhancerScoreSettings(methods, element_window, site_neighbours, shuffles, seed, placement)
    with open_genome(genome, build, ambiguous) as opened:
        found = score_enhancers(
            weights,
            opened,
            annotation,
            pairs,
            output,
            tracks=tracks,
            organism=organism,
            length=length,
            settings=settings,
            inference=InferenceSettings(precision=precision, device=device),
            controls=controls,
            allow_loss=allow_loss,
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    if not found.trained:
        show(UNTRAINED)
    show(f"wrote {output}: {len(found.frame) // len(methods):,} pairs x {', '.join(methods)}")
    if report_folder is not None:
        from cistron.report import build_report

        write_enhancer_summary(found, report_folder, pairs, weights, seed=seed)
        show(f"report: {build_report([report_folder], report_folder / 'report.html')}")
