"""The sections of the task ``genesets``: finding, how the sets spread, best and worst sets, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.evaluation.rivals import RIVAL_NAME
from cistron.plots.box_plot import box_plot
from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.gain_verdict import first_embedding, knows, verdict
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
    best, _ = first_embedding(ranked.to_dict("records"))
    gains = _lookup(scores, "gain_auroc", stratum)
    sections.append(_extremes(sets, str(best["embedding"]), gains))
    sections.append(Section("method", "How to read these figures", render("genesets_method.html")))
    return sections


def _finding(result: Result, ranked: pd.DataFrame, stratum: str, prefix: str) -> Section:
    gains = _lookup(result.scores, "gain_auroc", stratum)
    precision = _lookup(result.scores, "auprc", stratum)
    rows = []
    for _, row in ranked.iterrows():
        key = (row["embedding"], row["target"])
        gain = _plain(gains.loc[key]) if key in gains.index else None
        rows.append({**_plain(row), "auprc": _plain(precision.loc[key]), "gain": gain, "knows": knows(gain)})
    shown = ranked.assign(
        label=ranked["embedding"] if ranked["target"].nunique() == 1 else ranked["embedding"] + ": " + ranked["target"],
        gain=ranked["value"] - 0.5,
        gain_low=ranked["low"] - 0.5,
        gain_high=ranked["high"] - 0.5,
        gain_control=ranked["control_value"] - 0.5,
        knows=[row["knows"] for row in rows],
    ).head(40)  # fmt: skip
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * len(shown)))
        interval_plot(
            shown, figure.add_subplot(), row="label", low="gain_low", high="gain_high", value="gain",
            control="gain_control", filled="knows",
            label="AUROC above chance (filled: gains beyond trivial columns; grey cross: permuted control)",
        )  # fmt: skip
    description = "; ".join(
        f"{row.label}: AUROC {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in shown.itertuples()
    )
    drawing = Drawing(f"{prefix}summary", figure, description)
    best, above = first_embedding(rows)
    body = render(
        "genesets_finding.html",
        best=best,
        above=above,
        verdict=verdict(best["gain"], "these sets"),
        rival=next((row for row in rows if str(row["embedding"]).startswith(RIVAL_NAME)), None),
        rows=rows,
        drawing=drawing,
        stratum=stratum,
        coverage=result.results.get("coverage", []),
    )
    return Section("finding", "Finding", body, (drawing,))


def _lookup(scores: pd.DataFrame, metric: str, stratum: str) -> pd.DataFrame:
    rows = scores[(scores["metric"] == metric) & (scores["stratum"] == stratum)]
    return rows.set_index(["embedding", "target"])


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


def _extremes(sets: pd.DataFrame, best: str, gains: pd.DataFrame) -> Section:
    own = sets[sets["embedding"] == best].sort_values("value", ascending=False)
    few = len(own) <= 2 * _SHOWN
    parts = (
        {"All sets": own}
        if few
        else {"Best predicted": own.head(_SHOWN), "Worst predicted": own.tail(_SHOWN)}
    )
    tables = {}
    for title, part in parts.items():
        keys = [(best, target) for target in part["target"]]
        tables[title] = [
            {**_plain(row), "gain": _plain(gains.loc[key]) if key in gains.index else None}
            for key, (_, row) in zip(keys, part.iterrows())
        ]
    return Section("sets", f"Sets of {best}", render("genesets_sets.html", tables=tables))


def _plain(row: pd.Series) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row.items()}
