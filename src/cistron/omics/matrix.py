"""A matrix of genes x samples that is read in blocks of genes, and which axis of a file holds the genes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.stored_matrix import StoredMatrix, open_matrix
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.omics.duplicates import Duplicates, Merging, merging
from cistron.omics.set_aside import annotation_columns, is_sample_fact, is_summary, listed, require_samples

_ROWS_AT_ONCE = 1024
SHARD_GENES = (
    4 * _ROWS_AT_ONCE
)  # genes whose sums are formed by one process before they are added to those of others
# Ids of DepMap, TCGA, GTEx, GEO, the Sequence Read Archive, BioSample, Coriell, and barcodes of cells.
_SAMPLE_ID = re.compile(
    r"ACH-\d{6}|TCGA-\w\w-\w{4}|GTEX-\w+|GSM\d{4,}|[SED]RR\d{6,}|SAM(N|EA|D)\d+|(HG|NA)\d{5}(?!\d)|[ACGT]{12,}(-\d+)?$"
)
# TP53|7157, TP53 (7157), ENSG00000141510_TP53: two identifiers of one gene
_PAIR = re.compile(r"([^\s|(]+)(?:\|| ?\()([^\s|()]+)\)?|(ENS[A-Z]*G\d{11}[.\d]*)[_;:-](\S+)")


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
    _merging: Merging = field(kw_only=True)  # which rows (columns, if transposed) are which gene

    @property
    def shape(self) -> tuple[int, int]:
        """Number of genes and of samples."""
        return len(self.genes), len(self.samples)

    def shards(self) -> list[dict[str, int]]:
        """Parts of the genes (``first`` and ``last`` of :meth:`blocks`) whose sums are formed apart."""
        return [{"first": at, "last": at + SHARD_GENES} for at in range(0, len(self.genes), SHARD_GENES)]

    def blocks(
        self, rows: int = _ROWS_AT_ONCE, *, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks of genes as float32 [gene, sample]; nothing more is held in memory.

        A matrix on disk that is stored along the other axis is sorted once.

        Parameters
        ----------
        rows
            Genes of a block.
        first, last
            Part of the genes (half-open) that is read; all when absent.
        """
        merging = self._merging
        end = len(self.genes) if last is None else min(last, len(self.genes))
        for start in range(first, end, rows):
            window = slice(start, min(start + rows, end))
            places_of = merging.first[window]
            low = int(places_of[0])
            block = self._stored(low, int(places_of[-1]) + 1)
            block = block if len(block) == len(places_of) else block[places_of - low]
            for number in (n for n in range(window.start, window.stop) if n in merging.further):
                places = [int(merging.first[number]), *merging.further[number]]
                block[number - start] = merging.merged(np.vstack([self._stored(at, at + 1) for at in places]))
            yield window, block

    def _stored(self, start: int, stop: int) -> np.ndarray:
        """Rows of the file (columns, if it is transposed), float32 [row, sample], a copy."""
        part = (self._values.columns if self._transposed else self._values.rows)(start, stop)
        part = part if isinstance(part, np.ndarray) else part.toarray()
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is refused with its gene
            return np.array(part, dtype=np.float32, order="C")

    def dense(self) -> np.ndarray:
        """The whole matrix, float32 [gene, sample]."""
        values = np.empty(self.shape, dtype=np.float32)
        for window, block in self.blocks():
            values[window] = block
        return values

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, name: str = "matrix") -> "OmicsMatrix":
        """Take a DataFrame of genes x samples (or its transpose, which is recognised)."""
        return matrix_of_frame(frame, name)


