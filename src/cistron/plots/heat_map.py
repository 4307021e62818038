"""Heat map of a signed score: rows x columns, white at zero, every value printed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, GRID, NO_VALUE, diverging_colours, short_labels

CELL_TEXT = "#101820"  # on pale cells; not the colour of other text, which a dark page turns light
CELL_INCHES = (0.62, 0.25)  # wide enough for "+0.0184", high enough for one line


def similar_order(table: pd.DataFrame) -> list[Any]:
    """Order the rows of a table so that similar rows are neighbours.

    Average linkage of Euclidean distances with optimal leaf order; empty cells count as 0, so that a row
    is not thrown out for one missing score.

    Parameters
    ----------
    table
        Numbers [row, column].

    Returns
    -------
    list
        Row labels in their new order.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(table) < 3:
        return list(table.index)
    values = np.nan_to_num(table.to_numpy(np.float64))
    return [table.index[row] for row in leaves_list(linkage(values, "average", optimal_ordering=True))]


def heat_map(
    table: pd.DataFrame,
    ax: Axes,
    *,
    row: str = "target",
    column: str = "embedding",
    value: str = "value",
    row_order: Sequence[str] | None = None,
    column_order: Sequence[str] | None = None,
    decimals: int = 4,
    limit: float | None = None,
    pale: str | None = None,
    label: str = "",
) -> Axes:
    """Draw a score for every pair of row and column.

    Parameters
    ----------
    table
        Tidy table, one row a cell; at most one row for a pair.
    ax
        Where to draw.
    row, column, value
        Columns of ``table``.
    row_order, column_order
        Order of the labels; rows are put beside similar rows and columns keep their order when absent.
    decimals
        Decimals of the printed values, which go without their leading zero.
    limit
        Value of the strongest colour; the 98th percentile of the absolute values when absent, so that one
        extreme cell does not bleach all others.
    pale
        Column of ``table``, bool: cells that are drawn without their colour, because their value is not known to differ from 0.
    label
        What the colours mean, beside their scale.

    Returns
    -------
    Axes
        ``ax``. Its first collection has one face a cell, row by row from the top.

    Raises
    ------
    InputError
        If there is nothing to draw, or a pair occurs twice.
    """
    if table.empty:
        raise InputError("heat map: the table has no rows")
    if table.duplicated([row, column]).any():
        raise InputError(f"heat map: a pair of {row} and {column} occurs more than once")
    wide = table.pivot(index=row, columns=column, values=value).astype(np.float64)
    wide = wide.reindex(columns=list(column_order or table[column].drop_duplicates()))
    wide = wide.reindex(index=list(row_order or similar_order(wide)))
    values = np.ma.masked_invalid(wide.to_numpy())
    known = np.abs(values.compressed())
    limit = limit or (float(np.quantile(known, 0.98)) if known.size else 0.0) or 1e-3
    colours = diverging_colours().with_extremes(bad=GRID)
    mesh = ax.pcolormesh(values, cmap=colours, vmin=-limit, vmax=limit, edgecolors="white", linewidth=1.0)
    mesh.set_gid("cells")
    faint = np.zeros(values.shape, dtype=bool)
    if pale is not None:
        marked = table.pivot(index=row, columns=column, values=pale)
        faint = marked.reindex(index=wide.index, columns=wide.columns).fillna(False).to_numpy(bool)
        faces = np.asarray(mesh.cmap(mesh.norm(values.ravel())))
        faces[faint.ravel()] = mesh.cmap(0.5)
    for (y, x), number in np.ndenumerate(values.filled(np.nan)):
        strong = abs(number) > 0.55 * limit and not faint[y, x]
        text = NO_VALUE if np.isnan(number) else _compact(number, decimals)
        ax.text(
            x + 0.5,
            y + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if strong else AXIS if faint[y, x] else CELL_TEXT,
        )
    ax.set_xticks(
        np.arange(wide.shape[1]) + 0.5,
        short_labels(list(wide.columns), 26),
        rotation=40,
        ha="left",
        rotation_mode="anchor",
    )
    ax.set_yticks(np.arange(wide.shape[0]) + 0.5, short_labels(list(wide.index)))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(0, wide.shape[1]), ylim=(wide.shape[0], 0))
    for spine in ax.spines.values():
        spine.set_visible(False)
    _colour_bar(ax, mesh, wide.shape, clipped=bool(known.size and known.max() > limit), label=label)
    if pale is not None:
        mesh.set_array(None)  # the scale is drawn; from here on each cell has a colour of its own
        mesh.set_facecolor(faces)  # type: ignore[arg-type]  # an array of colours is one of its forms
    return ax


def _compact(number: float, decimals: int) -> str:
    """Write 0.0184 as ``.0184`` and -0.0041 as ``−.0041``: a cell is narrow."""
    rounded = round(number, decimals)
    sign = "\N{MINUS SIGN}" if rounded < 0 else ""
    return sign + f"{abs(rounded):.{decimals}f}".removeprefix("0")


def _colour_bar(ax: Axes, mesh: Any, shape: tuple[int, int], clipped: bool, label: str) -> None:
    """Lay the scale at the right, 0.14 inch wide and at most 2 inches high, whatever the number of cells."""
    width, height = shape[1] * CELL_INCHES[0], shape[0] * CELL_INCHES[1]
    tall = min(2.0, max(height, 0.6))
    place = ax.inset_axes((1 + 0.25 / width, 1 - tall / height, 0.14 / width, tall / height))
    bar = ax.figure.colorbar(mesh, cax=place, extend="both" if clipped else "neither", extendfrac=0.04)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, length=2)
    if label:
        bar.set_label(label, fontsize=7.5)
