"""The sections of the task ``labels``: finding, how the terms spread, every term, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.evaluation.paired import compare, term_draws
from cistron.evaluation.rivals import RIVAL_NAME
from cistron.plots.box_plot import box_plot
from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.gain_verdict import first_embedding, knows, split_gains, verdict
from cistron.report.page import Section, render
from cistron.report.result import Result

_DRAWS = 500
_TERMS = 400  # rows of the table of terms


def label_sections(result: Result, prefix: str = "labels_") -> list[Section]:
    """Make the sections of one ``cistron evaluate labels`` run.

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
    scores, gains = split_gains(result.scores)
    summary, differences = compare(scores, term_draws(scores, _DRAWS, int(scores["seed"].iloc[0])))
    sections = [_finding(result, summary, differences, _last_gains(gains), prefix)]
    if scores["target"].nunique() > 2:
        sections.append(_spread(scores, list(summary["embedding"]), prefix))
    sections.append(_terms(scores, gains, list(summary["embedding"])))
    kind = str(result.results.get("kind", "member"))
    body = render(
        "labels_method.html",
        kind=kind,
        folds=result.results.get("folds", ""),
        model=str(scores["model"].iloc[0]),
        gains=len(gains) > 0,
    )
    sections.append(Section("method", "How to read these figures", body))
    return sections


def _last_gains(gains: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Gain of each embedding: the mean over its terms, or that of its only term."""
    return {str(name): _plain(rows.iloc[-1]) for name, rows in gains.groupby("embedding", sort=False)}


def _plain(row: pd.Series) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row.items()}


def _finding(
    result: Result,
    summary: pd.DataFrame,
    differences: pd.DataFrame,
    gains: dict[str, dict[str, Any]],
    prefix: str,
) -> Section:
    null = float(result.scores["null_value"].iloc[0])
    metric = "AUROC" if summary["metric"].iloc[0] == "auroc" else "correlation"
    shown = summary.assign(
        knows=[knows(gains.get(str(name))) for name in summary["embedding"]],
        **{name: summary[name] - null for name in ("value", "low", "high", "control_value")},
    ).head(40)
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * len(shown)))
        interval_plot(
            shown,
            figure.add_subplot(),
            filled="knows",
            label=f"{metric} above chance (filled: gains beyond trivial columns; grey cross: permuted control)",
        )
    texts = [
        f"{row.embedding}: {metric} {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in summary.head(40).itertuples()
    ]
    remarks = {f"point-{number}": [text] for number, text in enumerate(texts)}
    drawing = Drawing(f"{prefix}summary", figure, "; ".join(texts), remarks)
    rows = [{**row, "gain": gains.get(str(row["embedding"]))} for row in summary.to_dict("records")]
    trivial = [row for row in rows if str(row["embedding"]).startswith(RIVAL_NAME)]
    first, above = first_embedding(rows)
    best = first["embedding"]
    behind = differences[(differences["first"] == best) & (differences["low"] > 0)]["second"]
    apart = {*behind, best, *(row["embedding"] for row in above)}
    open_ones = [name for name in summary["embedding"] if name not in apart]
    body = render(
        "labels_finding.html",
        metric=metric,
        best=first,
        above=above,
        trivial=trivial[0] if trivial else None,
        verdict=verdict(first["gain"], "these labels"),
        rows=rows,
        open_ones=open_ones,
        several=len(summary) > 1,
        differences=differences[differences["first"] == best].to_dict("records"),
        drawing=drawing,
        coverage=result.results.get("coverage", []),
        null=null,
    )
    return Section("finding", "Finding", body, (drawing,))


def _spread(scores: pd.DataFrame, order: list[str], prefix: str) -> Section:
    table = scores.assign(
        gain=scores["value"] - scores["null_value"],
        gain_control=scores["control_value"] - scores["null_value"],
    )
    shown = order[:14]
    with figure_style():
        figure = Figure(figsize=(7.2, 1.2 + 0.5 * len(shown)))
        box_plot(
            table[table["embedding"].isin(shown)],
            figure.add_subplot(),
            value="gain",
            control="gain_control",
            group_order=shown,
            label="above chance, one point a term",
        )
    drawing = Drawing(f"{prefix}terms", figure, f"Distribution over {scores['target'].nunique()} terms")
    body = render("genesets_drawing.html", drawing=drawing)
    return Section("spread", "How the terms spread", body, (drawing,))


def _terms(scores: pd.DataFrame, gains: pd.DataFrame, order: list[str]) -> Section:
    shown = order[:8]
    own = gains[gains["embedding"].isin(shown)].set_index(["target", "embedding"])
    wide = scores.pivot(index="target", columns="embedding", values="value")[shown]
    members = scores.groupby("target")["n"].max()
    wide = wide.sort_values(shown[0], ascending=False)
    rows = [
        {
            "term": term,
            "n": int(members[term]),
            "values": [
                {
                    "value": None if pd.isna(one) else float(one),
                    "gain": _plain(own.loc[(term, name)]) if (term, name) in own.index else None,
                }
                for name, one in zip(shown, wide.loc[term])
            ],
        }
        for term in wide.index[:_TERMS]
    ]
    body = render(
        "labels_terms.html",
        names=shown,
        rows=rows,
        left_out=len(wide) - len(rows),
        more=order[8:],
        gains=len(own) > 0,
    )
    return Section("terms", "Every term", body)
