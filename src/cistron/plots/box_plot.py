"""Box plots of a score, one box a group, with every point and the negative control beside it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, CONTROL, PALETTE, TEXT, short_labels

_SEED = 20  # of the sideways scatter of the points, which carries no meaning


def box_plot(
    table: pd.DataFrame,
    ax: Axes,
    *,
    group: str = "embedding",
    value: str = "value",
    control: str | None = "control_value",
    group_order: Sequence[str] | None = None,
    label: str = "ΔR²",
) -> Axes:
    """Draw one horizontal box a group; names of any length stay readable that way.

    Parameters
    ----------
    table
        Tidy table, one row a point.
    ax
        Where to draw.
    group, value
        Columns of ``table``.
    control
        Column with the same score of the negative control, drawn as a grey box below; ``None`` for no control.
    group_order
        Order from the top; by falling median when absent.
    label
        Name of the score on the axis.

    Returns
    -------
    Axes
        ``ax``. The points of group number ``i`` have the gid ``points-i``, in the order of the table.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("box plot: the table has no rows")
    medians = table.groupby(group, sort=False)[value].median().sort_values(ascending=False)
    groups = list(group_order if group_order is not None else medians.index)
    has_control = control is not None and control in table and bool(table[control].notna().any())
    jitter = np.random.default_rng(_SEED)
    ax.axvline(0, color=AXIS, linewidth=0.9, zorder=0.5)
    for number, name in enumerate(groups):
        rows = table[table[group] == name]
        colour = PALETTE[number % len(PALETTE)]
        _box(ax, rows[value], number - (0.14 if has_control else 0), 0.38, colour)
        height = number - (0.14 if has_control else 0) + jitter.uniform(-0.13, 0.13, len(rows))
        points = ax.scatter(rows[value], height, s=13, color=colour, alpha=0.75, linewidth=0, zorder=3)
        points.set_gid(f"points-{number}")
        if has_control and control is not None:
            _box(ax, rows[control], number + 0.25, 0.16, CONTROL)
    ax.set_yticks(range(len(groups)), short_labels(groups))
    ax.set_ylim(len(groups) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel(f"{label} (coloured: the embedding; grey: its permuted control)" if has_control else label)
    return ax


def _box(ax: Axes, values: pd.Series, position: float, width: float, colour: str) -> None:
    values = values.dropna()
    if values.empty:
        return
    ax.boxplot(
        [values.to_numpy()],
        positions=[position],
        widths=[width],
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.22, "edgecolor": colour, "linewidth": 1.0},
        medianprops={"color": TEXT, "linewidth": 1.6},
        whiskerprops={"color": colour, "linewidth": 1.0},
        capprops={"linewidth": 0},
        zorder=2,
    )
