"""Networks in the forms that other tools read: GraphML, decoupler's and pySCENIC's tables."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.runtime.files import atomic_path


def graphml(edges: Edges) -> str:
    """Write a directed graph with all columns of the edges (Cytoscape, Gephi, networkx, igraph)."""
    root = ElementTree.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    columns = [column for column in edges.table if column not in ("source", "target")]
    for column in columns:
        kind = "int" if column == "sign" else "double"
        ElementTree.SubElement(
            root, "key", {"id": column, "for": "edge", "attr.name": column, "attr.type": kind}
        )
    graph = ElementTree.SubElement(root, "graph", id=edges.name, edgedefault="directed")
    for gene in dict.fromkeys(edges.table[["source", "target"]].to_numpy().ravel()):
        ElementTree.SubElement(graph, "node", id=str(gene))
    for row in edges.table.to_dict("records"):
        edge = ElementTree.SubElement(graph, "edge", source=str(row["source"]), target=str(row["target"]))
        for column in columns:
            ElementTree.SubElement(edge, "data", key=column).text = f"{row[column]:.6g}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def decoupler(edges: Edges) -> str:
    """Write decoupler's table ``source, target, weight``: probability (or 1) times sign, comma-separated.

    decoupler's weights are modes of regulation within -1 and 1; without signs every edge activates.
    """
    table = edges.table
    strength = table["probability"] if "probability" in table else pd.Series(1.0, index=table.index)
    sign = table["sign"].replace(0, 1) if "sign" in table else 1
    return table[["source", "target"]].assign(weight=strength * sign).to_csv(index=False, float_format="%.6g")


def pyscenic(edges: Edges) -> str:
    """Write pySCENIC's adjacencies ``TF, target, importance``, comma-separated; importance is positive.

    It is the probability where there is one, else the weight, moved up where that goes below zero.
    """
    table = edges.table
    importance = table["probability"] if "probability" in table else table["weight"]
    if len(importance) and importance.min() <= 0:
        importance = importance - importance.min() + np.finfo(np.float32).eps
    named = table[["source", "target"]].rename(columns={"source": "TF"})
    return named.assign(importance=importance).to_csv(index=False, float_format="%.6g")


FORMS: dict[str, tuple[Callable[[Edges], str], tuple[str, ...]]] = {
    "graphml": (graphml, (".graphml",)),
    "decoupler": (decoupler, (".csv",)),
    "pyscenic": (pyscenic, (".csv",)),
}


def export_edges(edges: Edges, path: str | Path, form: str) -> None:
    """Write a network for another tool.

    Parameters
    ----------
    edges
        What is written.
    path
        ``.graphml`` or ``.csv``.
    form
        ``graphml``, ``decoupler`` or ``pyscenic``.

    Raises
    ------
    InputError
        If there is no such form or the suffix does not fit it.
    """
    path = Path(path)
    if form not in FORMS:
        raise InputError(f"networks are exported as {', '.join(FORMS)}. Given: {form}")
    write, suffixes = FORMS[form]
    if path.suffix not in suffixes:
        raise InputError(f"{form} is written as {' or '.join(suffixes)}. Given: {path.name}")
    with atomic_path(path) as partial:
        partial.write_text(write(edges), encoding="utf-8")
