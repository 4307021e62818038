"""Read pairs of genes with a label, and folds where they are given."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.genes.columns import plain_column
from cistron.genes.gene_map import lookup_for
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.places import place_form, read_parquet_frame
from cistron.runtime.tables import read_text_table
from cistron.runtime.text_files import plain_name

_FIRST = ("gene_a", "source", "regulator", "tf", "gene1", "gene_1", "first")
_SECOND = ("gene_b", "target", "gene2", "gene_2", "second")
_LABEL = ("interacts", "label", "positive", "y", "is_edge")
_OUTER = re.compile(r"outer(\d+)$")
_NAMES = "columns gene_a, gene_b, label (0 or 1) and, where folds are given, outer0, outer1, ... (train, test or empty)"


@dataclass(frozen=True)
class PairTable:
    """Pairs of genes.

    Attributes
    ----------
    name
        Name of the table.
    first, second
        Genes, object [pair].
    label
        Whether the pair is a positive, bool [pair].
    folds
        For each given fold, ``train``, ``test`` or empty for each pair; none where no folds are given.
    inner
        For each given fold, its inner folds in the same form (``train``, ``validation`` or empty).
    namespace
        Namespace of the genes.
    remarks
        What was done while reading, one sentence each.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    label: np.ndarray
    folds: tuple[np.ndarray, ...] = ()
    inner: tuple[tuple[np.ndarray, ...], ...] = ()
    namespace: str = "other"
    remarks: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.label)

    @property
    def genes(self) -> set[str]:
        """All genes of the pairs."""
        return set(self.first) | set(self.second)

    def select(self, rows: np.ndarray) -> "PairTable":
        """Some of the pairs, bool [pair] or numbers."""
        return replace(
            self,
            first=self.first[rows],
            second=self.second[rows],
            label=self.label[rows],
            folds=tuple(fold[rows] for fold in self.folds),
            inner=tuple(tuple(one[rows] for one in fold) for fold in self.inner),
        )

    def only(self, genes: set[str]) -> "PairTable":
        """The pairs both genes of which are among ``genes``."""
        inside = np.array([a in genes and b in genes for a, b in zip(self.first, self.second)], dtype=bool)
        return self.select(inside)

    def mapped(self, namespace: str, tables: Sequence[Path]) -> "PairTable":
        """The same pairs with genes of another namespace; pairs that cannot be mapped are left out and counted.

        Raises
        ------
        InputError
            If a gene table is needed and absent.
        IdentifierError
            If no pair can be mapped.
        """
        if namespace in (self.namespace, "other") or self.namespace == "other":
            return self
        lookup = lookup_for(self.name, self.namespace, namespace, tables)
        first = np.array([lookup.get(gene, "") for gene in self.first], dtype=object)
        second = np.array([lookup.get(gene, "") for gene in self.second], dtype=object)
        known = (first != "") & (second != "") & (first != second)
        if not known.any():
            raise IdentifierError(
                f"{self.name}: no pair of {len(self):,} is in {tables[0].name}; check the species and the ids, for example {self.first[0]}"
            )
        remark = f"{self.name}: {int((~known).sum()):,} of {len(known):,} pairs have a gene without {namespace} id and are left out"
        mapped = replace(self, first=first, second=second, namespace=namespace).select(known)
        return replace(mapped, remarks=(*self.remarks, *([] if known.all() else [remark])))


