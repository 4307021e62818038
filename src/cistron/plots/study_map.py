"""The picture of a study: embeddings x tasks, colour by gain, with marks for what is no more than its control and for the best."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cistron.errors import InputError
from cistron.plots.heat_map import CELL_TEXT
from cistron.plots.style import GRID, NO_VALUE, TEXT, diverging_colours, short_labels

LIMIT = 8.0  # standard errors of the strongest colour


def study_map(
    table: pd.DataFrame, ax: Axes, *, row_order: Sequence[str], column_order: Sequence[str]
) -> Axes:
    """Draw a cell for every embedding and task.

    Parameters
    ----------
    table
        One row a cell: ``embedding, task, value, gain, beats_control, best``; ``gain`` in standard errors. With ``beyond`` and
        ``knows`` a diamond stands where a cell was compared with trivial columns, filled where it gains beyond them.
    ax
        Where to draw.
    row_order, column_order
        Embeddings and tasks.

    Returns
    -------
    Axes
        ``ax``. Its first collection has one face a cell, row by row from the top.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("study map: the table has no rows")
    wide = {
        name: table.pivot(index="embedding", columns="task", values=name).reindex(
            index=list(row_order), columns=list(column_order)
        )
        for name in ("gain", "value", "beats_control", "best", "beyond", "knows")
        if name in table
    }
    gain = wide["gain"].to_numpy(np.float64)
    colours = diverging_colours().with_extremes(bad=GRID)
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(gain), cmap=colours, vmin=-LIMIT, vmax=LIMIT, edgecolors="white", linewidth=1.5
    )
    mesh.set_gid("cells")
    for (y, x), one in np.ndenumerate(gain):
        value = wide["value"].iat[y, x]
        known = pd.notna(value)
        strong = known and abs(one) > 0.55 * LIMIT
        colour = "white" if strong else CELL_TEXT
        text = NO_VALUE if not known else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8.5, color=colour)
        if known and not bool(wide["beats_control"].iat[y, x]):
            ax.plot(x + 0.9, y + 0.2, marker="o", markersize=4, color=colour, linestyle="none")
        if known and "knows" in wide and pd.notna(wide["beyond"].iat[y, x]):
            face = colour if bool(wide["knows"].iat[y, x]) else "none"
            ax.plot(
                x + 0.1,
                y + 0.2,
                marker="D",
                markersize=4,
                color=colour,
                markerfacecolor=face,
                linestyle="none",
            )
        if known and wide["best"].iat[y, x] is not None and bool(wide["best"].iat[y, x]):
            ax.add_patch(
                Rectangle((x + 0.04, y + 0.05), 0.92, 0.9, fill=False, edgecolor=TEXT, linewidth=1.6)
            )
    rows, columns = gain.shape
    ax.set_xticks(np.arange(columns) + 0.5, short_labels(list(column_order), 20), rotation=30, ha="left")
    ax.set_yticks(np.arange(rows) + 0.5, short_labels(list(row_order), 26))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(0, columns), ylim=(rows, 0))
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax
