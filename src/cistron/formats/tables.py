"""Numeric tables of genes in every accepted form: .parquet, .tsv, .csv (also .gz), word2vec text."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import find_columns, plain_column
from cistron.genes.identity import guess_namespace
from cistron.runtime import say
from cistron.runtime.number_tables import read_numbers
from cistron.runtime.table_layout import Layout
from cistron.runtime.tables import read_number_table
from cistron.runtime.text_files import open_text, plain_name, refuse_workbook

_COUNTED = frozenset(
    {"n_cells", "ncells", "cell_count", "n_counts", "total_counts", "n_samples", "n_reads", "count", "counts"}
)
_WORD2VEC = (".vec", ".w2v", ".word2vec")


def first_line(error: BaseException) -> str:
    """First line of the message of another library's exception."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def read_table(path: Path, *, word2vec: bool = True) -> pd.DataFrame:
    """Read a table of any accepted form.

    Parameters
    ----------
    path
        Parquet, delimited text (:mod:`cistron.runtime.tables`) or word2vec text. Gene ids are in the first column of text,
        and in the index or a column named for genes of Parquet. gene2vec's own form (no header, one tab, then blanks) is read.
    word2vec
        Whether it may be word2vec text, which is told by its first line; a table of expression or z-scores never is.

    Returns
    -------
    DataFrame
        Numbers [gene, column], indexed by gene id as it stands in the file. What was noticed is said.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, lacks an id, or holds something that is not a number.
    """
    kind = Path(plain_name(path)).suffix.lower()
    refuse_workbook(path, "embedding")
    if kind in (".pkl", ".pickle", ".pt", ".pth", ".npy", ".npz"):
        what = (
            "holds no names of genes"
            if kind.startswith(".np")
            else "is a pickle, which is never opened: it can run any program"
        )
        raise InputError(
            f"{path.name} {what}; write the vectors as a table with a gene per row, for example "
            "pandas.DataFrame(vectors, index=genes).to_csv('mine.csv')"
        )
    if kind not in (".parquet", ".tsv", ".csv", ".txt", ".tab", *_WORD2VEC):
        raise InputError(
            f"{path.name}: embeddings are read from .h5ad, .parquet, .tsv, .csv (also .gz) or word2vec text (.txt, .vec)"
        )
    if kind == ".parquet":
        return _numbers_only(path, read_parquet_by_gene(path))
    head = _word2vec_head(path) if word2vec else None
    if head is not None:
        return _read_word2vec(path, *head)
    width = _gene2vec_width(path) if word2vec else 0
    if width:
        columns = ("", *(f"d{number}" for number in range(width)))
        return read_numbers(
            Layout(path, "table", " ", columns, 0, headerless=True, comment="", named=True)
        ).values
    if kind in _WORD2VEC:
        raise InputError(f"{path.name}: the first line of word2vec text is 'GENES DIMENSIONS'")
    table = read_number_table(path)
    for remark in table.remarks:
        say(remark)
    return _by_identifier(path, table.values, table.text)


def _by_identifier(path: Path, values: pd.DataFrame, text: pd.DataFrame) -> pd.DataFrame:
    """Set other names of the genes aside; rows are named by Ensembl ids where a column has them."""
    named = set(find_columns(list(text.columns)).values())
    others = [str(column) for column in text.columns if column not in named]
    if others:
        raise InputError(_text_columns(path, others))
    if len(named):
        first = values.index.name or "the first column"
        aside = [str(column) for column in text.columns]
        ensembl = [
            column for column in text.columns if guess_namespace(text[column].astype(str)) == "ensembl"
        ]
        if ensembl and guess_namespace(values.index.astype(str)) != "ensembl":
            values = values.set_axis(pd.Index(text[ensembl[0]].astype(str), name=ensembl[0]), axis=0)
            aside = [str(first), *(column for column in aside if column != str(ensembl[0]))]
            first = ensembl[0]
        say(f"{path.name}: genes are named by {first}; other names of them set aside: {', '.join(aside)}")
    counted = [str(column) for column in values.columns if plain_column(column) in _COUNTED]
    if counted:
        say(
            f"{path.name}: {', '.join(counted)} count cells or reads and are kept as dimensions; leave them out if they are none"
        )
    return values