def read_pairs(path: str | Path, *, directed: bool = False) -> PairTable:
    """Read a table of pairs (.tsv, .csv, .txt, .parquet; packed or not).

    Parameters
    ----------
    path
        Columns ``gene_a`` and ``gene_b`` (or ``source`` and ``target``), ``label`` or ``interacts`` (0 or 1; a table without it
        lists positives), and where folds are given ``outer0``, ``outer1``, ... with ``train``, ``test`` or nothing, and
        ``outer0_inner0``, ... with ``train``, ``validation`` or nothing.
    directed
        Whether (a, b) and (b, a) are different pairs.

    Raises
    ------
    InputError
        If a column is absent, a label is not 0 or 1, or a pair has two labels.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"pairs {path} do not exist")
    if place_form(path, "pairs") == "parquet":
        frame, said = read_parquet_frame(path, "pairs"), tuple[str, ...]()
    else:
        text = read_text_table(path, "pairs")
        frame, said = text.frame, text.remarks
    stem = plain_name(path)
    name = stem[: stem.rfind(".")] if "." in stem else stem
    plain = {plain_column(column): column for column in reversed(list(frame.columns))}
    first, second, label = (
        next((plain[key] for key in names if key in plain), None) for names in (_FIRST, _SECOND, _LABEL)
    )
    if first is None or second is None:
        raise InputError(
            f"pairs {path.name} need {_NAMES}. Given: {', '.join(map(str, frame.columns[:8]))[:200]}"
        )
    genes = [frame[column].astype("string").fillna("").astype(str).str.strip() for column in (first, second)]
    empty = (genes[0] == "") | (genes[1] == "")
    if frame.empty or empty.any():
        where = "has no rows" if frame.empty else f"row {int(np.flatnonzero(empty)[0]) + 1}: a gene is empty"
        raise InputError(f"pairs {path.name}: {where}; expected {_NAMES}")
    remarks = list(said)
    if label is None:
        positive = np.ones(len(frame), dtype=bool)
        remarks.append(f"{path.name} has no column label, so all its pairs are taken for positives")
    else:
        positive = _labels(frame[label], path)
    namespace = guess_namespace(pd.concat(genes).unique())
    a, b = (np.array(normalise_identifiers(one, namespace), dtype=object) for one in genes)
    outer = sorted(int(found[1]) for column in plain if (found := _OUTER.match(column)))
    folds = tuple(_fold(frame[plain[f"outer{number}"]]) for number in outer)
    inner = tuple(
        tuple(
            _fold(frame[plain[column]])
            for column in sorted(plain)
            if re.match(rf"outer{number}_inner\d+$", column)
        )
        for number in outer
    )
    table = PairTable(name, a, b, positive, folds, inner, namespace, tuple(remarks))
    return _each_pair_once(table, path, directed)


def _fold(column: pd.Series) -> np.ndarray:
    return column.astype("string").fillna("").str.strip().str.lower().to_numpy(dtype=object)


def _labels(column: pd.Series, path: Path) -> np.ndarray:
    text = column.astype("string").str.strip().str.lower().replace({"true": "1", "false": "0"})
    numbers = pd.to_numeric(text, errors="coerce")
    wrong = ~numbers.isin([0, 1]).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"pairs {path.name} row {row + 1}: label must be 0 or 1. Given: {str(column.iloc[row])[:60]!r}"
        )
    return np.asarray(numbers == 1, dtype=bool)


def _each_pair_once(table: PairTable, path: Path, directed: bool) -> PairTable:
    """Leave out pairs of a gene with itself and repeated pairs; two labels of one pair are an error."""
    own = table.first == table.second
    keys = [(a, b) if directed or a < b else (b, a) for a, b in zip(table.first, table.second)]
    frame = pd.DataFrame({"key": keys, "label": table.label})
    labels = frame.groupby("key", sort=False)["label"].nunique()
    if (labels > 1).any():
        a, b = labels.index[int((labels > 1).to_numpy().argmax())]
        raise InputError(
            f"pairs {path.name}: {a} and {b} are a positive in one row and a negative in another ({int((labels > 1).sum()):,} such "
            "pairs); keep one row each"
        )
    repeated = frame.duplicated("key").to_numpy() & ~own
    remarks = list(table.remarks)
    if own.any():
        remarks.append(f"{path.name}: {int(own.sum()):,} pairs of a gene with itself are left out")
    if repeated.any():
        remarks.append(f"{path.name}: {int(repeated.sum()):,} repeated pairs are left out")
    return replace(table.select(~own & ~repeated), remarks=tuple(remarks))
