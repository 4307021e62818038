"""Read omics matrices: genes x samples from .h5ad, .zarr, .parquet, .csv, .tsv and .gct, in memory or streamed."""

from pathlib import Path

from cistron.errors import InputError
from cistron.formats.anndata_rows import is_stored_cells, named_genes, open_anndata
from cistron.genes.spreadsheets import spreadsheet_damage
from cistron.omics.duplicates import Duplicates
from cistron.omics.matrix import OmicsMatrix, orient_matrix
from cistron.omics.tables import read_table_matrix
from cistron.runtime.cloud import exists, require_here
from cistron.runtime.text_files import plain_name

__all__ = ["OmicsMatrix", "read_matrix"]


def read_matrix(
    path: str | Path,
    layer: str | None = None,
    genes_in: str = "auto",
    *,
    gene_column: str | None = None,
    modality: str | None = None,
    duplicates: Duplicates = "error",
) -> OmicsMatrix:
    """Read a matrix of genes x samples.

    Which axis holds the genes is told by the identifiers. In an AnnData both layouts are usual: obs = genes
    (ours) and obs = samples or cells (scanpy's). Columns that tell of the genes (text, lengths, places) and rows in which
    counting tools sum up what they did not count are set aside, and remarks name them.

    Parameters
    ----------
    path
        .h5ad, .zarr, .h5mu, .parquet, or .h5 and folders of Cell Ranger (streamed), .csv, .tsv or .gct (also .gz), gene ids in the
        first column or row.
    layer
        Layer of an AnnData to read instead of X; ``raw`` is its ``.raw``.
    genes_in
        ``rows``, ``columns``, or ``auto``, which looks at the identifiers.
    gene_column
        Column of var (of obs where genes are in rows) with the gene ids; the names when absent.
    modality
        Modality of a ``.h5mu``, or feature type of Cell Ranger's files.
    duplicates
        What becomes of genes that occur more than once: ``error``, ``sum``, ``mean``, or ``first``.

    Returns
    -------
    OmicsMatrix
        The matrix; values are not read until they are asked for when the file can be streamed.

    Raises
    ------
    InputError
        If the file is absent, empty, truncated, holds text, or has one sample only.
    IdentifierError
        If a gene occurs twice and that is an error.
    """
    path = Path(path)
    if genes_in not in ("auto", "rows", "columns"):
        raise InputError(f"genes_in must be auto, rows or columns. Given: {genes_in}")
    if not exists(path):
        raise InputError(f"matrix {path} does not exist")
    if is_stored_cells(path):
        return _read_anndata(path, layer, genes_in, gene_column, modality, duplicates)
    require_here(path)
    for option, value in (("--layer", layer), ("--gene-column", gene_column), ("--modality", modality)):
        if value is not None:
            raise InputError(
                f"matrix {path.name} is a table, which has no {option.removeprefix('--')}; leave out {option}"
            )
    matrix = read_table_matrix(path, genes_in, duplicates)
    damage = spreadsheet_damage(matrix.genes)
    matrix.remarks[:0] = [f"matrix {path.name}: {damage}"] if damage else []
    return matrix


def _read_anndata(
    path: Path,
    layer: str | None,
    genes_in: str,
    gene_column: str | None,
    modality: str | None,
    duplicates: Duplicates,
) -> OmicsMatrix:
    stored = open_anndata(path, what="matrix", layer=layer, counts_first=False, modality=modality)
    if stored.kind == "gene_embedding":
        raise InputError(f"{path.name} is a gene embedding already; give the matrix that it was made from")
    rows, columns, matrix, remarks = stored.observations, stored.variables, stored.matrix, stored.remarks
    if gene_column is not None:
        by_row = genes_in == "rows" or (
            genes_in == "auto" and gene_column not in columns and gene_column in rows
        )
        genes_in, axis, table = ("rows", "obs", rows) if by_row else ("columns", "var", columns)
        named, kept, left_out = named_genes(table, gene_column, f"matrix {path.name}", axis)
        remarks += left_out
        if by_row:
            if kept is not None:
                raise InputError(
                    f"matrix {path.name}: {left_out[0]}; matrices with genes in rows need an id for each"
                )
            rows = named
        else:
            columns, matrix = named, matrix if kept is None else matrix.keep_columns(kept)
    if not len(rows) or not len(columns):
        raise InputError(f"matrix {path.name} is empty: {len(rows)} x {len(columns)}")
    row_names, column_names = (list(map(str, table.index)) for table in (rows, columns))
    found = orient_matrix(row_names, column_names, matrix, _name_of(path), path, genes_in, duplicates)
    found.remarks[:0] = remarks
    return found


def _name_of(path: Path) -> str:
    return path.name if path.is_dir() and path.suffix != ".zarr" else plain_name(path).rsplit(".", 1)[0]
