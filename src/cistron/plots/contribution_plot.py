"""Contributions of elements to a gene, over their distance to the start site."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, CONTROL, PALETTE


def contribution_plot(
    elements: pd.DataFrame,
    ax: Axes,
    *,
    places: pd.DataFrame | None = None,
    colour: str = PALETTE[0],
    label: str = "score",
) -> Axes:
    """Draw one point an element.

    Parameters
    ----------
    elements
        Columns ``distance`` (base pairs) and ``score``.
    ax
        Where to draw.
    places
        The same of random places, drawn in grey below.
    colour
        Colour of the elements.
    label
        Of the vertical axis.

    Returns
    -------
    Axes
        ``ax``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if elements.empty:
        raise InputError("contributions: the table has no rows")
    if places is not None and len(places):
        ax.scatter(
            places["distance"].astype(float) / 1000,
            places["score"],
            s=8,
            color=CONTROL,
            alpha=0.5,
            linewidth=0,
        )
    ax.scatter(
        elements["distance"].astype(float) / 1000,
        elements["score"],
        s=14,
        color=colour,
        alpha=0.8,
        linewidth=0,
    )
    ax.axhline(0, color=AXIS, linewidth=0.8, zorder=0.5)
    ax.set_xlabel("distance to the start site, kb")
    ax.set_ylabel(label)
    return ax


def locus_plot(elements: pd.DataFrame, ax: Axes, *, methods: tuple[str, ...], width: float = 2000.0) -> Axes:
    """Draw the elements of one gene along the genome: one row a method, bars as high as the share of the largest score.

    Parameters
    ----------
    elements
        Columns ``start``, ``end``, ``start_site``, ``method``, ``score``.
    ax
        Where to draw.
    methods
        Methods, from the top.
    width
        Least width of a bar, base pairs.

    Returns
    -------
    Axes
        ``ax``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if elements.empty:
        raise InputError("locus: the table has no rows")
    site = float(elements["start_site"].iloc[0])
    for number, method in enumerate(methods):
        own = elements[elements["method"] == method]
        base = len(methods) - 1 - number
        scores = own["score"].to_numpy(np.float64)
        top = np.nanmax(np.abs(scores)) if np.isfinite(scores).any() else 1.0
        middle = ((own["start"] + own["end"]) / 2).to_numpy(np.float64) - site
        ax.bar(
            middle / 1000,
            0.85 * np.nan_to_num(scores) / (top or 1.0),
            width=width / 1000,
            bottom=base,
            color=PALETTE[number % len(PALETTE)],
        )
        ax.axhline(base, color=AXIS, linewidth=0.8)
    ax.axvline(0, color=AXIS, linestyle="--", linewidth=0.9)
    ax.set_yticks([len(methods) - 0.6 - number for number in range(len(methods))], list(methods))
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("kb from the start site")
    return ax
