"""``cistron sequence``: tracks and gene embeddings from DNA."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter

from cistron.cli.options import AllowLoss, Output, Scheduler, Seed, Threads, Workers
from cistron.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

app = App(name="sequence", help="Tracks and gene embeddings from DNA (Enformer).")

MODEL = Group("Model and genome", sort_key=10)
Weights = Annotated[
    Path, Parameter(group=MODEL, help="Model folder, of 'cistron sequence weights' or 'initialise'.")
]
Fasta = Annotated[
    Path, Parameter(name="--genome", group=MODEL, help="FASTA, plain or bgzip; an index is made beside it.")
]
Build = Annotated[
    str | None,
    Parameter(
        group=MODEL, help="Genome build, for example GRCh38; needed where chromosome 1 does not tell it."
    ),
]
Ambiguous = Annotated[
    Literal["error", "n"],
    Parameter(group=MODEL, help="What to do with IUPAC letters for several bases: stop, or read them as N."),
]
Precision = Annotated[
    Literal["fp32", "mixed", "bf16"],
    Parameter(group=MODEL, help="Matrix products: exact, bfloat16 where it does not hurt, all in bfloat16."),
]
Device = Annotated[str, Parameter(group=MODEL, help="auto (a GPU where there is one), cpu, or cuda.")]
BatchSize = Annotated[int, Parameter(group=MODEL, help="Windows at a time.")]
Augment = Annotated[
    bool, Parameter(group=MODEL, negative=(), help="Average over both strands and over shifts of the window.")
]
Shifts = Annotated[
    tuple[int, ...],
    Parameter(group=MODEL, negative=(), consume_multiple=True, help="Shifts in bp of --augment."),
]


@app.command
def weights(
    source: Path,
    destination: Path,
    *,
    length: int | None = None,
    crop: int | None = None,
    human_tracks: Path | None = None,
    mouse_tracks: Path | None = None,
) -> None:
    """Convert weights of enformer-pytorch or DeepMind's TensorFlow checkpoint into a model folder.

    Parameters
    ----------
    source
        A .safetensors or .bin file of enformer-pytorch, or the prefix (or folder) of a TensorFlow checkpoint.
    destination
        Folder to write: model.safetensors, model.json, README.md.
    length
        Base pairs of input, which weights do not tell; 196,608 when absent.
    crop
        Bins cut from either side; 320 when absent.
    human_tracks
        Table of the human targets (targets_human.txt), stored beside the weights.
    mouse_tracks
        Table of the mouse targets.
    """
    from cistron.sequence.weights import convert_weights

    tables = {"human": human_tracks, "mouse": mouse_tracks}
    changes = {name: value for name, value in (("length", length), ("crop", crop)) if value is not None}
    model, unmatched = convert_weights(
        source,
        destination,
        tracks={organism: path for organism, path in tables.items() if path is not None},
        **changes,
    )
    for name in unmatched:
        print(f"not used: {name}")
    count = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"wrote {destination}: {count:,} parameters, {len(unmatched):,} names of the source without a place"
    )


@app.command
def initialise(
    destination: Path,
    *,
    preset: Literal["paper", "small"] = "small",
    seed: Seed = 0,
) -> None:
    """Write a model of random weights, to try commands and to train from; its predictions mean nothing.

    Parameters
    ----------
    destination
        Folder to write.
    preset
        paper: the published size (1 GB); small: 16 kb windows and a dozen tracks.
    """
    from cistron.sequence.random_model import random_model
    from cistron.sequence.settings import PRESETS
    from cistron.sequence.weights import save_weights

    model, tracks = random_model(PRESETS[preset], seed)
    save_weights(model, destination, tracks=tracks, origin={"weights": "random, not trained", "seed": seed})
    print(f"wrote {destination}: random weights, predictions of this model mean nothing")


@app.command
def predict(
    *,
    genome: Fasta,
    regions: Path,
    weights: Weights,
    output: Output,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    organism: Literal["human", "mouse", "both"] = "human",
    length: int | None = None,
    bigwig: Path | None = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Predict tracks around regions. Run the same command again to go on after an interruption.

    Parameters
    ----------
    regions
        BED; the window of the model lies around the middle of each region.
    tracks
        Tracks to compute: numbers, ranges (0-9), identifiers, or parts of descriptions (CAGE:, K562). All when absent.
    organism
        Which tracks.
    length
        Base pairs of input, a multiple of 128; that of the model when absent.
    bigwig
        Folder to export one bigWig a track to, as well.
    """
    from cistron.formats.tracks import write_bigwigs
    from cistron.genome import Genome, check_regions, read_regions
    from cistron.runtime import limit_threads
    from cistron.sequence.inference import InferenceSettings
    from cistron.sequence.predict import predict_regions
    from cistron.sequence.weights import load_weights

    settings = InferenceSettings(batch_size, precision, augment, shifts, device)
    with Genome(genome, build, ambiguous) as opened, limit_threads(threads):
        opened.require_build()
        wanted = check_regions(read_regions(regions), opened)
        table, chosen = _choose(weights, organism, tracks)
        model = load_weights(weights, precision, str(settings.torch_device()))
        store = predict_regions(
            model,
            opened,
            wanted,
            output,
            track_table=table,
            tracks=chosen,
            settings=settings,
            length=length,
            model_path=weights,
        )
    print(
        f"wrote {output}: {len(store.sequences):,} regions x {len(store.tracks):,} tracks x {store.values.shape[3]:,} bins"
    )
    if bigwig is not None:
        print(f"wrote {len(write_bigwigs(store, bigwig)):,} bigWig files to {bigwig}")


