"""The map of all genes in the report of a study: where each gene lies, and a figure file of it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.style import GRID, PALETTE, diverging_colours, figure_style, short_labels
from cistron.report.blocks import Block, pack_numbers
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.study.genes import GeneBook

_STEP = 1 / 30000
_SETS = 500  # among which the first shown is chosen


def layout_block(genes: pd.DataFrame, layout: pd.DataFrame) -> Block:
    """Places [gene, 2] in the order of the search; missing where the embedding does not have the gene.

    Parameters
    ----------
    genes
        Genes of the search, with a column ``gene``.
    layout
        ``gene, x, y`` of :func:`cistron.study.gene_layout.stored_layout`.
    """
    places = layout.set_index("gene")[["x", "y"]].reindex(genes["gene"])
    return pack_numbers("layout", places.to_numpy(np.float64), _STEP)


def map_section(book: GeneBook, layout: pd.DataFrame, embedding: str, prefix: str) -> Section:
    """The map; its places are packed with the search.

    Parameters
    ----------
    book
        What the study knows.
    layout
        ``gene, x, y``.
    embedding
        Name of the embedding that was laid out.
    prefix
        Start of identifiers.
    """
    kinds = []
    if not book.predictions.empty:
        kinds.append(("trait", "trait"))
    if book.set_names:
        kinds.append(("set", "set"))
    if not book.expression.empty:
        kinds.append(("expression", "expression"))
    kind, number = first_shown(book, embedding)
    drawing, title = _drawing(book, layout, f"{prefix}gene_map", kind, number)
    body = render(
        "gene_map.html",
        prefix=prefix,
        embedding=embedding,
        count=len(layout),
        lacking=len(book.genes) - len(layout),
        kinds=kinds or [("none", "nothing")],
        drawing=drawing,
        title=title,
        first=(kind, number),
    )
    return Section("map", "Map of all genes", body, (drawing,))


def first_shown(book: GeneBook, embedding: str) -> tuple[str, int]:
    """The trait or set that a map shows first: that in which the nearest genes agree most.

    Parameters
    ----------
    book
        What the study knows.
    embedding
        Embedding whose nearest genes count.

    Returns
    -------
    tuple of str and int
        Kind (``trait``, ``set``, or ``none`` where there is neither) and its number.
    """
    near = book.neighbours[book.neighbours["embedding"] == embedding]
    place = pd.Index(book.genes["gene"])
    gene, other = (place.get_indexer(near[column].astype(str)) for column in ("gene", "neighbour"))
    found = [
        (_agreement(values, gene, other), kind, number)
        for kind, table in _colours(book)
        for number, values in enumerate(table.T)
    ]
    if not found:
        return "none", 0
    _, kind, number = max(found, key=lambda one: one[0])
    return kind, number


def _colours(book: GeneBook) -> list[tuple[str, np.ndarray]]:
    """Values of every trait, set and cell type, float [gene, number], NaN where they are not known."""
    place = pd.Index(book.genes["gene"])
    found = []
    if not book.predictions.empty:
        names = list(dict.fromkeys(book.predictions["trait"].astype(str)))
        z = np.full((len(place), len(names)), np.nan)
        rows = place.get_indexer(book.predictions["gene"].astype(str))
        columns = pd.Index(names).get_indexer(book.predictions["trait"].astype(str))
        z[rows[rows >= 0], columns[rows >= 0]] = book.predictions["z"].to_numpy(np.float64)[rows >= 0]
        found.append(("trait", z))
    if book.set_names:
        members = np.zeros((len(place), min(len(book.set_names), _SETS)), dtype=np.float32)
        for gene, numbers in book.sets.items():
            members[place.get_loc(gene), [number for number in numbers if number < _SETS]] = 1
        found.append(("set", members))
    return found


def _agreement(values: np.ndarray, gene: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the values of genes with those of their nearest genes."""
    first, second = values[gene], values[other]
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 3 or first[known].std() == 0 or second[known].std() == 0:
        return -1.0
    return float(np.corrcoef(first[known], second[known])[0, 1])


def _drawing(book: GeneBook, layout: pd.DataFrame, name: str, kind: str, number: int) -> tuple[Drawing, str]:
    """A figure of the map, coloured by what the page shows first."""
    title, colours = "nothing", np.full(len(layout), np.nan)
    place = pd.Index(book.genes["gene"]).get_indexer(layout["gene"].astype(str))
    if kind != "none":
        colours = dict(_colours(book))[kind][place, number]
        traits = [] if book.predictions.empty else list(dict.fromkeys(book.predictions["trait"].astype(str)))
        title = (
            f"the z-score for {traits[number]}" if kind == "trait" else f"the set {book.set_names[number]}"
        )
    if kind == "set":
        colours = np.where(colours > 0, 1.0, np.nan)
    order = np.argsort(np.nan_to_num(np.abs(colours), nan=-1.0), kind="stable")
    order = order[np.isfinite(colours[order])]
    x, y = (layout[side].to_numpy() for side in ("x", "y"))
    size = float(np.clip(6000 / max(len(layout), 1), 1.0, 14.0))
    with figure_style():
        figure = Figure(figsize=(7.2, 4.8), layout="constrained")
        axes = figure.add_subplot()
        axes.scatter(x, y, s=size, color=GRID, linewidths=0, rasterized=True)
        if kind == "set":
            axes.scatter(x[order], y[order], s=1.6 * size, color=PALETTE[0], linewidths=0, rasterized=True)
        elif len(order):
            limit = float(np.quantile(np.abs(colours[order]), 0.98)) or 1.0
            drawn = axes.scatter(
                x[order],
                y[order],
                s=size,
                c=colours[order],
                cmap=diverging_colours(),
                vmin=-limit,
                vmax=limit,
                linewidths=0,
                rasterized=True,
            )
            figure.colorbar(drawn, ax=axes, shrink=0.5, extend="both")
        axes.set(xticks=[], yticks=[], title=f"Genes, coloured by {short_labels([title], 60)[0]}")
    return Drawing(name, figure, f"Map of {len(layout):,} genes, coloured by {title}"), title
