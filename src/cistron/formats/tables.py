"""Numeric tables of genes in every accepted form: .parquet, .tsv, .csv (also .gz), word2vec text."""

import gzip
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from cistron.errors import InputError


def first_line(error: BaseException) -> str:
    """First line of what an exception of a library says, for a message of one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of any accepted form.

    Parameters
    ----------
    path
        File; its suffix says the form. Gene ids are in the first column, or in the index of Parquet.

    Returns
    -------
    DataFrame
        Numbers [gene, column], indexed by gene id as it stands in the file.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, lacks an id, or holds something that is not a number.
    """
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    try:
        if kind == ".parquet":
            table = _read_parquet(path)
            if isinstance(table.index, pd.RangeIndex) and table.shape[1]:
                table = table.set_index(table.columns[0])
        elif kind in (".tsv", ".csv"):
            table = pd.read_csv(path, sep="\t" if kind == ".tsv" else ",", index_col=0)
        elif kind in (".txt", ".vec", ".w2v", ".word2vec"):
            table = _read_word2vec(path)
        else:
            raise InputError(
                f"{path.name}: embeddings are read from .h5ad, .parquet, .tsv, .csv (also .gz) "
                "or word2vec text (.txt, .vec)"
            )
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.name} cannot be read as a table ({first_line(error)}); it may be empty, truncated or of another form"
        ) from error
    if table.shape[0] and not table.shape[1]:
        raise InputError(
            f"{path.name} has one column only; .csv is separated by ',' and .tsv by tabs (is it ';'?)"
        )
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError(
            f"{path.name} holds {table.shape[0]:,} genes x {table.shape[1]:,} dimensions; expected at least one of each"
        )
    nameless = int(table.index.isna().sum())
    if nameless:
        raise InputError(
            f"{path.name}: {nameless:,} rows have no gene id in the first column; give each row one"
        )
    text = [str(column) for column in table.columns if not pd.api.types.is_numeric_dtype(table[column])]
    if text:
        raise InputError(
            f"{path.name}: {len(text):,} columns are not numbers, for example {text[0]!r}; "
            "expected gene ids in the first column and one numeric column a dimension"
        )
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    # Damaged metadata makes pyarrow raise nearly anything (KeyError, TypeError, its own errors).
    except Exception as error:
        raise ValueError(first_line(error)) from error


def _read_word2vec(path: Path) -> pd.DataFrame:
    """Read word2vec text; its first line, the numbers of genes and dimensions, tells whether the file is whole."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as handle:
        first = handle.readline().split()
    if len(first) != 2 or not all(number.isdigit() for number in first):
        raise InputError(
            f"{path.name}: the first line of word2vec text is 'GENES DIMENSIONS'. Given: {' '.join(first)[:60]!r}"
        )
    table = pd.read_csv(path, sep=" ", skiprows=1, header=None, index_col=0)
    table = table.dropna(axis=1, how="all")  # word2vec itself ends lines with a blank
    table.columns = pd.Index([f"d{number}" for number in range(table.shape[1])])
    if table.shape != (int(first[0]), int(first[1])):
        raise InputError(
            f"{path.name}: the first line says {first[0]} genes x {first[1]} dimensions, the file has "
            f"{table.shape[0]} x {table.shape[1]}; it may be truncated"
        )
    return table
