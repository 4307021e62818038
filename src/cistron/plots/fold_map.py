"""Chromosomes as bars, coloured by the fold that their sequences belong to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cistron.errors import InputError
from cistron.plots.style import GRID, PALETTE


def fold_map(
    table: pd.DataFrame, ax: Axes, *, folds: Sequence[str], chromosomes: int = 24, joined: int = 250_000
) -> Axes:
    """Draw the longest chromosomes, one bar each, with the stretches of every fold.

    Parameters
    ----------
    table
        ``chromosome``, ``start``, ``end``, ``fold``.
    ax
        Where to draw.
    folds
        Names of the folds, in the order of their colours.
    chromosomes
        Number of chromosomes that are shown.
    joined
        Sequences of a fold that are closer than this (base pairs) are drawn as one stretch.

    Returns
    -------
    Axes
        ``ax``. The stretches of fold number ``i`` have the gid ``fold-i``.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if table.empty:
        raise InputError("fold map: the table has no rows")
    ends = table.groupby("chromosome", sort=False)["end"].max()
    longest = set(ends.nlargest(chromosomes).index)
    shown = sorted((str(name) for name in longest), key=_rank)
    for place, name in enumerate(shown):
        ax.broken_barh([(0, ends[name] / 1e6)], (place - 0.36, 0.72), facecolor=GRID, linewidth=0)
    for number, fold in enumerate(folds):
        colour = PALETTE[number % len(PALETTE)]
        for place, name in enumerate(shown):
            rows = table[(table["chromosome"] == name) & (table["fold"] == fold)].sort_values("start")
            if not len(rows):
                continue
            start, end = rows["start"].to_numpy(), np.maximum.accumulate(rows["end"].to_numpy())
            new = np.r_[True, start[1:] - end[:-1] > joined]
            last = np.r_[np.flatnonzero(new)[1:] - 1, len(start) - 1]
            stretches = [(low / 1e6, (high - low) / 1e6) for low, high in zip(start[new], end[last])]
            bars = ax.broken_barh(stretches, (place - 0.36, 0.72), facecolor=colour, linewidth=0)
            bars.set_gid(f"fold-{number}-{place}")
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("position, Mb")
    handles = [Patch(color=PALETTE[n % len(PALETTE)], label=fold) for n, fold in enumerate(folds)]
    ax.legend(handles=handles, loc="lower right", frameon=False, ncols=2 if len(folds) > 4 else 1)
    return ax


def _rank(name: str) -> tuple[int, str]:
    digits = "".join(letter for letter in name if letter.isdigit())
    return (int(digits), name) if digits else (1000, name)
