"""The sections of the task ``sldp``: a forest of annotations, all of them as a table, how to read them."""

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_FOREST = 30
_LISTED = 500


def sldp_sections(result: Result, prefix: str = "sldp_") -> list[Section]:
    """Make the sections of one ``cistron evaluate sldp`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores.sort_values("p_value", kind="stable")
    traits = list(dict.fromkeys(scores["target"]))
    drawings = [
        _forest(scores[scores["target"] == trait], trait, f"{prefix}forest{number}")
        for number, trait in enumerate(traits, 1)
    ]
    table = result.table(
        "annotations.parquet",
        ("trait", "scores", "annotation"),
        ("correlation", "z", "p_value", "q_value", "control"),
    )
    rows = (
        []
        if table is None
        else table.dropna(subset=["correlation"]).sort_values("p_value").to_dict("records")
    )
    words = {
        "drawings": drawings,
        "facts": result.results,
        "best": scores.iloc[0].to_dict(),
        "traits": traits,
        "small": int((scores["p_value"] < 0.05).sum()),
        "tested": len(scores),
        "sure": sum(row["q_value"] < 0.05 for row in rows),
        "rows": rows[:_LISTED],
        "more": max(0, len(rows) - _LISTED),
    }
    return [
        Section("finding", "Do the signs agree?", render("sldp_finding.html", **words), tuple(drawings)),
        Section("annotations", "Each annotation", render("sldp_annotations.html", **words)),
        Section("method", "How to read these figures", render("sldp_method.html", **words)),
    ]


def _forest(rows: pd.DataFrame, trait: str, name: str) -> Drawing:
    shown = rows.head(_FOREST)
    several = shown["embedding"].nunique() > 1
    shown = shown.assign(
        label=(shown["embedding"] + ", " if several else "") + shown["stratum"].str.removeprefix("sad:")
    ).sort_values("value", ascending=False)
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.28 * len(shown)), layout="constrained")
        ax = figure.subplots()
        interval_plot(
            shown,
            ax,
            row="label",
            label="functional correlation (grey cross: a random sign for each variant)",
        )
        ax.set_title(trait, fontsize=9, loc="left")
    words = "; ".join(
        f"{row.label} {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in shown.head(10).itertuples()
    )
    return Drawing(name, figure, f"{trait}, annotations with the smallest p-values: {words}")
