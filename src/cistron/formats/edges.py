"""The edges format: a directed, weighted network as a table (page ``docs/formats/edges.md``)."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cistron
from cistron.errors import InputError
from cistron.genes.identity import NAMESPACES, guess_namespace, normalise_identifiers
from cistron.runtime import say
from cistron.runtime.files import atomic_path
from cistron.runtime.table_layout import MISSING, NUMBER
from cistron.runtime.tables import TextTable, read_text_table
from cistron.runtime.text_files import plain_name

SCHEMA_VERSION = 1

# column: (type, needed, meaning). The page of the format and the checker are made from this.
EDGE_COLUMNS: dict[str, tuple[str, bool, str]] = {
    "source": ("text", True, "gene that regulates"),
    "target": ("text", True, "gene that is regulated; never the source itself"),
    "weight": ("number", True, "higher is stronger; comparable within one network only"),
    "sign": ("sign", False, "+1 the source raises the target, -1 it lowers it, 0 unknown"),
    "probability": ("share", False, "calibrated probability that the edge is in the network"),
    "direct": (
        "share",
        False,
        "probability that the effect is direct and not through measured genes, given an effect",
    ),
    "stability": ("share", False, "share of resamples of the cells in which the edge is found again"),
}


@dataclass(frozen=True)
class Edges:
    """A network with its header.

    Attributes
    ----------
    table
        Columns of :data:`EDGE_COLUMNS`, strongest edge first.
    name
        Name that tables and figures show.
    method
        Method that made it; ``truth`` for a reference.
    identifier_namespace
        ``ensembl``, ``symbol``, ``entrez`` or ``other``.
    seed
        Seed of the run.
    parameters
        Settings of the method and remarks, JSON-like.
    """

    table: pd.DataFrame
    name: str
    method: str = "imported"
    identifier_namespace: str = "other"
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = check_edges(self.table)
        if self.identifier_namespace not in NAMESPACES:
            problems.append(
                f"identifier_namespace {self.identifier_namespace!r} is not one of {', '.join(NAMESPACES)}"
            )
        if problems:
            raise InputError(f"edges {self.name} break their format: {problems[0]}")

    def __len__(self) -> int:
        return len(self.table)

    def pairs(self) -> list[tuple[str, str]]:
        """Give the edges as ``(source, target)``, strongest first: the form that CausalBench uses."""
        return list(zip(self.table["source"], self.table["target"]))


def check_edges(table: pd.DataFrame) -> list[str]:
    """List what breaks the format; an empty list means that the table is valid. An empty network is valid."""
    problems = [
        f"column {column!r} is absent"
        for column, (_, needed, _) in EDGE_COLUMNS.items()
        if needed and column not in table
    ]
    problems += [
        f"column {column!r} is not part of the format" for column in table if column not in EDGE_COLUMNS
    ]
    if problems:
        return problems
    for column in table:
        kind = EDGE_COLUMNS[column][0]
        values = table[column]
        if kind == "text":
            if values.isna().any() or (values.astype(str) == "").any():
                problems.append(f"column {column!r} has empty cells")
            continue
        if not pd.api.types.is_numeric_dtype(values) and len(values):
            problems.append(f"column {column!r} is not numbers")
            continue
        numbers = values.to_numpy(np.float64)
        if not np.isfinite(numbers).all():
            problems.append(f"column {column!r} has missing or infinite cells")
        elif kind == "sign" and not np.isin(numbers, (-1, 0, 1)).all():
            problems.append("sign is not always -1, 0 or 1")
        elif kind == "share" and ((numbers < 0) | (numbers > 1)).any():
            problems.append(f"{column} leaves [0, 1]")
    loops = table["source"].astype(str) == table["target"].astype(str)
    if loops.any():
        problems.append(
            f"{int(loops.sum()):,} edges go from a gene to itself, for example {table['source'][loops].iloc[0]}"
        )
    doubled = table.duplicated(["source", "target"])
    if doubled.any():
        row = table.loc[doubled].iloc[0]
        problems.append(
            f"{int(doubled.sum()):,} edges occur twice, for example {row['source']} -> {row['target']}"
        )
    return problems


def write_edges(edges: Edges, path: str | Path) -> None:
    """Write a network as tab-separated text (.tsv, .tsv.gz) with its header in lines that begin with ``#``.

    Raises
    ------
    InputError
        If the name has another suffix or the folder cannot be written to.
    """
    path = Path(path)
    if not path.name.endswith((".tsv", ".tsv.gz")):
        raise InputError(f"edges are written as .tsv or .tsv.gz. Given: {path.name}")
    header = {
        "kind": "cistron.edges",
        "schema_version": SCHEMA_VERSION,
        "name": edges.name,
        "method": edges.method,
        "identifier_namespace": edges.identifier_namespace,
        "seed": edges.seed,
        "software_version": cistron.__version__,
        "parameters": json.dumps(dict(edges.parameters), sort_keys=True, default=str),
    }
    text = io.StringIO()
    for key, value in header.items():
        text.write(f"# {key}: {value}\n")
    columns = [column for column in EDGE_COLUMNS if column in edges.table]
    edges.table[columns].to_csv(text, sep="\t", index=False, float_format="%.6g")
    with atomic_path(path) as partial:
        data = text.getvalue().encode()
        # a fixed time stamp: the same network gives the same bytes
        partial.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _header(lines: list[str]) -> dict[str, str]:
    pairs = (line[1:].split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


_SYNONYMS = {
    "source": ("source", "regulator", "tf", "cause", "gene1", "from"),
    "target": ("target", "gene", "effect", "gene2", "to"),
    "weight": ("weight", "importance", "score"),
}


def _named(columns: Sequence[str], path: Path) -> dict[str, str]:
    """Which column of a table is which of the format; others are left out."""
    lowered = {column.lower(): column for column in columns}
    names = {column: lowered[column] for column in EDGE_COLUMNS if column in lowered}
    for column, candidates in _SYNONYMS.items():
        found = [lowered[candidate] for candidate in candidates if candidate in lowered]
        if found:
            names[column] = found[0]
    missing = [column for column in ("source", "target") if column not in names]
    if missing:
        raise InputError(
            f"{path.name}: column {missing[0]!r} is absent; expected source, target, weight. "
            f"Given: {', '.join(map(str, columns[:6]))}"
        )
    return {column: names[column] for column in sorted(names, key=lambda name: columns.index(names[name]))}


def _signs(cells: Sequence[str], text: TextTable) -> list[int]:
    """Signs from +, -, 1, -1, 0; what is missing is 0, not known."""
    signs = []
    for row, cell in enumerate(cells):
        number = {"+": 1.0, "-": -1.0}.get(cell, 0.0 if cell in MISSING else None)
        if number is None:
            number = float(cell) if NUMBER.fullmatch(cell) else np.nan
        if number not in (-1, 0, 1):
            raise InputError(
                f"{text.layout.label} line {text.layout.line_of(row)}: sign is +, -, 1, -1 or 0. Given: {cell[:40]!r}"
            )
        signs.append(int(number))
    return signs


def read_edges(path: str | Path, *, name: str | None = None) -> Edges:
    """Read a network: this format, or any .tsv, .csv (plain, .gz, .xz) with columns source and target.

    A weight that is absent is 1; columns that the format does not know are left out. Where a pair stands in
    several rows, as in tables of binding experiments, the strongest is kept; edges from a gene to itself are left out. Both are said.

    Parameters
    ----------
    path
        File to read.
    name
        Name to give; that of the header, or of the file, when absent.

    Raises
    ------
    InputError
        If the file cannot be read or breaks the format.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"edge table {path} does not exist")
    plain = plain_name(path)
    text = read_text_table(path, "edge table", empty=True)
    for remark in text.remarks:
        say(remark)
    header = _header(list(text.layout.comments))
    if int(header.get("schema_version", 0)) > SCHEMA_VERSION:
        raise InputError(
            f"{path.name} has edges schema {header['schema_version']}, newer than {SCHEMA_VERSION}; update cistron"
        )
    table = pd.DataFrame(
        {
            column: text.text(given) if EDGE_COLUMNS[column][0] in ("text", "sign") else text.numbers(given)
            for column, given in _named(text.columns, path).items()
        }
    )
    for column in ("source", "target"):
        table[column] = normalise_identifiers(table[column], guess_namespace(table[column]))
    if "weight" not in table:
        table["weight"] = 1.0
    if "sign" in table:
        table["sign"] = _signs(table["sign"].tolist(), text)
    if pd.api.types.is_numeric_dtype(table["weight"]):
        table = table.sort_values("weight", ascending=False, kind="stable")
    if "kind" not in header:
        loops = table["source"] == table["target"]
        kept = table.loc[~loops].drop_duplicates(["source", "target"])
        again = len(table) - int(loops.sum()) - len(kept)
        if again:
            say(f"{path.name}: {again:,} rows name a pair once more; the strongest row of each pair is kept")
        if loops.any():
            say(f"{path.name}: {int(loops.sum()):,} rows go from a gene to itself and are left out")
        table = kept
    genes = pd.unique(table[["source", "target"]].to_numpy().ravel()).tolist()
    return Edges(
        table.reset_index(drop=True),
        name=name or header.get("name") or plain.rsplit(".", 1)[0],
        method=header.get("method", "imported"),
        identifier_namespace=header.get("identifier_namespace") or guess_namespace(genes),
        seed=int(header.get("seed", 0)),
        parameters=json.loads(header.get("parameters", "{}")),
    )
