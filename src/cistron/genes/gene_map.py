"""Read tables that give genes in several namespaces."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import find_columns, plain_column
from cistron.genes.identity import GeneMap, guess_namespace, normalise_identifiers
from cistron.genes.places import place_form, read_gene_places, read_parquet_frame
from cistron.runtime.tables import read_text_table


def read_gene_map(path: str | Path) -> GeneMap:
    """Read a table between namespaces.

    Accepted: HGNC's complete set (with previous symbols and aliases), an annotation (GTF or GFF3 of GENCODE, Ensembl or
    RefSeq), any TSV, CSV or Parquet with columns named like ``ensembl_gene_id``, ``symbol``, ``entrez_id`` or as BioMart
    names them, and the headerless CSV of CELLxGENE's gene list (Ensembl id, symbol, version, length, biotype).

    Raises
    ------
    InputError
        If the file cannot be read or holds fewer than two namespaces.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"gene table {path} does not exist; fetch one with 'cistron data fetch hgnc_complete_set'"
        )
    form = place_form(path, "gene table")
    if form in ("gtf", "bed"):
        genes = read_gene_places(path, "gene table").genes
        return _gene_map(genes[[key for key in ("gene", "symbol", "entrez") if key in genes]], path)
    if form == "parquet":
        return _gene_map(read_parquet_frame(path, "gene table"), path)
    table = read_text_table(path, "gene table", header=None)
    frame = table.frame
    if table.layout.headerless and guess_namespace(frame.iloc[:, 0]) != "ensembl":
        raise InputError(
            f"gene table {path.name} has no header; name its columns ensembl_gene_id, symbol, entrez_id"
        )
    if table.layout.headerless:
        frame = frame.iloc[:, :2].set_axis(["ensembl", "symbol"][: frame.shape[1]], axis=1)
    return _gene_map(frame, path)


def read_gene_maps(paths: str | Path | Sequence[str | Path]) -> GeneMap:
    """Read one table between namespaces, or several that are joined by what they share.

    Parameters
    ----------
    paths
        In forms that :func:`read_gene_map` takes; at least one.
    """
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    joined = read_gene_map(several[0])
    for path in several[1:]:
        joined = joined.joined_with(read_gene_map(path))
    return joined


def lookup_for(
    name: str, namespace: str, target: str, tables: str | Path | Sequence[str | Path]
) -> Mapping[str, str]:
    """Ids of the target namespace by those of a file that names genes otherwise than the embeddings do.

    Parameters
    ----------
    name, namespace
        Of the file, for the message.
    target
        Namespace of the embeddings.
    tables
        Tables between gene ids; may be none.

    Raises
    ------
    InputError
        If there is no table.
    """
    if not tables:
        raise InputError(
            f"{name} names genes by {namespace}, the embeddings by {target}; give a table that has both with "
            "--gene-map FILE (HGNC's complete set does)"
        )
    return read_gene_maps(tables).lookup(namespace, target)


def _namespaces_of(frame: pd.DataFrame) -> dict[str, object]:
    """Which column of a table holds which namespace; what a column called gene holds is told by its ids."""
    found = find_columns(list(frame.columns))
    chosen: dict[str, object] = {key: value for key, value in found.items() if key in ("symbol", "entrez")}
    if "gene" in found:
        namespace = guess_namespace(
            value for value in frame[found["gene"]] if isinstance(value, str) and value
        )
        named = plain_column(found["gene"]) not in ("gene", "gene_id", "geneid")
        namespace = "ensembl" if named else "entrez" if plain_column(found["gene"]) == "geneid" else namespace
        if namespace == "other" and plain_column(found["gene"]) == "gene_id":
            namespace = "ensembl"
        if namespace != "other":
            chosen.setdefault(namespace, found["gene"])
    return chosen


def _gene_map(frame: pd.DataFrame, path: Path) -> GeneMap:
    chosen = _namespaces_of(frame)
    if len(chosen) < 2:
        raise InputError(
            f"gene table {path.name}: columns {', '.join(map(str, frame.columns[:6]))} hold fewer than two of "
            "Ensembl id, symbol and Entrez id; name them ensembl_gene_id, symbol, entrez_id"
        )
    table = pd.DataFrame(index=range(len(frame)))
    for namespace in ("ensembl", "symbol", "entrez"):
        table[namespace] = ""
        if namespace in chosen:
            values = frame[chosen[namespace]].astype("string").fillna("").astype(str)
            table[namespace] = normalise_identifiers(values, namespace)
    return GeneMap(table, _older_names(frame, table["symbol"]))


def _older_names(frame: pd.DataFrame, symbols: pd.Series) -> dict[str, str]:
    """Previous symbols and aliases (HGNC) to the current symbol, only where they name one gene."""
    older: dict[str, set[str]] = {}
    lowered = {str(column).strip().lower(): column for column in frame.columns}
    # A previous symbol speaks louder than an alias.
    for column in ("prev_symbol", "alias_symbol"):
        if column not in lowered or not (symbols != "").any():
            continue
        found: dict[str, set[str]] = {}
        for names, current in zip(frame[lowered[column]], symbols):
            if isinstance(names, str):
                for old in names.strip('"').split("|"):
                    found.setdefault(old.strip(), set()).add(current)
        for old, current_names in found.items():
            older.setdefault(old, current_names)
    return {old: next(iter(names)) for old, names in older.items() if len(names) == 1 and old}
