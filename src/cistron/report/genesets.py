"""The sections of the task ``genesets``: finding, how the sets spread, best and worst sets, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.box_plot import box_plot
from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_SHOWN = 15
_METRICS = {"auroc": "AUROC", "auprc": "AUPRC"}


def gene_set_sections(result: Result, prefix: str = "genesets_") -> list[Section]:
    """Make the sections of one ``cistron evaluate genesets`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.

    Returns
    -------
    list of Section
        In reading order.
    """
    scores = result.scores
    strata = list(dict.fromkeys(scores["stratum"]))
    # Where embeddings cover different genes, they are compared on those that all cover.
    stratum = "shared genes" if "shared genes" in strata else strata[0]
    chosen = scores[(scores["stratum"] == stratum) & (scores["metric"] == "auroc")]
    is_median = chosen["target"].str.startswith("median of")
    sets, medians = chosen[~is_median], chosen[is_median]
    ranked = (medians if len(medians) else sets).sort_values("value", ascending=False)
    sections = [_finding(result, ranked, stratum, prefix)]
    if len(medians):
        sections.append(_spread(sets, list(ranked["embedding"]), prefix))
    sections.append(_extremes(sets, str(ranked["embedding"].iloc[0])))
    sections.append(Section("method", "How to read these figures", render("genesets_method.html")))
    return sections


def _finding(result: Result, ranked: pd.DataFrame, stratum: str, prefix: str) -> Section:
    shown = ranked.assign(
        label=ranked["embedding"] if ranked["target"].nunique() == 1 else ranked["embedding"] + ": " + ranked["target"],
        gain=ranked["value"] - 0.5,
        gain_low=ranked["low"] - 0.5,
        gain_high=ranked["high"] - 0.5,
        gain_control=ranked["control_value"] - 0.5,
    ).head(40)  # fmt: skip
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * len(shown)))
        interval_plot(
            shown, figure.add_subplot(), row="label", low="gain_low", high="gain_high", value="gain",
            control="gain_control", label="AUROC above chance (grey cross: permuted control)",
        )  # fmt: skip
    description = "; ".join(
        f"{row.label}: AUROC {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in shown.itertuples()
    )
    drawing = Drawing(f"{prefix}summary", figure, description)
    best = ranked.iloc[0]
    precision = result.scores[
        (result.scores["metric"] == "auprc") & (result.scores["stratum"] == stratum)
    ].set_index(["embedding", "target"])
    rows = [
        {**_plain(row), "auprc": _plain(precision.loc[(row["embedding"], row["target"])])}
        for _, row in ranked.iterrows()
    ]
    body = render(
        "genesets_finding.html",
        best=_plain(best),
        rows=rows,
        drawing=drawing,
        stratum=stratum,
        coverage=result.results.get("coverage", []),
    )
    return Section("finding", "Finding", body, (drawing,))


def _spread(sets: pd.DataFrame, order: list[str], prefix: str) -> Section:
    table = sets.assign(gain=sets["value"] - 0.5, gain_control=sets["control_value"] - 0.5)
    with figure_style():
        figure = Figure(figsize=(7.2, 1.2 + 0.5 * len(order)))
        box_plot(
            table, figure.add_subplot(), value="gain", control="gain_control", group_order=order,
            label="AUROC above chance, one point a set",
        )  # fmt: skip
    drawing = Drawing(
        f"{prefix}sets", figure, f"Distribution of AUROC over {sets['target'].nunique()} gene sets"
    )
    return Section(
        "spread", "How the sets spread", render("genesets_drawing.html", drawing=drawing), (drawing,)
    )


def _extremes(sets: pd.DataFrame, best: str) -> Section:
    own = sets[sets["embedding"] == best].sort_values("value", ascending=False)
    few = len(own) <= 2 * _SHOWN
    parts = (
        {"All sets": own}
        if few
        else {"Best predicted": own.head(_SHOWN), "Worst predicted": own.tail(_SHOWN)}
    )
    tables = {title: [_plain(row) for _, row in part.iterrows()] for title, part in parts.items()}
    return Section("sets", f"Sets of {best}", render("genesets_sets.html", tables=tables))


def _plain(row: pd.Series) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row.items()}
