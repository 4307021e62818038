"""Gene embeddings from and to other people's files: completing a header, exporting to tables and word2vec text."""

import re
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.gene_embedding import (
    build_gene_embedding,
    read_gene_embedding,
    require_valid,
    write_gene_embedding,
)
from cistron.genes.columns import plain_column
from cistron.genes.identity import guess_namespace
from cistron.runtime.files import atomic_path

_BARCODE = re.compile(r"(?:.*[_:#-])?[ACGTN]{10,}(?:[_-]\w+)*|[Cc]ell[_ -]?\d+")
_OF_CELLS = frozenset(["cell_type", "celltype", "n_genes", "n_genes_by_counts", "ncount_rna", "nfeature_rna"])


def export_gene_embedding(embedding: anndata.AnnData, path: str | Path) -> None:
    """Write an embedding as .h5ad, .parquet, .tsv(.gz), .csv(.gz) or word2vec text (.txt, .vec).

    Only .h5ad keeps the header and the standard deviations.

    Raises
    ------
    InputError
        If the suffix is not one of these.
    """
    path = Path(path)
    kind = [suffix for suffix in path.suffixes if suffix != ".gz"][-1:] or [""]
    if kind[0] == ".h5ad":
        write_gene_embedding(embedding, path)
        return
    require_valid(embedding, f"embedding {path.name}")
    table = pd.DataFrame(np.asarray(embedding.X), index=embedding.obs_names, columns=embedding.var_names)
    table.index.name = "gene"
    with atomic_path(path) as partial:
        if kind[0] == ".parquet":
            table.to_parquet(partial)
        elif kind[0] in (".tsv", ".csv"):
            compression = "gzip" if path.suffix == ".gz" else None
            table.to_csv(partial, sep="\t" if kind[0] == ".tsv" else ",", compression=compression)
        elif kind[0] in (".txt", ".vec") and path.suffix != ".gz":
            with partial.open("w") as handle:
                handle.write(f"{table.shape[0]} {table.shape[1]}\n")
                table.to_csv(handle, sep=" ", header=False)
        else:
            raise InputError(
                f"cannot export to {path.name}: expected .h5ad, .parquet, .tsv, .csv (also .gz), .txt or .vec"
            )


def _refuse_cells(found: anndata.AnnData, path: Path) -> None:
    """Raise where the rows are cells: they have barcodes for names, or columns that tell of cells, or genes stand in the columns."""
    rows, columns = (guess_namespace(names) for names in (found.obs_names, found.var_names))
    barcodes = sum(_BARCODE.fullmatch(name) is not None for name in found.obs_names)
    told = {plain_column(column) for column in found.obs.columns} & _OF_CELLS
    if (columns == "ensembl" != rows) or barcodes > 0.5 * found.n_obs or told:
        vectors = ", ".join(found.varm) or "none"
        raise InputError(
            f"{path.name}: its rows are cells or samples (like {found.obs_names[0]}) and no genes; vectors of the genes in its columns are "
            f"taken with --varm KEY (it has {vectors}), and of a matrix 'cistron omics embed' makes them"
        )


def adopt_gene_embedding(
    path: str | Path, *, name: str | None = None, evidence: str | None = None, licence: str | None = None
) -> anndata.AnnData:
    """Read an embedding of any accepted form, also an AnnData that lacks the header, and complete its header.

    Parameters
    ----------
    path
        File to read.
    name, evidence, licence
        New values of the header; kept as they are when absent.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing says what evidence an AnnData without a header was made from.
    """
    path = Path(path)
    embedding = read_gene_embedding(path, name=name, evidence=evidence, strict=False)
    if "cistron" not in embedding.uns:
        if evidence is None:
            raise InputError(f"{path.name} has no header; say what it was made from with --evidence")
        _refuse_cells(embedding, path)
        embedding = build_gene_embedding(
            np.asarray(embedding.X.toarray() if hasattr(embedding.X, "toarray") else embedding.X),
            list(embedding.obs_names),
            name=name or path.stem,
            method="imported",
            evidence=evidence,
            sources=[path],
            dimension_names=list(embedding.var_names),
        )
    header = embedding.uns["cistron"]
    if evidence is not None:
        header["evidence"] = evidence
    if licence is not None:
        header["licence"] = licence
    require_valid(embedding, path.name)
    return embedding
