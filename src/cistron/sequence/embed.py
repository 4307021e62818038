"""Gene embeddings from DNA: the output of Enformer's trunk at the most active start site of each gene.

A window is centred on the gene's canonical start site; among the bins that hold any of its annotated start sites the
one with the highest mean predicted CAGE gives the vector (specification, section 5). Shards of genes are written as
they are finished, so a run can be interrupted, resumed and spread over machines. With a person's genome every window is
read from both haplotypes, and vectors and tracks are their means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import torch

from cistron.errors import InputError
from cistron.formats import build_gene_embedding
from cistron.genome import Genome, PersonalGenome, PersonSettings, open_genome
from cistron.genome.sequence import Ambiguous
from cistron.runtime import check_writable, say, sha256_of
from cistron.sequence.enformer import Enformer
from cistron.sequence.gene_shards import discard_shards as discard_shards
from cistron.sequence.gene_shards import run_gene_shards
from cistron.sequence.gene_tracks import GeneTrackRequest, write_gene_tracks
from cistron.sequence.gene_vectors import GeneEmbeddingSettings, embed_genes
from cistron.sequence.inputs_gene_sites import GeneSites
from cistron.sequence.saving import load_weights
from cistron.sequence.settings import InferenceSettings


@lru_cache(maxsize=1)
def _open(
    model: str,
    genome: str,
    build: str,
    ambiguous: Ambiguous,
    person: PersonSettings | None,
    precision: str,
    device: str,
) -> tuple[Enformer, Genome]:
    """Load the model and open the genome, once a process."""
    return load_weights(model, precision, device), open_genome(genome, build, ambiguous, person)


def embed_shard(
    path: Path,
    *,
    genes: Sequence[Mapping[str, Any]],
    model: str,
    genome: str,
    build: str,
    ambiguous: Ambiguous,
    cage: Sequence[int],
    settings: Mapping[str, Any],
    person: Mapping[str, Any] | None = None,
    tracks: Sequence[int] = (),
    pairs: Sequence[int] | None = None,
) -> None:
    """Embed the genes of one shard and write them as .npz; all arguments are plain values, so that it runs anywhere.

    Parameters
    ----------
    path
        File to write.
    genes
        Fields of :class:`cistron.sequence.inputs_gene_sites.GeneSites` of each gene.
    model
        Model folder.
    genome, build, ambiguous, person
        As of :func:`cistron.genome.open_genome`; ``person`` as the fields of its settings.
    cage
        Tracks that choose the bin.
    settings
        Fields of :class:`cistron.sequence.settings.GeneEmbeddingSettings`.
    tracks
        Tracks to predict at the chosen bin.
    pairs
        Partner of every track on the other strand.
    """
    inference = InferenceSettings(
        **{**settings["inference"], "shifts": tuple(settings["inference"]["shifts"])}
    )
    rules = GeneEmbeddingSettings(**{**settings, "inference": inference})
    whose = PersonSettings(**{**person, "variants": Path(person["variants"])}) if person else None
    loaded, opened = _open(
        model, genome, build, ambiguous, whose, inference.precision, str(inference.torch_device())
    )
    rows = [GeneSites(**{**gene, "sites": tuple(gene["sites"])}) for gene in genes]
    with torch.inference_mode():
        found = embed_genes(
            loaded,
            opened,
            rows,
            np.array(cage, dtype=np.int64),
            rules,
            np.array(tracks, dtype=np.int64),
            None if pairs is None else np.array(pairs, dtype=np.int64),
        )
    np.savez(path, gene=np.array([gene.gene for gene in rows]), **found)  # type: ignore[arg-type]


def embed_annotation(
    genes: Sequence[GeneSites],
    genome: Genome,
    model: str | Path,
    cage: np.ndarray,
    output: str | Path,
    *,
    settings: GeneEmbeddingSettings | None = None,
    annotation: str | Path | None = None,
    tracks: GeneTrackRequest | None = None,
    pairs: np.ndarray | None = None,
    shard_size: int = 16,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> anndata.AnnData:
    """Embed genes shard by shard and join them.

    Parameters
    ----------
    genes
        Genes of :func:`cistron.sequence.inputs_gene_sites.read_gene_sites`.
    genome
        Genome, of a person or the reference; its build must be known.
    model
        Model folder.
    cage
        Tracks whose mean chooses the bin.
    output
        File that the embedding will be written to; finished shards are kept in a hidden folder beside it until then.
    settings
        Rules.
    annotation
        GTF, for the record of sources.
    tracks
        Predicted tracks to write as well, at the bin that gives the vector.
    pairs
        Partner of every track of the organism on the other strand, for augmentation.
    shard_size
        Genes of a shard.
    workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    AnnData
        Gene embedding; ``obs`` has symbol, chromosome, strand, start of the chosen bin and its mean CAGE. Genes whose
        window holds no base are left out.
    """
    settings = settings or GeneEmbeddingSettings()
    if not genes:
        raise InputError("there is no gene to embed")
    output, build = check_writable(output), genome.require_build()
    weights = sha256_of(Path(model) / "model.safetensors")
    rules = asdict(settings)
    slow = {key: value for key, value in rules["inference"].items() if key not in ("batch_size", "device")}
    facts = genome.person_facts()
    parameters = {**rules, "inference": slow, "weights": weights, "cage_tracks": len(cage), **facts}
    numbers = [] if tracks is None else tracks.numbers.tolist()
    work = [
        parameters,
        [asdict(gene) for gene in genes],
        dict(genome.lengths),
        build,
        cage.tolist(),
        shard_size,
    ]
    common = {
        "model": str(model),
        "genome": str(genome.path),
        "build": build,
        "ambiguous": genome.ambiguous,
        "cage": cage.tolist(),
        "settings": rules,
        "person": _person_of(genome),
        "tracks": numbers,
        "pairs": None if pairs is None else pairs.tolist(),
    }
    joined = run_gene_shards(
        embed_shard,
        [asdict(gene) for gene in genes],
        common,
        output,
        tag=[*work, numbers],
        shard_size=shard_size,
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="embedding genes",
    )
    known = joined["known"]
    if not known.all():
        say(f"left out: {int((~known).sum()):,} of {len(genes):,} genes, because their window holds no base")
    if not known.any():
        raise InputError("no gene has any base in its window; is the genome masked with N?")
    kept = [gene for gene, there in zip(genes, known) if there]
    embedding = build_gene_embedding(
        joined["embedding"][known],
        [gene.gene for gene in kept],
        name=output.stem,
        method="enformer",
        evidence="dna",
        genome_build=build,
        parameters=parameters,
        sources=[path for path in (annotation,) if path is not None],
    )
    described = pd.DataFrame(
        {
            "symbol": [gene.symbol for gene in kept],
            "chromosome": [gene.chromosome for gene in kept],
            "strand": [gene.strand for gene in kept],
            "canonical_start_site": [gene.canonical for gene in kept],
            "start_sites": [len(gene.sites) for gene in kept],
            "bin_start": joined["start"][known],
            "mean_cage": joined["cage"][known],
        },
        index=embedding.obs_names,
    )
    embedding.obs = embedding.obs.join(described)
    if tracks is not None:
        neighbours = settings.track_neighbours
        write_gene_tracks(tracks, embedding.obs, joined["tracks"][known], genome, neighbours, parameters)
    return embedding


def _person_of(genome: Genome) -> dict[str, Any] | None:
    """Settings of a person's genome as plain values."""
    if not isinstance(genome, PersonalGenome):
        return None
    return {**asdict(genome.person), "variants": str(genome.person.variants)}
