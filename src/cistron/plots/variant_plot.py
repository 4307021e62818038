"""Effects of variants along the genome."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cistron.errors import InputError
from cistron.plots.style import AXIS, PALETTE, short_labels


def variant_plot(
    table: pd.DataFrame,
    ax: Axes,
    *,
    value: str = "magnitude",
    limit: float | None = None,
    named: int = 6,
    label: str = "mean |log2 ratio| over tracks",
) -> Axes:
    """Draw one point a variant over its place; chromosomes stand one after the other in the order of the table.

    Parameters
    ----------
    table
        Columns ``chromosome``, ``position`` and ``value``; ``id`` and ``ref``, ``alt`` name the strongest.
    ax
        Where to draw.
    value
        Column of the vertical axis.
    limit
        Where a dashed line stands, for example what 95% of random substitutions stay below.
    named
        Strongest variants that are named.
    label
        Of the vertical axis.

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
        raise InputError("variants: the table has no rows")
    names = list(dict.fromkeys(table["chromosome"]))
    one = len(names) == 1
    place = table["position"].to_numpy(np.float64) / (1e6 if one else 1)
    if not one:
        codes = pd.Categorical(table["chromosome"], names).codes
        spans = pd.Series(place).groupby(codes).agg(["min", "max"])
        widths = (spans["max"] - spans["min"]).to_numpy() + 1
        gap = 0.02 * widths.sum()
        offsets = np.concatenate([[0], np.cumsum(widths + gap)[:-1]]) - spans["min"].to_numpy()
        place = place + offsets[codes]
        middles = offsets + spans.mean(axis=1).to_numpy()
        ax.set_xticks(middles, names, rotation=45 if len(names) > 6 else 0)
    colours = [PALETTE[names.index(name) % 2] for name in table["chromosome"]]
    points = ax.scatter(place, table[value], s=14, c=colours, alpha=0.8, linewidth=0, zorder=3)
    points.set_gid("points")
    if limit is not None:
        ax.axhline(limit, color=AXIS, linestyle="--", linewidth=0.9, zorder=2)
    strongest = np.argsort(-table[value].to_numpy())[:named]
    words = [
        row.id if row.id not in (".", "") else f"{row.position:,} {row.ref}>{row.alt}"
        for row in table.iloc[strongest].itertuples()
    ]
    taken: list[tuple[float, float]] = []
    span = (np.ptp(place) or 1.0, float(table[value].max()) or 1.0)
    for row, word in zip(strongest, short_labels(words, 18), strict=True):
        x, y = float(place[row]), float(table[value].iloc[row])
        if any(abs(x - a) < 0.18 * span[0] and abs(y - b) < 0.06 * span[1] for a, b in taken):
            continue
        taken.append((x, y))
        right = x > place.min() + 0.75 * span[0]
        ax.annotate(
            word,
            (x, y),
            (-5 if right else 5, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7,
        )
    ax.set_xlabel(f"{names[0]}, position in Mb" if one else "")
    ax.set_ylabel(label)
    ax.set_ylim(bottom=0)
    return ax
