"""MAGMA's gene files: ``.genes.out`` (one row a gene) and ``.genes.raw`` (the same with correlations).

Source: MAGMA (de Leeuw et al. 2015, PLoS Computational Biology 11, e1004219), manual of version 1.10.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from cistron.errors import InputError
from cistron.genes.chromosomes import human_chromosomes
from cistron.genes.columns import plain_column
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.runtime import say
from cistron.runtime.files import atomic_path
from cistron.runtime.tables import MISSING, read_text_table
from cistron.runtime.text_files import open_text

OUT_COLUMNS = ("GENE", "CHR", "START", "STOP", "NSNPS", "NPARAM", "N", "ZSTAT", "P")
_REACH = 5_000_000  # base pairs from the end of a gene within which MAGMA correlates it with later ones
# As summary statistics name what a row is, or their alleles; no table of genes has them.
_VARIANT_COLUMNS = frozenset(
    [
        "snp",
        "rsid",
        "rs_id",
        "hm_rsid",
        "variant_id",
        "markername",
        "snpid",
        "effect_allele",
        "other_allele",
        "a1",
        "a2",
    ]
)
RAW_COLUMNS = ("GENE", "CHR", "START", "STOP", "NSNPS", "NPARAM", "N", "MAC", "ZSTAT")


def clean_gene_table(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Bring a table with MAGMA's columns to the types used here, and check it.

    Parameters
    ----------
    table
        Columns at least ``GENE``, ``CHR``, ``ZSTAT``.
    what
        Name of the file or trait, for messages.

    Returns
    -------
    DataFrame
        ``GENE`` text without versions, ``CHR`` text without ``chr``, numbers float64, in the given order.

    Raises
    ------
    InputError
        If a column is absent, a z-score is not a number, or a gene occurs twice.
    """
    absent = [column for column in ("GENE", "CHR", "ZSTAT") if column not in table]
    if absent:
        raise InputError(
            f"{what}: column {absent[0]} is absent; expected MAGMA's {' '.join(OUT_COLUMNS)}. "
            f"Given: {' '.join(map(str, table.columns[:10]))}{of_variants(table.columns)}"
        )
    if table.empty:
        raise InputError(f"{what} holds no genes")
    table = table.copy()
    namespace = guess_namespace(table["GENE"].astype(str))
    table["GENE"] = normalise_identifiers(table["GENE"].astype(str), namespace)
    table["CHR"] = human_chromosomes(table["CHR"].tolist())
    for column in table.columns.intersection(["START", "STOP", "NSNPS", "NPARAM", "N", "MAC", "ZSTAT", "P"]):
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].where(~table[column].isin(MISSING), None)
        numbers = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
        bad = numbers.isna() & ~table[column].isna()
        if bad.any():
            raise InputError(
                f"{what}: {column} of gene {table['GENE'][bad].iloc[0]} is {table[column][bad].iloc[0]!r}, not a number"
            )
        if np.isinf(numbers).any():
            raise InputError(
                f"{what}: {column} of gene {table['GENE'][np.isinf(numbers)].iloc[0]} is infinite"
                f"{'; a p-value that was rounded to 0 gives that: give a number, or leave the gene out' if column == 'ZSTAT' else ''}"
            )
        table[column] = numbers
    doubled = table["GENE"].duplicated()
    if doubled.any():
        raise InputError(
            f"{what}: {int(doubled.sum()):,} genes occur more than once, for example {table['GENE'][doubled].iloc[0]}"
        )
    return table


def of_variants(columns: Iterable[object]) -> str:
    """What to do with a table of variants (summary statistics of a GWAS) in place of genes, for a message; empty for any other table."""
    if _VARIANT_COLUMNS.isdisjoint(plain_column(column) for column in columns):
        return ""
    return "; it is a table of variants, from which MAGMA's gene analysis makes TRAIT.genes.out (docs/formats/magma.md)"


def read_genes_out(path: str | Path) -> pd.DataFrame:
    """Read a ``.genes.out`` file, separated by blanks, tabs, commas or semicolons, plain or packed.

    Returns
    -------
    DataFrame
        Columns ``GENE CHR START STOP NSNPS NPARAM N ZSTAT P``; positions as in the file (1-based, inclusive).

    Raises
    ------
    InputError
        If the file is absent, empty, truncated or of another form.
    """
    table = read_text_table(path, "MAGMA file")
    frame = table.frame.rename(columns=str.upper)
    for remark in table.remarks:
        say(remark)
    return clean_gene_table(frame, Path(path).name)


