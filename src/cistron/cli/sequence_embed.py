"""``cistron sequence embed``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import AllowLoss, FurtherOutput, Output, Scheduler, Threads, Workers
from cistron.cli.sequence_options import (
    Ambiguous,
    Augment,
    BatchSize,
    Build,
    Device,
    Fasta,
    Person,
    Precision,
    Shifts,
    Weights,
    show_variants,
)
from cistron.methods import Count, CountOrZero
from cistron.runtime import show


def embed(
    *,
    genome: Fasta,
    annotation: Path,
    weights: Weights,
    output: Output,
    organism: Literal["human", "mouse"] = "human",
    windows: Literal["canonical", "each"] = "canonical",
    neighbours: CountOrZero = 0,
    biotypes: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = ("protein_coding",),
    genes: Path | None = None,
    cage: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    output_tracks: FurtherOutput = None,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    track_neighbours: CountOrZero = 1,
    person: Person = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    shard_size: Annotated[Count, Parameter(help="Genes of a shard, the unit that is never redone.")] = 16,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    allow_loss: AllowLoss = False,
) -> None:
    """Embed genes from the DNA around their start sites. Run the same command again to go on after an interruption.

    One window lies around the canonical start site of each gene; of the bins with an annotated start site the one with
    the highest mean predicted CAGE gives the gene's vector. With --output-tracks the same bin gives the predicted tracks of
    the gene as well. With --variants the DNA is that of a person, and of two haplotypes the mean is taken.

    Parameters
    ----------
    annotation
        Where genes lie: GTF, GFF3, BED or a table (docs/formats/gene_places.md), of the same build as the genome.
    organism
        Whose CAGE tracks choose the bin.
    windows
        canonical: one window a gene; each: one around every annotated start site.
    neighbours
        Bins on either side that are averaged with the chosen one.
    biotypes
        Kinds of gene; give '' for all.
    genes
        Text file with one gene id or symbol a line; all genes when absent.
    cage
        Tracks that choose the bin, as --tracks; those described as CAGE when absent.
    output_tracks
        Tracks store (.zarr) to write as well: one value a gene and track.
    tracks
        Tracks of that store: numbers, ranges (0-9), identifiers, or parts of descriptions (CAGE:, K562). All when absent.
    track_neighbours
        Bins on either side that are averaged with the chosen one in that store.
    """
    from cistron.formats.tracks import open_tracks
    from cistron.genes.lists import read_gene_list
    from cistron.genome import open_genome
    from cistron.sequence.estimator import DnaEmbedder
    from cistron.sequence.settings import GeneEmbeddingSettings, InferenceSettings

    inference = InferenceSettings(batch_size, precision, augment, shifts, device)
    settings = GeneEmbeddingSettings(windows, neighbours, organism, track_neighbours, inference)
    with open_genome(genome, build, ambiguous, person) as opened:
        show_variants(opened)
        embedding = DnaEmbedder(weights, settings).embed(
            opened,
            annotation,
            output,
            genes=[] if genes is None else read_gene_list(genes),
            biotypes=tuple(filter(None, biotypes)),
            cage=cage,
            output_tracks=output_tracks,
            tracks=tracks,
            allow_loss=allow_loss,
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
    if output_tracks is not None:
        written = len(open_tracks(output_tracks).tracks)
        show(f"wrote {output_tracks}: {embedding.n_obs:,} genes x {written:,} tracks")
