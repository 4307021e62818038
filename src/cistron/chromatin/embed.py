"""A gene embedding of what the network sees in the marks of a gene: its features in front of the last linear layer."""

from pathlib import Path

import anndata
import numpy as np
import torch

from cistron.chromatin.estimator import model_parts, read_marks
from cistron.chromatin.fitted_model import ChromatinModel
from cistron.chromatin.layers import CellTypeRows
from cistron.chromatin.network import ExpressionNetwork
from cistron.chromatin.saving import load_chromatin_model
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.formats.gene_tracks import GeneTracks, open_gene_tracks
from cistron.runtime import check_writable, limit_threads, track


def embed_genes(
    model: ChromatinModel, store: GeneTracks, *, dimensions: int = 64, name: str | None = None
) -> anndata.AnnData:
    """Embed all genes of a store.

    The features of each network are averaged over cell types, and their standard deviation over cell types stands beside (how
    a gene's chromatin differs between cell types); of all networks together the leading principal axes are kept, with
    their scale. Axes are those of the training genes.

    Parameters
    ----------
    model
        Model of method ``network`` or ``per-cell``.
    store
        Marks.
    dimensions
        Largest number of dimensions.
    name
        Name of the embedding.

    Returns
    -------
    AnnData
        A gene embedding. Its evidence is chromatin and expression: the networks were fitted on the expression of the training
        genes (``obs["split"]`` says which).
    """
    networks = model.require_networks("an embedding")
    blocks = []
    for start in track(range(0, len(store.genes), 256), "embedding genes", unit="blocks"):
        rows = np.arange(start, min(start + 256, len(store.genes)))
        values, measured = read_marks(model, store, rows)
        blocks.append(np.concatenate([_features(network, values, measured) for network in networks], axis=1))
    features = np.concatenate(blocks).astype(np.float64)
    parts = np.array(model_parts(model, store.genes, "genes"))
    training = parts == "train" if (parts == "train").sum() > 1 else np.ones(len(parts), bool)
    centre = features[training].mean(axis=0)
    # as many axes as the training genes can tell
    _, _, axes = np.linalg.svd(features[training] - centre, full_matrices=False)
    values = (features - centre) @ axes[: min(dimensions, training.sum() - 1)].T
    embedding = build_gene_embedding(
        values.astype(np.float32),
        store.genes,
        name=name or f"{store.tracks.header['name']} {model.method}",
        method=f"chromatin {model.method}",
        evidence="chromatin+expression",
        genome_build=str(store.tracks.header["genome_build"]),
        licence=str(store.tracks.header["licence"]),
        seed=int(model.facts["seed"]),
        parameters={"marks": model.marks, "networks": len(networks), "cell_types": store.cell_types},
    )
    embedding.obs["split"] = parts
    return embedding


def _features(network: ExpressionNetwork, values: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Mean and standard deviation over cell types of the head's features, [gene, 2 x feature]."""
    known = torch.from_numpy(np.broadcast_to(measured, values.shape[:3]).copy())
    with torch.no_grad():
        rows = CellTypeRows.of(known.any(dim=-1))
        trunk, _ = network.trunk(torch.from_numpy(values), known, rows)
        features = network.head.features(trunk)
        mean = rows.pool(features)
        spread = rows.pool((features - rows.tile(mean)).square()).sqrt()
    return torch.cat([mean, spread], dim=1).numpy()


def embed_files(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    *,
    dimensions: int = 64,
    name: str | None = None,
    threads: int | None = None,
) -> anndata.AnnData:
    """Embed all genes of a store and write the embedding.

    Parameters
    ----------
    model
        Folder of a model.
    data
        Store of :func:`cistron.chromatin.build.build_gene_tracks`.
    output
        Gene embedding to write.
    dimensions, name
        As of :func:`embed_genes`.
    threads
        Threads of numerical libraries.

    Returns
    -------
    AnnData
        The embedding.
    """
    check_writable(output)
    with limit_threads(threads):
        embedding = embed_genes(
            load_chromatin_model(model), open_gene_tracks(data), dimensions=dimensions, name=name
        )
    write_gene_embedding(embedding, output)
    return embedding
