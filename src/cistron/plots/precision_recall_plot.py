"""Precision over recall, one line a method."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, short_labels


def precision_recall_plot(
    table: pd.DataFrame,
    ax: Axes,
    *,
    line: str = "embedding",
    chance: float | None = None,
    colours: Sequence[str] = PALETTE,
) -> Axes:
    """Draw a line a method.

    Parameters
    ----------
    table
        Columns ``recall``, ``precision`` and ``line``.
    ax
        Where to draw.
    line
        Column that divides the table.
    chance
        Share of positives, drawn as a dashed line.
    colours
        Colours of the lines, in order of their first row.

    Returns
    -------
    Axes
        ``ax``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("precision and recall: the table has no rows")
    names = list(dict.fromkeys(table[line]))
    for number, (name, label) in enumerate(zip(names, short_labels([str(name) for name in names], 34))):
        rows = table[table[line] == name]
        ax.step(
            rows["recall"],
            rows["precision"],
            where="post",
            color=colours[number % len(colours)],
            linewidth=1.4,
            label=label,
        )
    if chance is not None:
        ax.axhline(chance, color=AXIS, linestyle="--", linewidth=0.9, label="chance")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("recall")
    ax.set_ylabel("precision")
    ax.legend(frameon=False, fontsize=7, loc="upper right")
    return ax