def _choose(
    model: Path, organism: str, wanted: tuple[str, ...]
) -> "tuple[pd.DataFrame, dict[str, np.ndarray]]":
    """Find the wanted tracks of each organism in a model folder."""
    from cistron.sequence.settings import settings_from
    from cistron.sequence.track_table import choose_tracks, load_track_table
    from cistron.sequence.weights import read_description

    settings = settings_from(read_description(model)["settings"])
    table = load_track_table(model, settings.tracks)
    organisms = list(settings.tracks) if organism == "both" else [organism]
    return table, {name: choose_tracks(table, name, wanted) for name in organisms}


@app.command
def embed(
    *,
    genome: Fasta,
    annotation: Path,
    weights: Weights,
    output: Output,
    organism: Literal["human", "mouse"] = "human",
    windows: Literal["canonical", "each"] = "canonical",
    neighbours: int = 0,
    biotypes: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = ("protein_coding",),
    genes: Path | None = None,
    cage: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    shard_size: Annotated[int, Parameter(help="Genes of a shard, the unit that is never redone.")] = 16,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    allow_loss: AllowLoss = False,
) -> None:
    """Embed genes from the DNA around their start sites. Run the same command again to go on after an interruption.

    One window lies around the canonical start site of each gene; of the bins with an annotated start site the one with
    the highest mean predicted CAGE gives the gene's vector.

    Parameters
    ----------
    annotation
        GTF with transcripts, of the same build as the genome.
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
        Tracks that choose the bin, as --tracks of 'predict'; those described as CAGE when absent.
    """
    from cistron.formats import write_gene_embedding
    from cistron.genome import Genome
    from cistron.sequence.embed import GeneEmbeddingSettings, discard_shards, embed_annotation
    from cistron.sequence.gene_sites import read_gene_sites
    from cistron.sequence.inference import InferenceSettings
    from cistron.sequence.track_table import cage_tracks

    if output.suffix != ".h5ad":
        raise InputError(f"a gene embedding is written as .h5ad. Given: {output.name}")
    if shard_size < 1:
        raise InputError(f"--shard-size must be 1 or more. Given: {shard_size}")
    inference = InferenceSettings(batch_size, precision, augment, shifts, device)
    rules = GeneEmbeddingSettings(windows, neighbours, organism, inference)
    table, chosen = _choose(weights, organism, cage)
    numbers = chosen[organism] if cage else cage_tracks(table, organism)
    with Genome(genome, build, ambiguous) as opened:
        opened.require_build()
        found = read_gene_sites(
            annotation,
            opened,
            biotypes=tuple(filter(None, biotypes)),
            genes=_lines(genes),
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
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
    write_gene_embedding(embedding, output)
    discard_shards(output)
    print(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    if not path.exists():
        raise InputError(f"gene list {path} does not exist")
    genes = [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
    if not genes:
        raise InputError(f"gene list {path.name} is empty; expected one gene a line")
    return genes


@app.command
def bigwig(
    store: Path,
    *,
    output: Output,
    tracks: Annotated[tuple[int, ...], Parameter(negative=(), consume_multiple=True)] = (),
) -> None:
    """Export predicted tracks as bigWig, one file a track.

    Parameters
    ----------
    store
        Tracks store of 'predict'.
    tracks
        Numbers of the tracks within the store; all when absent.
    """
    from cistron.formats.tracks import open_tracks, write_bigwigs

    written = write_bigwigs(open_tracks(store), output, list(tracks) or None)
    print(f"wrote {len(written):,} bigWig files to {output}")
