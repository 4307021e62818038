"""``cistron sequence``: tracks and gene embeddings from DNA and proteins."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.cli.method_options import add_methods_command
from cistron.cli.options import PRESET, Destination, FurtherOutput, Output, Scheduler, Seed, Threads, Workers
from cistron.cli.sequence_data import data
from cistron.cli.sequence_design import design
from cistron.cli.sequence_embed import embed
from cistron.cli.sequence_embed_protein import embed_protein
from cistron.cli.sequence_enhancers import enhancers
from cistron.cli.sequence_evaluate import evaluate
from cistron.cli.sequence_folds import folds
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
from cistron.cli.sequence_saturate import saturate
from cistron.cli.sequence_train import train
from cistron.cli.sequence_variants import variants
from cistron.methods import Count, CountOrZero
from cistron.runtime import show
from cistron.sequence.methods import METHODS

app = App(name="sequence", help="Tracks and gene embeddings from DNA (Enformer) and proteins (ESM-2).")
app.command(embed)
app.command(embed_protein)
app.command(folds)
app.command(data)
app.command(train)
app.command(evaluate)
app.command(variants)
app.command(saturate)
app.command(design)
app.command(enhancers)
add_methods_command(app, METHODS)


@app.command
def weights(
    source: Path,
    destination: Destination,
    *,
    length: Count | None = None,
    crop: CountOrZero | None = None,
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
        Base pairs of input, which weights do not tell; when absent, as the metadata of a .safetensors file say, else 196,608.
    crop
        Bins cut from either side; likewise, else 320.
    human_tracks
        Table of the human targets (targets_human.txt), stored beside the weights.
    mouse_tracks
        Table of the mouse targets.
    """
    from cistron.sequence.saving import convert_weights

    tables = {"human": human_tracks, "mouse": mouse_tracks}
    changes = {name: value for name, value in (("length", length), ("crop", crop)) if value is not None}
    model, unmatched = convert_weights(
        source,
        destination,
        tracks={organism: path for organism, path in tables.items() if path is not None},
        **changes,
    )
    for name in unmatched:
        show(f"not used: {name}")
    count = sum(parameter.numel() for parameter in model.parameters())
    show(f"wrote {destination}: {count:,} parameters, {len(unmatched):,} names of the source without a place")


@app.command
def initialise(
    destination: Destination,
    *,
    preset: Annotated[Literal["paper", "small"], PRESET] = "small",
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
    from cistron.sequence.random_model import write_random_model
    from cistron.sequence.settings import PRESETS

    write_random_model(destination, PRESETS[preset], seed)
    show(f"wrote {destination}: random weights, predictions of this model mean nothing")


@app.command
def predict(
    *,
    genome: Fasta,
    regions: Path,
    weights: Weights,
    output: Output,
    tracks: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = (),
    organism: Literal["human", "mouse", "both"] = "human",
    length: Count | None = None,
    bigwig: FurtherOutput = None,
    person: Person = None,
    build: Build = None,
    ambiguous: Ambiguous = "error",
    precision: Precision = "fp32",
    batch_size: BatchSize = 1,
    augment: Augment = False,
    shifts: Shifts = (-3, 0, 3),
    device: Device = "auto",
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Predict tracks around regions. Run the same command again to go on after an interruption.

    With --variants the DNA is that of a person: windows keep their length and their middle, and of two haplotypes the
    mean is predicted.

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
    from cistron.genome import open_genome
    from cistron.runtime import limit_threads
    from cistron.sequence.estimator import DnaEmbedder
    from cistron.sequence.settings import GeneEmbeddingSettings, InferenceSettings

    inference = InferenceSettings(batch_size, precision, augment, shifts, device)
    embedder = DnaEmbedder(weights, GeneEmbeddingSettings(inference=inference))
    organisms = embedder.organisms if organism == "both" else [organism]
    with open_genome(genome, build, ambiguous, person) as opened, limit_threads(threads):
        show_variants(opened)
        store = embedder.predict(
            opened, regions, output, tracks=dict.fromkeys(organisms, tracks), length=length
        )
    show(
        f"wrote {output}: {len(store.sequences):,} regions x {len(store.tracks):,} tracks x {store.values.shape[3]:,} bins"
    )
    if bigwig is not None:
        show(f"wrote {len(write_bigwigs(store, bigwig)):,} bigWig files to {bigwig}")


@app.command
def bigwig(
    store: Path,
    *,
    output: Output,
    tracks: Annotated[tuple[CountOrZero, ...], Parameter(negative=(), consume_multiple=True)] = (),
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
    show(f"wrote {len(written):,} bigWig files to {output}")
