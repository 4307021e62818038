"""Stated probability against observed share, one line a network."""

import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, short_labels


def calibration_plot(table: pd.DataFrame, ax: Axes, *, least: int = 5) -> Axes:
    """Draw calibration curves; points on the diagonal are well calibrated.

    Parameters
    ----------
    table
        Columns ``network, stated, observed, n``.
    ax
        Where to draw.
    least
        Bins with fewer edges are left out: they say nothing.

    Returns
    -------
    Axes
        ``ax``. The points of network number ``i`` have the gid ``curve-i``.

    Raises
    ------
    InputError
        If no bin is left.
    """
    table = table[table["n"] >= least]
    if table.empty:
        raise InputError(f"calibration plot: no bin holds {least} edges")
    ax.plot([0, 1], [0, 1], color=AXIS, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0.5)
    names = list(dict.fromkeys(table["network"]))
    for position, (name, label) in enumerate(zip(names, short_labels(names))):
        rows = table[table["network"] == name].sort_values("stated")
        colour = PALETTE[position % len(PALETTE)]
        ax.plot(rows["stated"], rows["observed"], color=colour, linewidth=1.6, label=label)
        points = ax.scatter(rows["stated"], rows["observed"], s=24, color=colour, linewidth=0, zorder=3)
        points.set_gid(f"curve-{position}")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.grid(True)
    ax.set_xlabel("stated probability")
    ax.set_ylabel("share of true edges")
    ax.legend(frameon=False, loc="upper left")
    return ax
