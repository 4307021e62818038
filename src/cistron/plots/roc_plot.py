"""ROC curves: true positives over false positives, one line a method."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, short_labels


def roc_plot(
    table: pd.DataFrame,
    ax: Axes,
    *,
    line: str = "embedding",
    colours: Sequence[str] = PALETTE,
    legend: bool = True,
) -> Axes:
    """Draw a line a method, and the diagonal of chance.

    Parameters
    ----------
    table
        Columns ``false_positives`` and ``true_positives`` (shares, ascending) and ``line``.
    ax
        Where to draw.
    line
        Column that divides the table.
    colours
        Colours of the lines, in order of their first row.
    legend
        Name the lines in the panel.

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
        raise InputError("ROC curve: the table has no rows")
    ax.plot([0, 1], [0, 1], color=AXIS, linestyle="--", linewidth=0.9)
    names = list(dict.fromkeys(table[line]))
    for number, (name, label) in enumerate(zip(names, short_labels([str(name) for name in names], 30))):
        rows = table[table[line] == name]
        ax.plot(
            rows["false_positives"],
            rows["true_positives"],
            color=colours[number % len(colours)],
            linewidth=1.3,
            label=label,
        )
    ax.set(xlim=(0, 1), ylim=(0, 1.01))
    ax.set_aspect("equal")
    if legend:
        ax.legend(frameon=False, fontsize=7, loc="lower right")
    return ax
