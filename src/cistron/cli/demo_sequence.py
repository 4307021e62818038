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
    from cistron.runtime import atomic_path
    from cistron.sequence import PRESETS, DnaEmbedder
    from cistron.sequence.random_model import write_random_model
    from cistron.world.sequence import BUILD, planted_genome, write_planted_genome

    planted = planted_genome(seed)
    fasta, annotation = write_planted_genome(planted, directory)
    weights, output, store = directory / "model", directory / "genes.h5ad", directory / "tracks.zarr"
    write_random_model(weights, PRESETS["small"], seed)
    embedder = DnaEmbedder(weights)
    embedding = embedder.embed(fasta, annotation, output, build=BUILD, threads=1)
    regions = directory / "regions.bed"
    with atomic_path(regions) as partial:
        columns = embedding.obs[["chromosome", "canonical_start_site", "symbol"]][:2]
        rows = [
            f"{name}\t{site}\t{site + 1}\t{gene}\n" for name, site, gene in columns.itertuples(index=False)
        ]
        partial.write_text("".join(rows))
    tracks = embedder.predict(fasta, regions, store, tracks={"human": ["0-7"]}, build=BUILD)
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
