"""The sections of the task ``enhancers``: precision and recall, distance bins, how to read them."""

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.precision_recall_plot import precision_recall_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_POINTS = 400  # of a line: more are not seen


def enhancer_sections(result: Result, prefix: str = "enhancers_") -> list[Section]:
    """Make the sections of one ``cistron evaluate enhancers`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores
    average = scores[scores["metric"] == "average_precision"]
    whole = average[average["stratum"] == "all"].sort_values("value", ascending=False)
    curves = result.table("curves.parquet", ("embedding",), ("recall", "precision"))
    chance = float(average[average["embedding"] == "random"]["value"].iloc[0])
    drawings = []
    if curves is not None:
        curves = curves.astype({"embedding": str})
        thin = pd.concat(
            [
                rows.iloc[:: max(1, len(rows) // _POINTS)]
                for _, rows in curves.groupby("embedding", sort=False)
            ]
        )
        with figure_style():
            figure = Figure(figsize=(5.2, 4.0), layout="constrained")
            precision_recall_plot(thin, figure.subplots(), chance=chance)
        spoken = "; ".join(
            f"{row.embedding}: average precision {row.value:.3f}" for row in whole.itertuples()
        )
        drawings.append(
            Drawing(f"{prefix}precision_recall", figure, f"Precision over recall of all pairs. {spoken}")
        )
    shown = whole[whole["embedding"] != "random"]
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.36 * len(shown)), layout="constrained")
        interval_plot(
            shown,
            figure.subplots(),
            label="average precision (grey cross: scores permuted among pairs of like distance)",
        )
    described = "; ".join(
        f"{row.embedding} {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in shown.itertuples()
    )
    drawings.append(Drawing(f"{prefix}intervals", figure, described))
    gains = scores[(scores["metric"] == "average_precision_gain") & (scores["stratum"] == "all")]
    strata = [name for name in dict.fromkeys(average["stratum"]) if name != "all"]
    words = {
        "drawings": drawings,
        "rows": whole.to_dict("records"),
        "gains": gains.to_dict("records"),
        "facts": result.results,
        "chance": chance,
        "strata": [(name, average[average["stratum"] == name].to_dict("records")) for name in strata],
    }
    return [
        Section(
            "finding",
            "Which elements regulate which genes",
            render("enhancers_finding.html", **words),
            tuple(drawings),
        ),
        Section("strata", "By distance, data set and cell type", render("enhancers_strata.html", **words)),
        Section("method", "How to read these figures", render("enhancers_method.html", **words)),
    ]