@dataclass(frozen=True)
class GeneCorrelations:
    """Genes of a ``.genes.raw`` file with their correlation matrix.

    Taking a subset keeps the right correlations, because they are held as a matrix and not as offsets to the
    genes before; that is what goes wrong when rows are cut from the text file.

    Attributes
    ----------
    genes
        Columns ``GENE CHR START STOP NSNPS NPARAM N MAC ZSTAT``.
    matrix
        Symmetric sparse float64 [gene, gene] with a unit diagonal, block-diagonal by chromosome. As delivered
        it need not be positive definite.
    """

    genes: pd.DataFrame
    matrix: sparse.csr_array

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.genes), len(self.genes)):
            raise InputError(
                f"correlations must be square over the genes. Given: {self.matrix.shape} for {len(self.genes):,} genes"
            )

    def select(self, genes: Sequence[str]) -> "GeneCorrelations":
        """Take ``genes`` in the given order.

        Raises
        ------
        InputError
            If a gene is absent.
        """
        rows = pd.Index(self.genes["GENE"]).get_indexer(pd.Index(genes))
        if (rows < 0).any():
            absent = [gene for gene, row in zip(genes, rows) if row < 0]
            raise InputError(f"{len(absent):,} genes are not in the .genes.raw file, for example {absent[0]}")
        chosen = self.genes.iloc[rows].reset_index(drop=True)
        return GeneCorrelations(chosen, sparse.csr_array(self.matrix[rows][:, rows]))

    def dense_blocks(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Give for each chromosome the row numbers of its genes and its dense block float64 [gene, gene]."""
        chromosomes = self.genes["CHR"].to_numpy()
        blocks = {}
        for chromosome in pd.unique(chromosomes):
            rows = np.flatnonzero(chromosomes == chromosome)
            blocks[str(chromosome)] = (rows, self.matrix[rows][:, rows].toarray())
        return blocks


def _distance(fields: list[str], before: list[str]) -> float:
    """Base pairs between the start of a gene and the end of one before it; NaN where a place is no number."""
    try:
        return float(fields[2]) - float(before[3])
    except ValueError:  # said with its gene later
        return np.nan


def read_genes_raw(path: str | Path) -> GeneCorrelations:
    """Read a ``.genes.raw`` file, plain or gzip.

    The k numbers behind a gene's z-score are its correlations with the k genes before it in the file.

    Returns
    -------
    GeneCorrelations
        Genes in file order with their correlations.

    Raises
    ------
    InputError
        If the file is of another form, a correlation leaves [-1, 1], or the lengths of rows say that rows were removed: then
        the correlations of the rows behind them belong to other genes. MAGMA gives a gene its correlations with all genes
        within 5 Mb before it, so a row reaches back no farther, and by at most one gene more than the row before it.
    """
    path = Path(path)
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    values: list[np.ndarray] = []
    genes: list[list[str]] = []
    first_of_chromosome: dict[str, int] = {}
    lengths: list[int] = []
    with open_text(path, "MAGMA file") as handle:
        lines = handle.read().split("\n")
    if not lines or not lines[0].startswith("#"):
        raise InputError(
            f"{path.name} is not a .genes.raw file: expected two header lines that begin with '#'"
        )
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split()
        if len(fields) < 9:
            raise InputError(
                f"{path.name} line {number}: {len(fields)} fields, expected at least 9; the file is truncated"
            )
        index = len(genes)
        chromosome = fields[1]
        if chromosome in first_of_chromosome and genes[-1][1] != chromosome:
            raise InputError(
                f"{path.name} line {number}: genes of chromosome {chromosome} do not stand together; "
                "their correlations cannot be told, run MAGMA again instead of sorting the file"
            )
        first = first_of_chromosome.setdefault(chromosome, index)
        count = len(fields) - 9
        if count > index - first:
            raise InputError(
                f"{path.name} line {number}: {count} correlations but only {index - first} genes before it "
                f"on chromosome {chromosome}; rows were removed from the file or it is not sorted"
            )
        previous = 0 if index == first else lengths[-1]
        if count > previous + 1 or (count and _distance(fields, genes[index - count]) > _REACH):
            raise InputError(
                f"{path.name} line {number}: gene {fields[0]} has {count} correlations, which reach back to {genes[index - count][0]}, but "
                + (
                    f"the gene before it has {previous}"
                    if count > previous + 1
                    else f"MAGMA correlates genes within {_REACH // 1_000_000} Mb only"
                )
                + "; rows between them were removed from the file, so its correlations belong to other genes. Run MAGMA again, or "
                "use the file as MAGMA wrote it"
            )
        lengths.append(count)
        genes.append(fields[:9])
        if count:
            rows.append(np.full(count, index))
            columns.append(np.arange(index - count, index))
            try:
                values.append(np.array(fields[9:], dtype=np.float64))
            except ValueError as error:
                raise InputError(f"{path.name} line {number}: a correlation is not a number") from error
    if not genes:
        raise InputError(f"{path.name} holds no genes")
    table = clean_gene_table(pd.DataFrame(genes, columns=list(RAW_COLUMNS)), path.name)
    size = len(genes)
    if rows:
        row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    else:
        row = column = np.empty(0, dtype=np.int64)
        value = np.empty(0)
    wrong = ~(np.abs(value) <= 1 + 1e-6)  # also where it is not a number
    if wrong.any():
        raise InputError(f"{path.name}: a correlation is {value[wrong][0]:g}, outside [-1, 1]")
    lower = sparse.csr_array((value, (row, column)), shape=(size, size))
    return GeneCorrelations(table, sparse.csr_array(lower + lower.T + sparse.eye_array(size)))


def write_genes_out(table: pd.DataFrame, path: str | Path) -> None:
    """Write a gene table with MAGMA's columns as a tab-separated ``.genes.out`` file.

    Raises
    ------
    InputError
        If a number is missing.
    """
    text = table[list(OUT_COLUMNS)].copy()
    for column in OUT_COLUMNS[2:]:
        # Six digits are MAGMA's precision of statistics; positions and counts need all of theirs.
        form = "{:.6g}" if column in ("ZSTAT", "P") else "{:.0f}"
        if text[column].isna().any():
            raise InputError(f"cannot write {Path(path).name}: {column} has missing values, MAGMA has none")
        text[column] = [form.format(number) for number in text[column]]
    with atomic_path(path) as partial:
        text.to_csv(partial, sep="\t", index=False)


def write_genes_raw(correlations: GeneCorrelations, path: str | Path, version: int = 110) -> None:
    """Write a ``.genes.raw`` file: for each gene its correlations back to the farthest one that is not zero for it or a later gene.

    So a row reaches back by at most one gene more than the row before it, as MAGMA's do.

    Parameters
    ----------
    correlations
        Genes and their correlations.
    path
        File to write.
    version
        Version of MAGMA that the header names, times 100.

    Raises
    ------
    InputError
        If the genes of a chromosome do not stand together, or correlations cross chromosomes.
    """
    genes, matrix = correlations.genes, correlations.matrix
    chromosomes = genes["CHR"].to_numpy()
    changes = np.flatnonzero(chromosomes[1:] != chromosomes[:-1])
    if len(changes) + 1 != len(pd.unique(chromosomes)):
        raise InputError("a .genes.raw file needs the genes of each chromosome together; sort them first")
    lower = sparse.csr_array(sparse.tril(matrix, k=-1))
    coordinates = lower.tocoo()
    if (chromosomes[coordinates.row] != chromosomes[coordinates.col]).any():
        raise InputError("a .genes.raw file cannot hold correlations between chromosomes")
    with atomic_path(path) as partial, partial.open("w") as handle:
        handle.write(f"# VERSION = {version}\n# COVAR = NSAMP MAC\n")
        farthest = np.arange(len(genes))
        np.minimum.at(farthest, coordinates.row, coordinates.col)
        farthest = np.minimum.accumulate(farthest[::-1])[::-1]
        begins = np.maximum.accumulate(
            np.where(np.r_[True, chromosomes[1:] != chromosomes[:-1]], np.arange(len(genes)), 0)
        )
        farthest = np.maximum(farthest, begins)
        for index, gene in enumerate(genes.itertuples(index=False)):
            start, end = lower.indptr[index], lower.indptr[index + 1]
            dense = np.zeros(index - farthest[index])
            dense[lower.indices[start:end] - index] = lower.data[start:end]
            numbers = "".join(f" {value:.6g}" for value in dense)
            handle.write(
                f"{gene.GENE} {gene.CHR} {gene.START:.0f} {gene.STOP:.0f} {gene.NSNPS:.0f} {gene.NPARAM:.0f} "
                f"{gene.N:.0f} {gene.MAC:.6g} {gene.ZSTAT:.6f}{numbers}\n"
            )
