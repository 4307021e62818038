"""Read labels of genes: member or not, one of several classes, or a number, with folds where they are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError, InputError, LeakageError
from cistron.genes.columns import find_columns, plain_column
from cistron.genes.gene_map import lookup_for
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.places import place_form, read_parquet_frame
from cistron.genes.spreadsheets import spreadsheet_damage
from cistron.runtime.tables import read_text_table
from cistron.runtime.text_files import plain_name

Kind = Literal["member", "class", "number"]
# Names of the columns, without case and signs, in order of preference.
_TERM = ("term", "set", "task", "gene_set", "go_term")
_PART = ("part", "fold", "split")
_VALUE: dict[str, Kind] = {"member": "member", "label": "class", "class": "class", "value": "number"}
HOLD_OUT = ("holdout", "hold_out", "test")
_NAMES = "columns term, gene, member (0 or 1; or label for classes, value for numbers) and, where folds are given, part"


@dataclass(frozen=True)
class LabelTable:
    """Labels of genes.

    Attributes
    ----------
    name
        Name of the table.
    frame
        One row a gene of a term: ``term``, ``gene`` (text), ``value`` (0 or 1, number of the class, or a number) and
        ``part`` (text; empty where no folds are given).
    kind
        ``member``, ``class`` or ``number``.
    namespace
        Namespace of the genes.
    classes
        Names of the classes, for that kind.
    remarks
        What was done while reading, one sentence each.
    """

    name: str
    frame: pd.DataFrame
    kind: Kind
    namespace: str
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def terms(self) -> list[str]:
        """Terms in the order of the table."""
        return list(dict.fromkeys(self.frame["term"]))

    @cached_property
    def genes(self) -> list[str]:
        """Genes in the order of the table, each once."""
        return list(dict.fromkeys(self.frame["gene"]))

    @cached_property
    def has_parts(self) -> bool:
        """Whether folds are given."""
        return bool((self.frame["part"] != "").any())

    def mapped(self, namespace: str, tables: Sequence[Path]) -> "LabelTable":
        """The same labels with genes of another namespace; genes that cannot be mapped are left out and counted.

        Raises
        ------
        InputError
            If a gene table is needed and absent.
        IdentifierError
            If no gene can be mapped.
        """
        if namespace in (self.namespace, "other") or self.namespace == "other":
            return self
        lookup = lookup_for(self.name, self.namespace, namespace, tables)
        found = self.frame["gene"].map(lookup)
        if found.isna().all():
            raise IdentifierError(
                f"{self.name}: none of {self.frame['gene'].nunique():,} genes is in {tables[0].name}; check the species and the ids, "
                f"for example {self.frame['gene'].iloc[0]}"
            )
        frame = self.frame.assign(gene=found).dropna(subset="gene")
        frame = frame[~frame.duplicated(["term", "gene"])].reset_index(drop=True)
        lost = self.frame["gene"].nunique() - frame["gene"].nunique()
        remark = f"{self.name}: {lost:,} of {self.frame['gene'].nunique():,} genes have no {namespace} id and are left out"
        return replace(
            self, frame=frame, namespace=namespace, remarks=(*self.remarks, *([remark] if lost else []))
        )

    def only(self, genes: set[str]) -> "LabelTable":
        """The labels of some of the genes."""
        return replace(self, frame=self.frame[self.frame["gene"].isin(genes)].reset_index(drop=True))


def read_labels(path: str | Path) -> LabelTable:
    """Read a table of labels (.tsv, .csv, .txt, .parquet; packed or not).

    Parameters
    ----------
    path
        Columns ``gene`` (or ``ensembl``, ``symbol``, ``entrez``), one of ``member`` (0 or 1), ``label`` (a class) and ``value``
        (a number), and where there is more than one term, ``term``; ``part`` names folds (``fold1``, ``fold2``, ...) and the
        part that is scored (``holdout`` or ``test``).

    Returns
    -------
    LabelTable
        Rows without a label are left out and counted.

    Raises
    ------
    InputError
        If a column is absent or a value is not of its kind; the row is named.
    LeakageError
        If a gene stands in two parts of a term.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"labels {path} do not exist")
    if place_form(path, "labels") == "parquet":
        frame, lines, said = read_parquet_frame(path, "labels"), None, tuple[str, ...]()
    else:
        text = read_text_table(path, "labels")
        frame, lines, said = text.frame, text.layout.line_of, text.remarks
    stem = plain_name(path)
    name = stem[: stem.rfind(".")] if "." in stem else stem
    plain = {plain_column(column): column for column in reversed(list(frame.columns))}
    found = find_columns(list(frame.columns))
    gene = next((found[key] for key in ("gene", "entrez", "symbol") if key in found), None)
    value = next((plain[key] for key in _VALUE if key in plain), None)
    if gene is None or value is None:
        raise InputError(
            f"labels {path.name} need {_NAMES}. Given: {', '.join(map(str, frame.columns[:8]))[:200]}"
        )
    kind = _VALUE[plain_column(value)]
    term = next((plain[key] for key in _TERM if key in plain), None)
    part = next((plain[key] for key in _PART if key in plain), None)
    table = pd.DataFrame(
        {
            "term": name if term is None else frame[term].astype("string").fillna("").astype(str),
            "gene": frame[gene].astype("string").fillna("").astype(str).str.strip(),
            "value": frame[value],
            "part": "" if part is None else frame[part].astype("string").fillna("").astype(str).str.strip(),
        }
    )
    if table.empty:
        raise InputError(f"labels {path.name} have no rows; expected {_NAMES}")
    empty = (table["gene"] == "") | (table["term"] == "")
    if empty.any():
        raise InputError(f"labels {_row(path, lines, empty)}: the gene or the term is empty")
    namespace = guess_namespace(table["gene"].unique())
    table["gene"] = normalise_identifiers(table["gene"], namespace)
    table, classes, remarks = _values(table, kind, path, lines)
    damage = spreadsheet_damage(pd.Index(table["gene"].unique()))
    table, doubled = _each_gene_once(table, path)
    return LabelTable(
        name,
        table.reset_index(drop=True),
        kind,
        namespace,
        classes,
        (*said, *remarks, *([f"{path.name}: {damage}"] if damage else []), *doubled),
    )


