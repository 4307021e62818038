"""Several gene embeddings side by side, as one."""

from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.expression_columns import carried_level_and_breadth, joined_level_and_breadth
from cistron.formats.gene_embedding import build_gene_embedding, embedding_genes, require_valid


def combine_gene_embeddings(
    embeddings: Sequence[anndata.AnnData], *, join: str = "inner", scale: bool = True, name: str | None = None
) -> anndata.AnnData:
    """Concatenate embeddings of the same genes, block by block.

    Parameters
    ----------
    embeddings
        At least two, all of one identifier namespace.
    join
        ``inner`` keeps the genes that all cover; ``outer`` keeps all genes and gives a block that does not
        cover a gene its mean.
    scale
        Divide each dimension by its standard deviation and each block by the root of its number of
        dimensions, so that every block has the same total variance; ``False`` only centres.
    name
        Name of the result; the names joined with ``+`` when absent.

    Returns
    -------
    AnnData
        Embedding with dimensions named ``BLOCK:DIMENSION``; ``obs["blocks"]`` counts the blocks that cover a gene.

    Raises
    ------
    InputError
        If there are fewer than two, or ``join`` is unknown.
    IdentifierError
        If namespaces differ or no gene is shared.
    """
    if len(embeddings) < 2:
        raise InputError(f"combining needs at least 2 embeddings. Given: {len(embeddings)}")
    if join not in ("inner", "outer"):
        raise InputError(f"--join must be inner or outer. Given: {join}")
    for number, embedding in enumerate(embeddings, 1):
        require_valid(embedding, f"embedding {number} of {len(embeddings)}")
    headers = [embedding.uns["cistron"] for embedding in embeddings]
    namespaces = {str(header["identifier_namespace"]) for header in headers}
    if len(namespaces) > 1:
        raise IdentifierError(
            f"embeddings use different gene identifiers ({', '.join(sorted(namespaces))}); "
            "convert them to one with 'cistron genes map'"
        )
    builds = {str(header.get("genome_build", "")) for header in headers} - {""}
    if len(builds) > 1:
        raise InputError(
            f"embeddings come from different genome builds ({', '.join(sorted(builds))}); use one build"
        )
    ids = [embedding_genes(embedding) for embedding in embeddings]
    genes = ids[0]
    for index in ids[1:]:
        genes = genes.intersection(index) if join == "inner" else genes.union(index)
    if len(genes) == 0:
        raise IdentifierError(
            "the embeddings share no gene; check their identifiers with 'cistron embedding check'"
        )
    blocks, dimensions = [], []
    covered = np.zeros(len(genes), dtype=np.int32)
    used: dict[str, int] = {}
    for embedding, header, index in zip(embeddings, headers, ids, strict=True):
        rows = index.get_indexer(genes)
        present = rows >= 0
        covered += present
        values = np.asarray(embedding.X, dtype=np.float64)
        block = np.zeros((len(genes), embedding.n_vars))
        block[present] = values[rows[present]] - values[rows[present]].mean(axis=0)
        if scale:
            deviation = block[present].std(axis=0)
            block /= np.where(deviation > 0, deviation, 1.0) * np.sqrt(embedding.n_vars)
        blocks.append(block)
        label = str(header["name"])
        used[label] = used.get(label, 0) + 1
        label = label if used[label] == 1 else f"{label}.{used[label]}"
        dimensions += [f"{label}:{dimension}" for dimension in embedding.var_names]
    evidence = sorted({kind for header in headers for kind in str(header["evidence"]).split("+")})
    combined = build_gene_embedding(
        np.hstack(blocks),
        list(genes),
        name=name or "+".join(str(header["name"]) for header in headers),
        method="combined",
        evidence=evidence,
        identifier_namespace=namespaces.pop(),
        genome_build=builds.pop() if builds else "",
        licence="; ".join(sorted({str(header["licence"]) for header in headers} - {""})),
        parameters={
            "join": join,
            "scale": scale,
            "blocks": [
                {"name": str(header["name"]), "method": str(header["method"]), "dimensions": embedding.n_vars}
                for embedding, header in zip(embeddings, headers, strict=True)
            ],
        },
        dimension_names=dimensions,
    )
    combined.obs["blocks"] = covered
    carried = [
        table.set_axis(index, axis=0)
        for embedding, index in zip(embeddings, ids, strict=True)
        if (table := carried_level_and_breadth(embedding)) is not None
    ]
    if carried:
        found = joined_level_and_breadth(carried, combined.obs_names)
        for column in found.columns:
            combined.obs[column] = found[column]
    sources = [pd.DataFrame(header["sources"]) for header in headers if "sources" in header]
    if sources:
        combined.uns["cistron"]["sources"] = pd.concat(sources, ignore_index=True).drop_duplicates(
            ignore_index=True
        )
    return combined
