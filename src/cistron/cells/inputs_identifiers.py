"""Identifiers of the genes of cells: as they are in the file, or mapped to the namespace of an embedding, a split or a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import IdentifierError
from cistron.genes.identity import guess_namespace, normalise_identifiers
from cistron.genes.name_resolution import NameMap

KINDS = {"ensembl": "Ensembl ids", "symbol": "gene symbols", "entrez": "Entrez ids", "other": "other names"}


@dataclass(frozen=True)
class Identified:
    """Genes in use.

    Attributes
    ----------
    genes
        Identifiers, unique.
    columns
        Row of the table of genes of each, int [gene].
    remarks
        What the user should know.
    name_map
        Map that was used; ``None`` where none was.
    """

    genes: tuple[str, ...]
    columns: np.ndarray
    remarks: tuple[str, ...] = ()
    name_map: NameMap | None = None


def identify_genes(
    variables: pd.DataFrame,
    gene_map: str | Path | Sequence[str | Path] | NameMap | None,
    namespace: str | None,
    allow_loss: bool,
    name: str,
) -> Identified:
    """Clean the identifiers, and map them where they are of another namespace than is asked for.

    Parameters
    ----------
    variables
        Table of the genes, indexed by their names.
    gene_map
        Tables between namespaces, or a map that a model holds. What such a map loses was accepted when the model was trained, so it
        is no error.
    namespace
        Namespace to map to; that of the names when absent.
    allow_loss
        Accept that tables lose more than 5% of the genes.
    name
        Name of the data, for messages.

    Raises
    ------
    IdentifierError
        If genes are doubled, too many are lost, or they must be mapped and there is no map.
    """
    given = [str(gene) for gene in variables.index]
    own = guess_namespace(given)
    genes = normalise_identifiers(given, own)
    refuse_doubled(pd.Index(genes), "genes", name)
    unchanged = Identified(tuple(genes), np.arange(len(genes)))
    stored = isinstance(gene_map, NameMap)
    tables = [gene_map] if isinstance(gene_map, (str, Path)) else gene_map
    if namespace is None or namespace in (own, "other"):
        if not tables or stored:
            return unchanged
        reason = f"the genes are {KINDS[own]} already" if namespace == own else "no embedding, split or annotation names them otherwise"  # fmt: skip
        return Identified(unchanged.genes, unchanged.columns, (f"{name}: --gene-map was not used: {reason}",))
    source = "symbol" if own == "other" else own
    if isinstance(gene_map, NameMap):
        if (gene_map.source, gene_map.target) != (source, namespace):
            raise IdentifierError(_advice(variables, own, namespace, name))
        found = gene_map
    elif tables:
        assert not isinstance(tables, NameMap)
        found = NameMap.of_tables(list(tables), source, namespace)
    elif own == "other":
        return unchanged  # simulated genes, other species: whether they match is told where they are joined
    else:
        raise IdentifierError(_advice(variables, own, namespace, name))
    resolved = found.resolve(given)
    remark = resolved.require_little_loss(f"{name}, {source} to {namespace}", allow_loss or stored)
    kept = np.array([number for number, gene in enumerate(resolved.identifiers) if gene is not None])
    return Identified(
        tuple(gene for gene in resolved.identifiers if gene is not None), kept, (remark,), found
    )


def _advice(variables: pd.DataFrame, own: str, namespace: str, name: str) -> str:
    """Say how genes of one namespace can be joined with those of another: by a column of the file, or by a table."""
    fitting = [
        str(column)
        for column in variables
        if guess_namespace(variables[column].dropna().astype(str).tolist()) == namespace
    ]
    way = (
        f"var has {KINDS[namespace]} in its column {fitting[0]!r}: add --gene-column {fitting[0]}"
        if fitting
        else "add --gene-map TABLE (a file such as an annotation, or hgnc_complete_set)"
    )
    return f"{name}: the genes are {KINDS[own]}, but {KINDS[namespace]} are needed; {way}"


def refuse_doubled(index: pd.Index, kind: str, name: str) -> None:
    """Raise where a name occurs twice.

    Parameters
    ----------
    index
        Names.
    kind
        What they name, for the message.
    name
        Name of the data.

    Raises
    ------
    IdentifierError
        With an example.
    """
    if not index.is_unique:
        doubled = index[index.duplicated()].unique()
        raise IdentifierError(
            f"{name}: {len(doubled):,} {kind} occur more than once, for example {doubled[0]}; remove the copies or "
            "make the names unique if they are different"
        )
