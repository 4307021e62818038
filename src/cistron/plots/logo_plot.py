"""A DNA logo: letters as high as what they are worth, over their places in the genome, with motifs named above."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from cistron.errors import InputError
from cistron.plots.style import AXIS, TEXT, short_labels

COLOURS = {"A": "#2a9d52", "C": "#2c6fbb", "G": "#d9902f", "T": "#c4453c"}
_FONT = FontProperties(family="DejaVu Sans", weight="bold")
_WIDTH = 0.9


def _letter(letter: str, left: float, height: float) -> PathPatch:
    """Draw a letter between 0 and ``height``, upside down where that is negative."""
    path = TextPath((0, 0), letter, size=1, prop=_FONT)
    box = path.get_extents()
    scale = Affine2D().translate(-box.x0, -box.y0).scale(_WIDTH / box.width, height / box.height)
    return PathPatch(
        scale.translate(left + (1 - _WIDTH) / 2, 0).transform_path(path),
        facecolor=COLOURS.get(letter, AXIS),
        linewidth=0,
    )


def logo_plot(
    letters: str,
    values: np.ndarray,
    ax: Axes,
    *,
    start: int = 0,
    chromosome: str = "",
    motifs: pd.DataFrame | None = None,
    label: str = "contribution",
) -> Axes:
    """Draw a logo.

    Parameters
    ----------
    letters
        DNA of the region.
    values
        What each letter is worth, float [base pair].
    ax
        Where to draw.
    start
        Position of the first letter, 0-based; the axis counts from 1.
    chromosome
        For the axis.
    motifs
        ``motif``, ``start``, ``end`` (within the region), ``strand`` of the motifs to name.
    label
        Of the vertical axis.

    Returns
    -------
    Axes
        ``ax``.

    Raises
    ------
    InputError
        If letters and values differ in number, or there are none.
    """
    if len(letters) != len(values) or not letters:
        raise InputError(
            f"logo: {len(letters):,} letters and {len(values):,} values; expected as many of both"
        )
    for place, (letter, value) in enumerate(zip(letters, values)):
        if value != 0 and np.isfinite(value):
            ax.add_patch(_letter(letter, place, float(value)))
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    span = (high - low) or 1.0
    rows = _rows(motifs)
    levels = _levels([row for row, _ in rows])
    for (row, name), level in zip(rows, levels):
        y = high + (0.08 + 0.14 * level) * span
        ax.plot([row.start, row.end], [y, y], color=TEXT, linewidth=1.2, solid_capstyle="butt")
        middle = ((row.start + row.end) / 2, y)
        ax.annotate(
            f"{name} {row.strand}", middle, (0, 2), textcoords="offset points", ha="center", fontsize=7
        )
    ax.set_ylim(low - 0.05 * span, high + max([0.05, *(0.24 + 0.14 * level for level in levels)]) * span)
    ax.set_xlim(0, len(letters))
    ax.axhline(0, color=AXIS, linewidth=0.8)
    ticks = np.linspace(0, len(letters) - 1, min(6, len(letters))).round().astype(int)
    ax.set_xticks(ticks + 0.5, [f"{start + tick + 1:,}" for tick in ticks])
    ax.set_xlabel(f"{chromosome}, position".lstrip(", "))
    ax.set_ylabel(label)
    return ax


def _rows(motifs: pd.DataFrame | None) -> list[tuple]:
    if motifs is None or motifs.empty:
        return []
    return list(zip(motifs.itertuples(), short_labels([str(name) for name in motifs["motif"]], 22)))


def _levels(rows: Sequence) -> list[int]:
    """Give each motif a level, so that names that would touch stand above each other."""
    levels: list[int] = []
    ends: list[float] = []
    for row in rows:
        level = next((number for number, end in enumerate(ends) if row.start > end), len(ends))
        ends[level : level + 1] = [max(row.end, row.start + 18)]
        levels.append(level)
    return levels