def _row(path: Path, lines: object, wrong: pd.Series) -> str:
    place = int(np.flatnonzero(wrong.to_numpy())[0])
    return f"{path.name} {f'line {lines(place)}' if callable(lines) else f'row {place + 1}'}"


def _values(
    table: pd.DataFrame, kind: Kind, path: Path, lines: object
) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """Labels as numbers."""
    text = table["value"].astype("string").str.strip()
    absent = text.isna() | text.isin(["", "NA", "NaN", "nan", "None"])
    remarks = (
        [f"{path.name}: {int(absent.sum()):,} rows without a label are left out"] if absent.any() else []
    )
    if absent.all():
        raise InputError(f"labels {path.name} have no label in any row")
    if kind == "class":
        names = sorted(set(text[~absent]))
        if len(names) < 2:
            raise InputError(
                f"labels {path.name}: a class label needs at least 2 classes. Given: {names[0]!r} in every row"
            )
        number = {label: place for place, label in enumerate(names)}
        return table[~absent].assign(value=text[~absent].map(number).astype(float)), tuple(names), remarks
    numbers = pd.to_numeric(text.str.lower().replace({"true": "1", "false": "0"}), errors="coerce")
    wrong = numbers.isna() & ~absent if kind == "number" else ~numbers.isin([0, 1]) & ~absent
    wrong |= np.isinf(numbers.astype(float)).fillna(False)
    if wrong.any():
        wanted = "0 or 1" if kind == "member" else "a finite number"
        raise InputError(
            f"labels {_row(path, lines, wrong)}: {kind if kind == 'member' else 'value'} must be {wanted}. Given: {text[wrong].iloc[0][:60]!r}"
        )
    return table[~absent].assign(value=numbers[~absent].astype(float)), (), remarks


def _each_gene_once(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    twice = table[table.duplicated(["term", "gene"], keep=False)]
    if twice.empty:
        return table, []
    spread = twice.groupby(["term", "gene"], sort=False)
    for column, problem, kind in (("part", "parts", LeakageError), ("value", "labels", InputError)):
        several = spread[column].nunique()
        if (several > 1).any():
            term, gene = several.index[int((several > 1).to_numpy().argmax())]
            raise kind(
                f"labels {path.name}: gene {gene} has two {problem} in term {term} ({int((several > 1).sum()):,} such genes); keep one row each"
            )
    kept = table[~table.duplicated(["term", "gene"])]
    return kept, [f"{path.name}: {len(table) - len(kept):,} repeated rows are left out"]
