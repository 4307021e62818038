"""Gene embeddings to and from ``adata.varm``, where scanpy's analyses keep one row of numbers per gene."""

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.anndata_files import read_h5ad
from cistron.formats.gene_embedding import build_gene_embedding, embedding_genes
from cistron.genes.identity import normalise_identifiers
from cistron.runtime import say


def embedding_from_varm(
    cells: anndata.AnnData | str | Path,
    key: str,
    *,
    evidence: str,
    gene_column: str | None = None,
    name: str | None = None,
    **header: Any,
) -> anndata.AnnData:
    """Make a gene embedding of what stands in ``varm``: loadings of principal components, vectors of a language model.

    Parameters
    ----------
    cells
        AnnData whose variables are genes, or a .h5ad.
    key
        Name in ``varm``.
    evidence
        What the vectors were made from (:data:`cistron.formats.EVIDENCE`).
    gene_column
        Column of ``var`` with the gene ids; the names of ``var`` when absent.
    name
        Name of the embedding; ``key`` when absent.
    **header
        Further fields of :func:`cistron.formats.build_gene_embedding`, for example ``licence``.

    Returns
    -------
    AnnData
        Genes x dimensions. Genes whose row holds a NaN, or only zeros, have no vector and are left out, which is said.

    Raises
    ------
    InputError
        If there is no such key or column, or genes occur twice.
    """
    table = read_h5ad(Path(cells)) if isinstance(cells, str | Path) else cells
    what = Path(cells).name if isinstance(cells, str | Path) else "the AnnData"
    if key not in table.varm:
        raise InputError(
            f"{what}: varm has no {key!r}; it has {', '.join(map(str, table.varm)) or 'nothing'}; say --varm KEY"
        )
    if gene_column is not None and gene_column not in table.var:
        raise InputError(
            f"{what}: var has no column {gene_column!r}; it has {', '.join(map(str, table.var.columns[:10])) or 'none'}"
        )
    found = table.varm[key]
    columns = [str(column) for column in found.columns] if isinstance(found, pd.DataFrame) else None
    values = np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float32)
    names = table.var_names if gene_column is None else table.var[gene_column]
    genes = np.asarray(names.astype("string").fillna("").astype(str))
    without = np.isnan(values).any(axis=1) | (values == 0).all(axis=1) | (genes == "")
    if without.all():
        raise InputError(f"{what}: no gene has a vector in varm[{key!r}]")
    if without.any():
        say(
            f"{what}: {int(without.sum()):,} of {len(genes):,} genes have no vector in varm[{key!r}], left out"
        )
    kept = pd.Index(genes[~without])
    if not kept.is_unique:
        raise IdentifierError(
            f"{what}: {int(kept.duplicated().sum()):,} genes occur more than once, for example {kept[kept.duplicated()][0]}; "
            "name a column of ids with --gene-column, or keep one row each"
        )
    return build_gene_embedding(
        values[~without],
        list(kept),
        name=name or key,
        method="imported",
        evidence=evidence,
        dimension_names=columns,
        sources=[cells] if isinstance(cells, str | Path) else [],
        **header,
    )


def embedding_to_varm(
    embedding: anndata.AnnData, cells: anndata.AnnData, key: str | None = None, gene_column: str | None = None
) -> str:
    """Put a gene embedding into ``cells.varm``; genes without a vector are NaN.

    Parameters
    ----------
    embedding
        Gene embedding.
    cells
        AnnData whose variables are genes, named as the embedding names them.
    key
        Name in ``varm``; that of the embedding when absent.
    gene_column
        Column of ``var`` with the gene ids; the names of ``var`` when absent.

    Returns
    -------
    str
        The name in ``varm``.

    Raises
    ------
    InputError
        If no gene has a vector, or the column is absent.
    """
    if gene_column is not None and gene_column not in cells.var:
        raise InputError(
            f"var has no column {gene_column!r}; it has {', '.join(map(str, cells.var.columns[:10])) or 'none'}"
        )
    namespace = str(embedding.uns["cistron"]["identifier_namespace"])
    names = cells.var_names if gene_column is None else cells.var[gene_column]
    places = embedding_genes(embedding).get_indexer(
        pd.Index(normalise_identifiers([str(name) for name in names], namespace))
    )
    if (places < 0).all():
        raise InputError(
            f"none of {len(places):,} genes (for example {next(iter(names), '-')}) is in the embedding (for example "
            f"{embedding.obs_names[0]}); name a column of var that has {namespace} ids, or map with 'cistron genes map'"
        )
    values = np.full((len(places), embedding.n_vars), np.nan, dtype=np.float32)
    values[places >= 0] = np.asarray(embedding.X)[places[places >= 0]]
    key = key or str(embedding.uns["cistron"]["name"])
    cells.varm[key] = values
    if (places < 0).any():
        say(f"{int((places < 0).sum()):,} of {len(places):,} genes have no vector in {key}: NaN")
    return key
