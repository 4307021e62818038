"""Gene embeddings from DNA: the trunk's vector at the start site that is predicted to be used most.

A window is centred on the gene's canonical start site; among the bins that hold any of its annotated start sites the
one with the highest mean predicted CAGE gives the vector (specification, section 5). Shards of genes are written as
they are finished, so a run can be interrupted, resumed and spread over machines.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import anndata
import numpy as np
import pandas as pd
import torch

from cistron.errors import InputError
from cistron.formats import build_gene_embedding
from cistron.genome import Genome
from cistron.genome.sequence import Ambiguous
from cistron.runtime import check_writable, run_shards, say, sha256_of
from cistron.runtime.shards import fingerprint
from cistron.sequence.enformer import Enformer
from cistron.sequence.gene_sites import GeneSites, site_bins
from cistron.sequence.inference import InferenceSettings, embed_windows
from cistron.sequence.settings import BIN
from cistron.sequence.weights import load_weights


@dataclass(frozen=True)
class GeneEmbeddingSettings:
    """How a gene becomes a vector.

    Parameters
    ----------
    windows
        ``canonical``: one window a gene, around its canonical start site. ``each``: one around every start site,
        of which the most active is taken; costs a run of the model each.
    neighbours
        Bins on either side that are averaged with the chosen one.
    organism
        Head whose CAGE chooses the bin.
    inference
        Batches, precision, augmentation, device.
    """

    windows: Literal["canonical", "each"] = "canonical"
    neighbours: int = 0
    organism: str = "human"
    inference: InferenceSettings = field(default_factory=InferenceSettings)

    def __post_init__(self) -> None:
        if self.windows not in ("canonical", "each"):
            raise InputError(f"--windows must be canonical or each. Given: {self.windows}")
        if self.neighbours < 0:
            raise InputError(f"--neighbours must be 0 or more. Given: {self.neighbours}")


@lru_cache(maxsize=1)
def _open(
    model: str, genome: str, build: str, ambiguous: Ambiguous, precision: str, device: str
) -> tuple[Enformer, Genome]:
    """Load the model and open the genome, once a process."""
    return load_weights(model, precision, device), Genome(genome, build, ambiguous)


def _windows(
    gene: GeneSites, settings: GeneEmbeddingSettings, length: int
) -> list[tuple[int, tuple[int, ...]]]:
    """List the windows of a gene: start, and the start sites that may be chosen in it."""
    if settings.windows == "canonical":
        return [(gene.canonical - length // 2, gene.sites)]
    return [(site - length // 2, (site,)) for site in gene.sites]


def embed_genes(
    model: Enformer,
    genome: Genome,
    genes: Sequence[GeneSites],
    cage: np.ndarray,
    settings: GeneEmbeddingSettings | None = None,
) -> dict[str, np.ndarray]:
    """Embed genes in this process.

    Parameters
    ----------
    model
        Model in evaluation mode, on its device.
    genome
        Where the DNA is.
    genes
        Genes with their start sites.
    cage
        Tracks of ``settings.organism`` whose mean chooses the bin.
    settings
        Rules.

    Returns
    -------
    dict of str to ndarray
        ``embedding`` float32 [gene, 2 x channels]; ``cage`` float32 [gene, tracks] at the chosen bin; ``start`` int64
        [gene], first position of the chosen bin; ``known`` bool [gene], False where the whole window is N.
    """
    settings = settings or GeneEmbeddingSettings()
    length, crop, bins = model.settings.length, model.settings.crop, model.settings.bins
    width = 2 * model.settings.channels
    embedding = np.zeros((len(genes), width), np.float32)
    activity = np.full((len(genes), len(cage)), -1, np.float32)
    start_of_bin, known = np.full(len(genes), -1, np.int64), np.zeros(len(genes), bool)
    jobs = [
        (row, start, sites)
        for row, gene in enumerate(genes)
        for start, sites in _windows(gene, settings, length)
    ]
    size = settings.inference.batch_size
    for batch in (jobs[first : first + size] for first in range(0, len(jobs), size)):
        places = [(genes[row].chromosome, start, start + length) for row, start, _ in batch]
        trunk, predicted = embed_windows(model, genome, places, settings.organism, cage, settings.inference)
        for (row, start, sites), vectors, values, place in zip(batch, trunk, predicted, places):
            candidates = site_bins(sites, start, crop, bins)
            best = int(candidates[values[candidates].mean(axis=1).argmax()])
            if values[best].mean() <= activity[row].mean():
                continue
            low, high = max(0, best - settings.neighbours), min(bins, best + settings.neighbours + 1)
            embedding[row] = vectors[low:high].mean(axis=0)
            activity[row] = values[best]
            start_of_bin[row] = start + (crop + best) * BIN
            known[row] = bool((genome.codes(*place) < 4).any())
    return {"embedding": embedding, "cage": activity, "start": start_of_bin, "known": known}


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
) -> None:
    """Embed the genes of one shard and write them as .npz; a function of plain values, so that it runs anywhere."""
    inference = InferenceSettings(
        **{**settings["inference"], "shifts": tuple(settings["inference"]["shifts"])}
    )
    rules = GeneEmbeddingSettings(**{**settings, "inference": inference})
    loaded, opened = _open(
        model, genome, build, ambiguous, inference.precision, str(inference.torch_device())
    )
    rows = [GeneSites(**{**gene, "sites": tuple(gene["sites"])}) for gene in genes]
    with torch.inference_mode():
        found = embed_genes(loaded, opened, rows, np.array(cage, dtype=np.int64), rules)
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
    shard_size: int = 16,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> anndata.AnnData:
    """Embed genes shard by shard and join them.

    Parameters
    ----------
    genes
        Genes of :func:`cistron.sequence.gene_sites.read_gene_sites`.
    genome
        Genome; its build must be known.
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
    parameters = {**rules, "inference": slow, "weights": weights, "cage_tracks": len(cage)}
    tag = fingerprint(
        [parameters, [asdict(gene) for gene in genes], dict(genome.lengths), build, cage.tolist(), shard_size]
    )
    directory = output.parent / f".{output.stem}.shards-{tag}"
    common = {
        "model": str(model),
        "genome": str(genome.path),
        "build": build,
        "ambiguous": genome.ambiguous,
        "cage": cage.tolist(),
        "settings": rules,
    }
    shards = {
        f"genes-{first:06d}": {
            "genes": [asdict(gene) for gene in genes[first : first + shard_size]],
            **common,
        }
        for first in range(0, len(genes), shard_size)
    }
    paths = run_shards(
        embed_shard,
        shards,
        directory,
        suffix=".npz",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="embedding genes",
    )
    joined = _join(list(paths.values()))
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
            "mean_cage": joined["cage"][known].mean(axis=1),
        },
        index=embedding.obs_names,
    )
    embedding.obs = embedding.obs.join(described)
    return embedding


def discard_shards(output: str | Path) -> None:
    """Remove the finished shards of an embedding that was written."""
    output = Path(output)
    for directory in output.parent.glob(f".{output.stem}.shards-*"):
        shutil.rmtree(directory, ignore_errors=True)


def _join(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    parts: list[dict[str, np.ndarray]] = []
    for path in paths:
        with np.load(path) as arrays:
            parts.append({name: arrays[name] for name in arrays.files})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
