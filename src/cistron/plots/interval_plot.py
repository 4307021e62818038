"""Interval (forest) plot: value, interval and negative control of each row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, CONTROL, PALETTE, short_labels, signed


def interval_plot(
    table: pd.DataFrame,
    ax: Axes,
    *,
    row: str = "embedding",
    value: str = "value",
    low: str = "low",
    high: str = "high",
    control: str | None = "control_value",
    colours: Sequence[str] = PALETTE,
    label: str = "ΔR²",
    printed: bool = True,
    filled: str | None = None,
) -> Axes:
    """Draw one line a row, in the order of the table from the top.

    Parameters
    ----------
    table
        Tidy table, one row a line. Missing ends of an interval leave the point alone.
    ax
        Where to draw.
    row, value, low, high
        Columns of ``table``.
    control
        Column with the same score of the negative control, drawn as a grey cross; ``None`` for no control.
    colours
        Colours of the rows, used in turn.
    label
        Name of the score on the axis.
    printed
        Print the values at the right.
    filled
        Column that says whether the point is filled, bool; the others are open. All are filled when absent.

    Returns
    -------
    Axes
        ``ax``. The point of row number ``i`` has the gid ``point-i``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("interval plot: the table has no rows")
    ax.axvline(0, color=AXIS, linewidth=0.9, zorder=0.5)
    for number, (_, line) in enumerate(table.iterrows()):
        colour = colours[number % len(colours)]
        if np.isfinite(line[low]) and np.isfinite(line[high]):
            ax.plot(
                [line[low], line[high]], [number, number], color=colour, linewidth=2.2, solid_capstyle="butt"
            )
        solid = filled is None or bool(line[filled])
        face = {"color": colour, "linewidth": 0} if solid else {"facecolor": "white", "edgecolor": colour}
        point = ax.scatter([line[value]], [number], s=38, zorder=3, **face)
        point.set_gid(f"point-{number}")
        if control is not None and control in table and np.isfinite(line[control]):
            ax.scatter([line[control]], [number], s=26, color=CONTROL, marker="x", linewidth=1.4, zorder=2)
        if printed:
            ax.annotate(
                signed(line[value]),
                (1, number),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
    ax.set_yticks(range(len(table)), short_labels(list(table[row])))
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel(label)
    return ax