def _text_columns(path: Path, text: list[str]) -> str:
    return (
        f"{path.name}: {len(text):,} columns are not numbers, for example {text[0]!r}; "
        "expected gene ids in the first column and one numeric column a dimension"
    )


def _numbers_only(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError(
            f"{path.name} holds {table.shape[0]:,} genes x {table.shape[1]:,} dimensions; expected at least one of each"
        )
    nameless = int(table.index.isna().sum())
    if nameless:
        raise InputError(f"{path.name}: {nameless:,} rows have no gene id; give each row one")
    table = _unpacked(path, table)
    text = [str(column) for column in table.columns if not pd.api.types.is_numeric_dtype(table[column])]
    if text:
        raise InputError(_text_columns(path, text))
    return table


def _unpacked(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The vectors of a table that has one list of numbers per gene, as data sets of language models are; any other table as it is."""
    packed = [
        column
        for column in table.columns
        if isinstance(table[column].iloc[0], np.ndarray | list) and len(table[column].iloc[0]) > 0
    ]
    if len(packed) != 1:
        return table
    vectors, others = table[packed[0]], [str(column) for column in table.columns if column != packed[0]]
    try:
        values = np.array(vectors.tolist(), dtype=np.float64)
    except (TypeError, ValueError) as error:  # lists of several lengths, of text, or absent ones
        raise InputError(
            f"{path.name}: the lists in {packed[0]} are not all numbers, or not all of one length"
        ) from error
    if others:
        say(f"{path.name}: vectors are the lists in {packed[0]}; set aside: {', '.join(others)}")
    names = [f"d{number}" for number in range(values.shape[1])]
    return pd.DataFrame(values, index=table.index, columns=names)


def read_parquet_by_gene(path: Path) -> pd.DataFrame:
    """Read a Parquet table, indexed by its index of text, else by its column of genes, else by its first column.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        table = pd.read_parquet(path)
    # Damaged metadata makes pyarrow raise nearly anything (KeyError, TypeError, its own errors).
    except Exception as error:
        raise InputError(
            f"{path.name} cannot be read as a table ({first_line(error)}); it may be empty, truncated or of another form"
        ) from error
    index = table.index
    if not table.shape[1] or not (
        isinstance(index, pd.RangeIndex) or (index.name is None and index.dtype.kind in "iu")
    ):
        return table
    found = find_columns(list(table.columns))
    named = next((found[key] for key in ("gene", "symbol", "entrez") if key in found), table.columns[0])
    return table.set_index(named)


def _word2vec_head(path: Path) -> tuple[int, int] | None:
    """Numbers of genes and dimensions, if the first line of a text file says these and nothing else."""
    with open_text(path) as handle:
        first, second = handle.readline().strip(), handle.readline().split()
    numbers = first.split()
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        return None
    return (int(numbers[0]), int(numbers[1])) if len(second) == int(numbers[1]) + 1 or not second else None


def _gene2vec_width(path: Path) -> int:
    """Dimensions of a table as gene2vec is published: no header, a tab behind the gene, blanks between numbers; 0 of any other."""
    with open_text(path) as handle:
        gene, _, numbers = handle.readline().partition("\t")
    values = numbers.split()
    if not gene.strip() or len(values) < 2 or "\t" in numbers.strip():
        return 0
    return len(values) if all(_is_number(value) for value in values) else 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_word2vec(path: Path, genes: int, dimensions: int) -> pd.DataFrame:
    """Read word2vec text; its first line tells whether the file is whole."""
    columns = ("", *(f"d{number}" for number in range(dimensions)))
    with open_text(path) as handle:
        handle.readline()
        separator = "\t" if "\t" in handle.readline() else " "
    layout = Layout(path, "table", separator, columns, 1, headerless=True, comment="", named=True)
    table = read_numbers(layout).values
    if table.shape != (genes, dimensions):
        raise InputError(
            f"{path.name}: the first line says {genes} genes x {dimensions} dimensions, the file has "
            f"{table.shape[0]} x {table.shape[1]}; it may be truncated"
        )
    return table
