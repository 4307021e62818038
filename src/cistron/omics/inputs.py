"""Read omics matrices: genes x samples from .h5ad, .zarr, .parquet, .csv and .tsv, in memory or streamed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.anndata_rows import is_stored_cells, named_genes, open_anndata
from cistron.formats.stored_matrix import StoredMatrix, open_matrix
from cistron.formats.tables import read_parquet_by_gene
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.spreadsheets import spreadsheet_damage
from cistron.runtime.tables import read_number_table
from cistron.runtime.text_files import plain_name

_DEPMAP_COLUMN = re.compile(r".+ \(\d+\)")
_ROWS_AT_ONCE = 1024
_SYMBOLS_SEEN = 0.5


@dataclass
class OmicsMatrix:
    """A matrix of genes x samples that is read in blocks of genes.

    Attributes
    ----------
    name
        Name, from the file.
    genes
        Unique identifiers, versions cut off.
    samples
        Names of the samples.
    namespace
        ``ensembl``, ``symbol``, ``entrez`` or ``other``.
    remarks
        What was done while reading, one sentence each.
    path
        File that it was read from.
    """

    name: str
    genes: list[str]
    samples: list[str]
    namespace: str
    remarks: list[str] = field(default_factory=list)
    path: Path | None = None
    _values: StoredMatrix = field(kw_only=True)  # [gene, sample] or its transpose
    _transposed: bool = field(default=False, kw_only=True)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of genes and of samples."""
        return len(self.genes), len(self.samples)

    def blocks(self, rows: int = _ROWS_AT_ONCE) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks of genes as float32 [gene, sample]; nothing more is held in memory.

        A matrix on disk that is stored along the other axis is sorted once.
        """
        for start in range(0, len(self.genes), rows):
            window = slice(start, min(start + rows, len(self.genes)))
            part = self._values.columns if self._transposed else self._values.rows
            block = part(window.start, window.stop)
            block = block if isinstance(block, np.ndarray) else block.toarray()
            yield window, np.ascontiguousarray(block, dtype=np.float32)

    def dense(self) -> np.ndarray:
        """The whole matrix, float32 [gene, sample]."""
        values = np.empty(self.shape, dtype=np.float32)
        for window, block in self.blocks():
            values[window] = block
        return values

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, name: str = "matrix") -> "OmicsMatrix":
        """Take a DataFrame of genes x samples (or its transpose, which is recognised)."""
        return _from_frame(frame, name, None)


def read_matrix(
    path: str | Path,
    layer: str | None = None,
    genes_in: str = "auto",
    *,
    gene_column: str | None = None,
    modality: str | None = None,
) -> OmicsMatrix:
    """Read a matrix of genes x samples.

    Which axis holds the genes is told by the identifiers. In an AnnData both layouts are usual: obs = genes
    (ours) and obs = samples or cells (scanpy's).

    Parameters
    ----------
    path
        .h5ad, .zarr, .h5mu, or .h5 and folders of Cell Ranger (streamed), .parquet, .csv or .tsv (also .gz), gene ids in the first
        column or row.
    layer
        Layer of an AnnData to read instead of X; ``raw`` is its ``.raw``.
    genes_in
        ``rows``, ``columns``, or ``auto``, which looks at the identifiers.
    gene_column
        Column of var (of obs where genes are in rows) with the gene ids; the names when absent.
    modality
        Modality of a ``.h5mu``, or feature type of Cell Ranger's files.

    Returns
    -------
    OmicsMatrix
        The matrix; values are not read until they are asked for when the file can be streamed.

    Raises
    ------
    InputError
        If the file is absent, empty, truncated, holds text, or has one sample only.
    IdentifierError
        If a gene occurs twice, or neither axis holds gene identifiers.
    """
    path = Path(path)
    if genes_in not in ("auto", "rows", "columns"):
        raise InputError(f"genes_in must be auto, rows or columns. Given: {genes_in}")
    if not path.exists():
        raise InputError(f"matrix {path} does not exist")
    if is_stored_cells(path):
        return _read_anndata(path, layer, genes_in, gene_column, modality)
    for option, value in (("--layer", layer), ("--gene-column", gene_column), ("--modality", modality)):
        if value is not None:
            raise InputError(
                f"matrix {path.name} is a table, which has no {option.removeprefix('--')}; leave out {option}"
            )
    frame, remarks = _read_table(path)
    matrix = _from_frame(frame, _name_of(path), path, genes_in)
    damage = spreadsheet_damage(matrix.genes)
    matrix.remarks[:0] = [*remarks, *([f"matrix {path.name}: {damage}"] if damage else [])]
    return matrix


def _read_anndata(
    path: Path, layer: str | None, genes_in: str, gene_column: str | None, modality: str | None
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
    found = _orient(row_names, column_names, matrix, _name_of(path), path, genes_in)
    found.remarks[:0] = remarks
    return found


def _name_of(path: Path) -> str:
    return path.name if path.is_dir() and path.suffix != ".zarr" else plain_name(path).rsplit(".", 1)[0]


def _read_table(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a table with gene ids in the first column or row, its columns of text behind those of numbers."""
    kind = Path(plain_name(path)).suffix.lower()
    if kind == ".parquet":
        frame = read_parquet_by_gene(path)
        if not frame.shape[0]:
            raise InputError(f"matrix {path.name} is empty: {frame.shape[0]} rows x {frame.shape[1]} columns")
        return frame, []
    if kind not in (".tsv", ".csv", ".txt", ".tab"):
        raise InputError(
            f"matrix {path.name}: expected .h5ad, .zarr, .parquet, .csv or .tsv (also .gz), or .h5mu, .h5 or a folder of Cell Ranger"
        )
    table = read_number_table(path, "matrix")
    if table.layout.headerless:
        raise InputError(
            f"matrix {path.name} has no header: its first line is gene {table.values.index[0]}; add a line with sample names"
        )
    named = [_DEPMAP_COLUMN.match(column) is not None for column in table.values.columns]
    if named and np.mean(named) > 0.9:
        raise InputError(
            f"matrix {path.name} has cell lines in rows and genes named 'SYMBOL (ENTREZ)' in columns, as DepMap's files; prepare "
            f"it with 'cistron omics prepare depmap {path.name}'"
        )
    return table.values.join(table.text), list(table.remarks)


def _from_frame(frame: pd.DataFrame, name: str, path: Path | None, genes_in: str = "auto") -> OmicsMatrix:
    text = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    remarks = []
    for column in text:
        _refuse_a_stray_word(frame[column], name)
    if text and len(text) < frame.shape[1]:
        # A column of gene names or descriptions beside the ids is usual (GTEx's GCT has two).
        frame = frame.drop(columns=text)
        remarks.append(
            f"columns that are not numbers left out: {', '.join(map(str, text[:3]))} ({len(text)} in all)"
        )
    elif text:
        raise InputError(
            f"matrix {name}: all {len(text):,} columns hold text, for example {frame[text[0]].iloc[0]!r} in {text[0]}; "
            "expected numbers with gene ids in the first column"
        )
    matrix = _orient(
        list(frame.index.astype(str)),
        list(map(str, frame.columns)),
        open_matrix(frame.to_numpy(np.float32), name),
        name,
        path,
        genes_in,
    )
    matrix.remarks[:0] = remarks
    return matrix


def _refuse_a_stray_word(column: pd.Series, name: str) -> None:
    """Raise when a column is numbers but for a few cells: those are mistakes, not a column of names."""
    numbers = pd.to_numeric(column, errors="coerce")
    stray = numbers.isna() & column.notna()
    if stray.mean() < 0.5:
        gene = column.index[stray][0]
        raise InputError(
            f"matrix {name}: {int(stray.sum()):,} of {len(column):,} values of sample {column.name} are not numbers, for "
            f"example {column[stray].iloc[0]!r} for gene {gene}; correct them or leave them empty"
        )


def _geneness(names: list[str]) -> tuple[float, str]:
    """Score of how much names look like gene identifiers: high for Ensembl and Entrez ids, lower for symbols."""
    namespace = guess_namespace(names)
    certainty = {"ensembl": 3.0, "entrez": 1.0, "symbol": 1.5, "other": 0.0}[namespace]
    if namespace == "symbol":
        # Human symbols are mostly capitals with digits; sample names are mostly not.
        sample = names[:: max(1, len(names) // 2000)]
        shaped = sum(name.upper() == name and any(letter.isdigit() for letter in name) for name in sample)
        certainty += shaped / len(sample)
    if names == [str(number) for number in range(len(names))]:
        certainty = 0.0  # row numbers are not Entrez ids
    return certainty, namespace


def _orient(
    rows: list[str],
    columns: list[str],
    values: StoredMatrix,
    name: str,
    path: Path | None,
    genes_in: str = "auto",
) -> OmicsMatrix:
    (by_row, row_kind), (by_column, column_kind) = _geneness(rows), _geneness(columns)
    remarks = []
    # Ensembl ids are certain. Names of cell lines (A549) look like symbols, so other looks count only for the
    # longer axis, which holds the genes in nearly every matrix; without a reason to think otherwise, rows do.
    certain = column_kind == "ensembl" and row_kind != "ensembl"
    likely = len(columns) > len(rows) and by_column >= by_row and by_row < 3 and by_column > 0
    transposed = genes_in == "columns" or (genes_in == "auto" and (certain or likely))
    if max(by_row, by_column) == 0:
        remarks.append(
            "neither rows nor columns look like gene ids: "
            + (
                "as asked,"
                if genes_in != "auto"
                else "rows were taken for genes (--genes-in columns for the other),"
            )
            + " namespace 'other'"
        )
    genes, samples, namespace = (columns, rows, column_kind) if transposed else (rows, columns, row_kind)
    if transposed:
        remarks.append(f"the input is samples x genes ({len(rows):,} x {len(columns):,}) and was transposed")
    cleaned = normalise_identifiers(genes, namespace)
    if cleaned != list(genes) and namespace == "ensembl":
        remarks.append("versions were cut off the Ensembl ids")
    index = pd.Index(cleaned)
    if not index.is_unique:
        doubled = index[index.duplicated()].unique()
        raise IdentifierError(
            f"matrix {name}: {len(doubled):,} genes occur more than once, for example {doubled[0]}; "
            "sum or average them first (cistron omics prepare)"
        )
    if len(samples) < 2:
        raise InputError(f"matrix {name} has {len(samples)} sample; at least 2 are needed")
    return OmicsMatrix(
        name, cleaned, list(samples), namespace, remarks, path, _values=values, _transposed=transposed
    )
