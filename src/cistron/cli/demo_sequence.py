"""The sequence part of the demo: a planted genome through the commands a user would run, with random weights."""

from pathlib import Path
from typing import Any


def run(directory: Path, seed: int) -> dict[str, Any]:
    """Embed and predict on the planted genome with a small model of random weights.

    Nothing about biology can come of random weights, and the lines say so; what is shown is that files, coordinates and
    strands fit. As a check the planted start sites must lie in the bins that were embedded.

    Parameters
    ----------
    directory
        Folder to write to.
    seed
        Seed of the genome and the weights.

    Returns
    -------
    dict
        ``lines`` to print, and the paths ``embedding`` and ``tracks``.
    """
    import numpy as np

    from cistron.formats import write_gene_embedding
    from cistron.genome import Genome, check_regions, read_regions
    from cistron.runtime import atomic_path
    from cistron.sequence import PRESETS, save_weights
    from cistron.sequence.embed import discard_shards, embed_annotation
    from cistron.sequence.inputs_gene_sites import read_gene_sites
    from cistron.sequence.inputs_tracks import cage_tracks
    from cistron.sequence.predict import predict_regions
    from cistron.sequence.random_model import random_model
    from cistron.world.sequence import BUILD, planted_genome, write_planted_genome

    planted = planted_genome(seed)
    fasta, annotation = write_planted_genome(planted, directory)
    model, table = random_model(PRESETS["small"], seed)
    weights, output, store = directory / "model", directory / "genes.h5ad", directory / "tracks.zarr"
    save_weights(model, weights, tracks=table, origin={"weights": "random, not trained", "seed": seed})
    with Genome(fasta, build=BUILD) as genome:
        genes = read_gene_sites(annotation, genome)
        embedding = embed_annotation(
            genes, genome, weights, cage_tracks(table), output, annotation=annotation, threads=1
        )
        write_gene_embedding(embedding, output)
        discard_shards(output)
        with atomic_path(directory / "regions.bed") as partial:
            rows = [
                f"{gene.chromosome}\t{gene.canonical}\t{gene.canonical + 1}\t{gene.symbol}\n"
                for gene in genes
            ]
            partial.write_text("".join(rows[:2]))
        tracks = predict_regions(
            model,
            genome,
            check_regions(read_regions(directory / "regions.bed"), genome),
            store,
            track_table=table,
            tracks={"human": np.arange(8)},
            model_path=weights,
        )
    sites = dict(zip(planted.genes["gene"], planted.genes["sites"]))
    right = sum(
        any(start <= site < start + 128 for site in sites[str(gene)])
        for gene, start in embedding.obs["bin_start"].items()
    )
    return {
        "lines": [
            "sequence: Enformer with RANDOM weights (nothing is learned here; trained weights are loaded with "
            "'cistron sequence weights')",
            f"sequence: {embedding.n_obs} planted genes embedded in {embedding.n_vars} dimensions from their DNA; "
            f"{right} of {len(sites)} at a planted start site",
            f"sequence: {len(tracks.tracks)} tracks x {tracks.values.shape[3]} bins predicted around "
            f"{len(tracks.sequences)} genes",
        ],
        "embedding": output,
        "tracks": store,
    }
