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
    choose,
    tell_person,
)
from cistron.errors import InputError
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
    from cistron.formats import write_gene_embedding
    from cistron.genes.lists import read_gene_list
    from cistron.genome import open_genome
    from cistron.sequence.embed import discard_shards, embed_annotation
    from cistron.sequence.gene_sites import read_gene_sites
    from cistron.sequence.gene_tracks import wanted_tracks
    from cistron.sequence.run_settings import GeneEmbeddingSettings, InferenceSettings
    from cistron.sequence.track_table import cage_tracks, strand_pairs

    if output.suffix != ".h5ad":
        raise InputError(f"a gene embedding is written as .h5ad. Given: {output.name}")
    if tracks and output_tracks is None:
        raise InputError("--tracks are written to --output-tracks; give it, too")
    inference = InferenceSettings(batch_size, precision, augment, shifts, device)
    rules = GeneEmbeddingSettings(windows, neighbours, organism, track_neighbours, inference)
    table, chosen = choose(weights, organism, cage)
    numbers = chosen[organism] if cage else cage_tracks(table, organism)
    wanted = None if output_tracks is None else wanted_tracks(output_tracks, table, organism, tracks)
    with open_genome(genome, build, ambiguous, person) as opened:
        opened.require_build()
        tell_person(opened)
        found = read_gene_sites(
            annotation,
            opened,
            biotypes=tuple(filter(None, biotypes)),
            genes=[] if genes is None else read_gene_list(genes),
            allow_loss=allow_loss,
        )
        embedding = embed_annotation(
            found,
            opened,
            weights,
            numbers,
            output,
            settings=rules,
            annotation=annotation,
            tracks=wanted,
            pairs=strand_pairs(table, organism),
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    write_gene_embedding(embedding, output)
    discard_shards(output)
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
    if wanted is not None:
        show(f"wrote {wanted.path}: {embedding.n_obs:,} genes x {len(wanted.rows):,} tracks")