def _geneness(names: list[str]) -> tuple[float, str]:
    """How much names look like gene identifiers: Ensembl and Entrez ids surely, symbols perhaps, and ids of samples not."""
    namespace = guess_namespace(names)
    sample = names[:: max(1, len(names) // 2000)]
    if sum(_SAMPLE_ID.match(name) is not None for name in sample) > 0.5 * len(sample):
        return 0.0, "other"
    pairs = [found for found in map(_PAIR.fullmatch, sample) if found]
    if len(pairs) > 0.9 * len(sample):
        parts = {guess_namespace([pair[part] or pair[part + 2] for pair in pairs]) for part in (1, 2)}
        return (3.0 if parts & {"ensembl", "entrez"} and "other" not in parts else 0.0), "other"
    certainty = {"ensembl": 3.0, "entrez": 1.0, "symbol": 1.5, "other": 0.0}[namespace]
    if namespace == "symbol":
        # Human symbols are mostly capitals with digits; sample names are mostly not.
        shaped = sum(name.upper() == name and any(letter.isdigit() for letter in name) for name in sample)
        certainty += shaped / len(sample)
    if names == [str(number) for number in range(len(names))]:
        certainty = 0.0  # row numbers are not Entrez ids
    return certainty, namespace


def orient_matrix(
    rows: list[str],
    columns: list[str],
    values: StoredMatrix,
    name: str,
    path: Path | None,
    genes_in: str,
    duplicates: Duplicates,
) -> OmicsMatrix:
    """Find out which axis of a file holds the genes, and name them.

    Parameters
    ----------
    rows, columns
        Names along the axes.
    values
        Values [row, column].
    name
        Name of the matrix.
    path
        Its file.
    genes_in
        ``rows``, ``columns``, or ``auto``, which looks at the names.
    duplicates
        What becomes of genes that occur more than once.

    Raises
    ------
    InputError
        If there is one sample only.
    IdentifierError
        If a gene occurs twice and that is an error.
    """
    (by_row, row_kind), (by_column, column_kind) = (
        _geneness([one for one, summary in zip(names, is_summary(names)) if not summary])
        if names
        else (0.0, "other")
        for names in (rows, columns)
    )
    remarks = []
    # Ensembl ids are certain. Names of cell lines (A549) look like symbols, so other looks count only for the
    # longer axis, which holds the genes in nearly every matrix; without a reason to think otherwise, rows do.
    certain = by_column >= 3 > by_row or (by_row == 0 < by_column and _are_samples(rows))
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
    summary = is_summary(genes)
    facts = is_sample_fact(genes) if transposed else np.zeros(len(genes), dtype=bool)
    if facts.any():
        remarks.append(
            "columns that tell of the samples and are no genes set aside: "
            + listed([gene for gene, fact in zip(genes, facts) if fact])
        )
    if summary.any():
        remarks.append(
            "sums of what was not counted set aside: "
            + listed([gene for gene, no_gene in zip(genes, summary) if no_gene])
        )
    summary |= facts
    given = [gene for gene, no_gene in zip(genes, summary) if not no_gene]
    if namespace == "ensembl":
        odd = [gene for gene in given if guess_namespace([gene]) != "ensembl"]
        if odd:
            remarks.append(
                f"{len(odd):,} of {len(given):,} names are no Ensembl ids and were kept: {listed(odd)}"
            )
    cleaned = normalise_identifiers(given, namespace)
    if cleaned != given and namespace == "ensembl":
        remarks.append("versions were cut off the Ensembl ids")
    merged = merging(cleaned, duplicates, f"matrix {name}", np.flatnonzero(~summary))
    if merged.remark:
        remarks.append(merged.remark)
    if len(samples) < 2:
        raise InputError(f"matrix {name} has {len(samples)} sample; at least 2 are needed")
    return OmicsMatrix(
        name,
        merged.genes,
        list(samples),
        namespace,
        remarks,
        path,
        _values=values,
        _transposed=transposed,
        _merging=merged,
    )


def _are_samples(names: list[str]) -> bool:
    return sum(_SAMPLE_ID.match(name) is not None for name in names) > 0.5 * len(names)


def samples_of(
    numbers: list[str], text: list[str], example: object, what: str
) -> tuple[list[str], list[str]]:
    """Columns that are samples, and remarks that name the others.

    Parameters
    ----------
    numbers, text
        Names of the columns of numbers and of the columns of text.
    example
        A value of the first column of text, for the message.
    what
        What the table is, for the message.

    Raises
    ------
    InputError
        If no column holds numbers.
    """
    if not numbers:
        raise InputError(
            f"{what}: all {len(text):,} columns hold text, for example {example!r} in {text[0]}; "
            "expected numbers with gene ids in the first column"
        )
    # A column of gene names or descriptions beside the ids is usual (GTEx's GCT has two).
    remarks = [f"columns that are not numbers left out: {listed(text)} ({len(text)} in all)"] if text else []
    beside = set(annotation_columns([*text, *numbers]))
    annotation = [column for column in numbers if column in beside]
    if annotation:
        remarks.append(f"columns that tell of the genes and are no samples set aside: {listed(annotation)}")
    samples = [column for column in numbers if column not in beside]
    if not samples:
        raise InputError(f"{what} has no samples: its columns of numbers are {listed(annotation)}")
    require_samples(samples, what)
    return samples, remarks


def matrix_of_frame(
    frame: pd.DataFrame,
    name: str,
    path: Path | None = None,
    genes_in: str = "auto",
    duplicates: Duplicates = "error",
) -> OmicsMatrix:
    """Take a table in memory, its columns of text and those that tell of the genes set aside.

    Parameters
    ----------
    frame
        Genes x samples or its transpose, by the names of its rows.
    name, path
        Name and file of the matrix.
    genes_in, duplicates
        As of :func:`cistron.omics.inputs.read_matrix`.

    Raises
    ------
    InputError
        If it holds no numbers, or a column of numbers holds words.
    """
    numeric = np.array([pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes], dtype=bool)
    for column in np.flatnonzero(~numeric).tolist() if numeric.any() else ():
        refuse_a_stray_word(frame.iloc[:, column], name)
    columns = list(map(str, frame.columns))
    numbers = [column for column, number in zip(columns, numeric) if number]
    text = [column for column, number in zip(columns, numeric) if not number]
    samples, remarks = samples_of(
        numbers, text, frame[frame.columns[~numeric][0]].iloc[0] if text else "", f"matrix {name}"
    )
    kept = numeric & np.isin(columns, samples)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which is refused with its gene
        values = frame.loc[:, kept].to_numpy(np.float32)
    matrix = orient_matrix(
        list(frame.index.astype(str)), samples, open_matrix(values, name), name, path, genes_in, duplicates
    )
    matrix.remarks[:0] = remarks
    return matrix


def refuse_a_stray_word(column: pd.Series, name: str) -> None:
    """Raise when a column is numbers but for a few cells: those are mistakes, not a column of names."""
    numbers = pd.to_numeric(column, errors="coerce")
    stray = numbers.isna() & column.notna()
    if stray.mean() < 0.5:
        gene = column.index[stray][0]
        raise InputError(
            f"matrix {name}: {int(stray.sum()):,} of {len(column):,} values of sample {column.name} are not numbers, for "
            f"example {column[stray].iloc[0]!r} for gene {gene}; correct them or leave them empty"
        )
