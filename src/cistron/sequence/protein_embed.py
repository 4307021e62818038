"""Gene embeddings from proteins: mean of ESM-2's last layer over residues, long proteins in overlapping windows."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import torch

from cistron.formats import build_gene_embedding
from cistron.runtime import check_writable, sha256_of
from cistron.sequence.esm2 import END, PAD, START, TOKENS, Esm2
from cistron.sequence.gene_shards import run_gene_shards
from cistron.sequence.inputs_proteins import STANDARD, Protein, ProteinGenes
from cistron.sequence.saving_esm2 import load_esm2, read_settings
from cistron.sequence.settings import InferenceSettings, ProteinEmbeddingSettings

_NUMBER = {token: number for number, token in enumerate(TOKENS)}


def window_starts(length: int, window: int, overlap: int) -> list[int]:
    """Starts of evenly spaced windows that cover a protein.

    Parameters
    ----------
    length
        Residues of the protein.
    window
        Residues of a window.
    overlap
        Least overlap of neighbours.
    """
    if length <= window:
        return [0]
    number = int(np.ceil((length - overlap) / (window - overlap)))
    return np.linspace(0, length - window, number).round().astype(int).tolist()


@dataclass(frozen=True)
class _Piece:
    """A window of a protein: which protein, its letters, and the weight of each residue in the mean."""

    protein: int
    residues: str
    weights: np.ndarray


def _pieces(proteins: Sequence[str], window: int, overlap: int) -> list[_Piece]:
    found = []
    for number, residues in enumerate(proteins):
        starts = window_starts(len(residues), window, overlap)
        covered = np.zeros(len(residues))
        for start in starts:
            covered[start : start + window] += 1
        for start in starts:
            part = slice(start, min(start + window, len(residues)))
            # A residue in two windows counts half in each.
            weights = (1.0 / (covered[part] * len(residues))).astype(np.float32)
            found.append(_Piece(number, residues[part], weights))
    return found


def _batches(pieces: Sequence[_Piece], tokens: int) -> Iterator[list[_Piece]]:
    """Pieces of similar length, with padding at most ``tokens`` at a time but at least one piece."""
    batch: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: len(piece.residues)):
        if batch and (len(batch) + 1) * (len(piece.residues) + 2) > tokens:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


@torch.inference_mode()
def embed_proteins(
    model: Esm2, proteins: Sequence[str], settings: ProteinEmbeddingSettings | None = None
) -> np.ndarray:
    """Mean of the last layer over the residues of each protein, without start and end.

    Parameters
    ----------
    model
        On its device, in evaluation mode.
    proteins
        Residues, letters of :data:`cistron.sequence.esm2.TOKENS`.
    settings
        Windows and batches.

    Returns
    -------
    ndarray
        float32 [protein, width].
    """
    settings = settings or ProteinEmbeddingSettings()
    device = model.tokens.weight.device
    tokens_of_batch = settings.batch_tokens or (1024 if device.type == "cpu" else 16_384)
    result = np.zeros((len(proteins), model.settings.width), dtype=np.float64)
    for batch in _batches(_pieces(proteins, settings.window, settings.overlap), tokens_of_batch):
        longest = max(len(piece.residues) for piece in batch)
        tokens = torch.full((len(batch), longest + 2), PAD)
        weights = torch.zeros(len(batch), longest + 2)
        for row, piece in enumerate(batch):
            end = len(piece.residues) + 1
            tokens[row, 0], tokens[row, end] = START, END
            tokens[row, 1:end] = torch.tensor([_NUMBER[letter] for letter in piece.residues])
            weights[row, 1:end] = torch.from_numpy(piece.weights)
        hidden = model(tokens.to(device)).float()  # [B, T, width]
        means = torch.einsum("bt,btc->bc", weights.to(device), hidden).cpu().numpy()
        for piece, mean in zip(batch, means):
            result[piece.protein] += mean
    return result.astype(np.float32)


@lru_cache(maxsize=1)
def _load(folder: str, precision: str, device: str) -> Esm2:
    """The model, once a process."""
    return load_esm2(folder, precision, device)


def embed_shard(
    path: Path, *, genes: Sequence[tuple[str, Sequence[str]]], weights: str, settings: dict[str, Any]
) -> None:
    """Embed the genes of one shard, each the mean over its proteins, and write them as .npz.

    Parameters
    ----------
    path
        File to write.
    genes
        Name and proteins of each gene.
    weights
        Folder of ESM-2 weights.
    settings
        Fields of :class:`cistron.sequence.settings.ProteinEmbeddingSettings`.
    """
    rules = ProteinEmbeddingSettings(**settings)
    device = str(InferenceSettings(device=rules.device).torch_device())
    model = _load(weights, rules.precision, device)
    proteins = [residues for _, own in genes for residues in own]
    gene = np.repeat(np.arange(len(genes)), [len(own) for _, own in genes])
    vectors = embed_proteins(model, proteins, rules)
    means = np.stack([vectors[gene == number].mean(axis=0) for number in range(len(genes))])
    np.savez(path, gene=np.array([name for name, _ in genes]), embedding=means)


def embed_protein_genes(
    proteins: ProteinGenes,
    weights: str | Path,
    output: str | Path,
    *,
    settings: ProteinEmbeddingSettings | None = None,
    source: str | Path | None = None,
    shard_size: int = 64,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> anndata.AnnData:
    """Embed genes by their proteins shard by shard and join them.

    Parameters
    ----------
    proteins
        Of :func:`cistron.sequence.inputs_proteins.read_proteins`.
    weights
        Hugging Face folder of ESM-2.
    output
        File that the embedding will be written to; finished shards are kept in a hidden folder beside it until then.
    settings
        Rules.
    source
        FASTA, for the record of sources.
    shard_size
        Genes of a shard.
    workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    AnnData
        Gene embedding of evidence ``protein``; ``obs`` has symbol, protein, proteins, residues, non-standard residues.
    """
    settings = settings or ProteinEmbeddingSettings()
    output, shape = check_writable(output), read_settings(weights)
    InferenceSettings(device=settings.device).torch_device()  # an unknown device is told before the work
    chosen = {gene: own[:1] if settings.isoform == "longest" else own for gene, own in proteins.genes.items()}
    parameters = {
        **{key: value for key, value in asdict(settings).items() if key not in ("batch_tokens", "device")},
        "weights": sha256_of(Path(weights) / "model.safetensors"),
        "shape": asdict(shape),
    }
    work = [(gene, [protein.residues for protein in own]) for gene, own in chosen.items()]
    joined = run_gene_shards(
        embed_shard,
        work,
        {"weights": str(Path(weights).absolute()), "settings": asdict(settings)},
        output,
        tag=[parameters, work, shard_size],
        shard_size=shard_size,
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="embedding proteins",
    )
    embedding = build_gene_embedding(
        joined["embedding"],
        joined["gene"].tolist(),
        name=output.stem,
        method="esm2",
        evidence="protein",
        identifier_namespace=proteins.identifier_namespace,
        parameters=parameters,
        sources=[path for path in (source,) if path is not None],
    )
    embedding.obs = embedding.obs.join(_described(chosen))
    return embedding


def _described(chosen: dict[str, tuple[Protein, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "symbol": [own[0].symbol for own in chosen.values()],
            "protein": [own[0].protein for own in chosen.values()],
            "proteins": [len(own) for own in chosen.values()],
            "residues": [len(own[0].residues) for own in chosen.values()],
            "non_standard_residues": [
                sum(letter not in STANDARD for letter in own[0].residues) for own in chosen.values()
            ],
        },
        index=list(chosen),
    )
