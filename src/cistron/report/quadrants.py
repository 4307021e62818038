"""One picture of a comparison: every row in every quadrant of the split, by three families of correlation."""

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import PALETTE, TEXT, figure_style
from cistron.report.drawing import Drawing
from cistron.report.expression import SHOWN

_ENDS = ("value", "low", "high", "control_value")


def quadrant_drawing(scores: pd.DataFrame, level: str = "cells", name: str = "quadrants") -> Drawing:
    """Draw intervals of all rows: quadrants side by side, measures below each other.

    Parameters
    ----------
    scores
        Scores of ``evaluate expression``.
    level
        ``cells``, ``cell types`` or ``pseudobulks``.
    name
        File name without suffix.

    Returns
    -------
    Drawing
        Rows that are undefined in a quadrant (one-hot rows and means of genes never seen) are named so there.
    """
    rows = scores[(scores["target"] == level) & scores["metric"].isin(list(SHOWN))]
    rows = rows[~rows["stratum"].str.contains("validation") & ~rows["embedding"].isin(["ceiling"])]
    strata = sorted(
        set(rows["stratum"]), key=lambda text: ("unseen genes" not in text, "unseen cell" not in text)
    )
    names = [name for name in dict.fromkeys(scores["embedding"]) if name not in ("null", "ceiling")] + [
        "null"
    ]
    words = []
    with figure_style():
        figure = Figure(figsize=(2.2 + 2.5 * len(strata), len(SHOWN) * (0.27 * len(names) + 0.75)))
        grid = figure.subplots(len(SHOWN), len(strata), squeeze=False, sharex="row")
        for number_of_line, (line, (metric, heading)) in enumerate(zip(grid, SHOWN.items())):
            for column, (axes, stratum) in enumerate(zip(line, strata)):
                own = rows[(rows["metric"] == metric) & (rows["stratum"] == stratum)].set_index("embedding")
                table = own[list(_ENDS)].astype(float).reindex(names).rename_axis("embedding").reset_index()
                interval_plot(table, axes, label=f"Pearson r {heading}", printed=False, colours=PALETTE)
                for number, value in enumerate(table["value"]):
                    if pd.isna(value):
                        axes.text(
                            0.02, number, "undefined", transform=axes.get_yaxis_transform(),
                            fontsize=7.5, va="center", color=TEXT,
                        )  # fmt: skip
                    else:
                        words.append(f"{names[number]}, {stratum}, {heading}: {value:.3f}")
                if column:
                    axes.set_yticklabels([])
                if number_of_line == 0:
                    axes.set_title(stratum.replace(", ", ",\n"), fontsize=9)
        figure.subplots_adjust(wspace=0.08, hspace=0.45)
    return Drawing(name, figure, f"Correlations by quadrant ({level}). {'; '.join(words)}")
