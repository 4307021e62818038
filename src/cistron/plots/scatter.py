"""Full model against null model, one point a target."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, short_labels


def common_limits(table: pd.DataFrame, null: str = "null_value", full: str = "value") -> tuple[float, float]:
    """Give one range for both axes of all panels, 6% wider than the values.

    Parameters
    ----------
    table
        One row a point.
    null, full
        Columns of the horizontal and of the vertical axis.
    """
    values = table[[null, full]].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.01
    return min(low - margin, 0.0), high + margin


def full_against_null(
    table: pd.DataFrame,
    ax: Axes,
    *,
    null: str = "null_value",
    full: str = "value",
    target: str = "target",
    colour: str = PALETTE[0],
    limits: tuple[float, float] | None = None,
    named: int = 3,
    score: str = "R²",
) -> Axes:
    """Draw the score of the full model over that of the null model; above the diagonal the embedding helps.

    Parameters
    ----------
    table
        Tidy table, one row a target.
    ax
        Where to draw; both axes get the same scale.
    null, full, target
        Columns of ``table``.
    colour
        Colour of the points.
    limits
        Range of both axes; that of the table when absent.
    named
        Number of targets that are named in the panel: those with the largest gain whose names do not overlap.
    score
        Name of the score.

    Returns
    -------
    Axes
        ``ax``. The points have the gid ``points``, in the order of the table.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("scatter: the table has no rows")
    low, high = limits or common_limits(table, null, full)
    ax.plot([low, high], [low, high], color=AXIS, linewidth=0.9, zorder=1)
    points = ax.scatter(table[null], table[full], s=20, color=colour, alpha=0.8, linewidth=0, zorder=3)
    points.set_gid("points")
    best = _to_name(table, null, full, named, high - low)
    for label, (_, row) in zip(short_labels(list(best[target]), 20), best.iterrows(), strict=True):
        right = row[null] > low + 0.55 * (high - low)
        ax.annotate(
            label,
            (row[null], row[full]),
            xytext=(-5 if right else 5, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
        )
    ax.set_aspect("equal")
    ax.set(xlim=(low, high), ylim=(low, high))
    ax.set_xlabel(f"{score}, covariates only")
    ax.set_ylabel(f"{score}, with the embedding")
    ax.grid()
    ax.locator_params(nbins=5)
    return ax


def _to_name(table: pd.DataFrame, null: str, full: str, number: int, span: float) -> pd.DataFrame:
    """Pick the rows to name, largest gain first, without names that would overlap."""
    gain = (table[full] - table[null]).dropna()
    kept: list[object] = []
    for index in gain[gain > 0].sort_values(ascending=False).index:
        x, y = table.at[index, null], table.at[index, full]
        free = all(
            abs(y - table.at[other, full]) > 0.055 * span or abs(x - table.at[other, null]) > 0.6 * span
            for other in kept
        )
        if free:
            kept.append(index)
        if len(kept) == number:
            break
    return table.loc[kept]
