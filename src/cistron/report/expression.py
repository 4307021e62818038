"""The sections of the task ``expression``: finding by evidence, quadrants, differences, genes, all scores, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.evaluation.expression import METRICS, TABLES, headline, scored_strata
from cistron.evaluation.rivals import RIVAL_NAME
from cistron.plots.box_plot import box_plot
from cistron.plots.heat_map import CELL_INCHES, heat_map
from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import figure_style, signed
from cistron.report.drawing import Drawing
from cistron.report.expression_strata import strata_section
from cistron.report.page import Section, fixed, render
from cistron.report.result import Result

# metric: heading; one of each family, Decima's and scooby's definitions among them
SHOWN = {
    "pearson_across_genes": "across genes",
    "pearson_across_cells": "across cells",
    "pooled_doubly_centred": "doubly centred",
}
_REFERENCES = ("null", "ceiling", RIVAL_NAME)


def expression_sections(result: Result, prefix: str = "expression_") -> list[Section]:
    """Make the sections of one ``cistron evaluate expression`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores.astype(dict.fromkeys(("embedding", "metric", "stratum", "target"), object))
    stratum = headline(scored_strata(scores))
    here = scores[scores["stratum"] == stratum]
    levels = list(dict.fromkeys(here["target"]))
    level = "pseudobulks" if "pseudobulks" in levels else levels[0]
    order = _in_tables(result)
    sections = [
        _finding(
            here[here["target"] == level], order, stratum, level, prefix, result.results.get("rivals", [])
        ),
        _quadrants(scores, order, level, prefix),
        _differences(here[here["target"] == level], order, stratum, level),
        _genes(result, stratum, level, order, prefix),
        strata_section(result, stratum, level, list(order["name"]), prefix),
        _all_scores(scores),
        Section("method", "How to read these figures", render("expression_method.html", metrics=METRICS)),
    ]
    return [section for section in sections if section is not None]


def _in_tables(result: Result) -> pd.DataFrame:
    """Predictions in the order of the tables: ``name, table, method, embedding, evidence, control, control_of``."""
    facts = pd.DataFrame(result.results["predictions"])
    place = {table: number for number, table in enumerate(TABLES)}
    return facts.assign(place=facts["table"].map(place)).sort_values("place", kind="stable")


def _heading(metric: str, level: str) -> str:
    """Name of a metric at a level: ``across pseudobulks``, ``across genes, pseudobulks``."""
    heading = SHOWN[metric].replace("cells", level)
    return heading if level in heading else f"{heading}, {level}"


def _value(rows: pd.DataFrame, name: str, metric: str) -> dict[str, Any]:
    """Score of one prediction as plain numbers, NaN where there is none."""
    found = rows[(rows["embedding"] == name) & (rows["metric"] == metric)]
    keys = ("value", "low", "high", "control_value", "null_value", "n")
    if not len(found):
        return dict.fromkeys(keys, float("nan"))
    row = found.iloc[0]
    return {key: float("nan") if pd.isna(row[key]) else float(row[key]) for key in keys}


def _finding(
    rows: pd.DataFrame, order: pd.DataFrame, stratum: str, level: str, prefix: str, result_rivals: list[str]
) -> Section:
    methods = order[order["control"] == ""]
    controls = {
        row.control_of: row.name_
        for row in order.rename(columns={"name": "name_"}).itertuples()
        if row.control_of
    }
    tables = []
    for table, meaning in TABLES.items():
        own = methods.loc[methods["table"] == table, "name"]
        listed = [
            {
                "name": name,
                "scores": {metric: _value(rows, name, metric) for metric in SHOWN},
                "control": {
                    metric: _value(rows, controls.get(name, ""), metric)["value"] for metric in SHOWN
                },
                "gain": {metric: _value(rows, name, f"gain_{metric}") for metric in SHOWN},
                "undefined": _value(rows, name, "undefined_entries")["value"],
            }
            for name in own
        ]
        if listed:
            tables.append({"title": meaning, "key": table, "rows": listed})
    references = {
        name: {metric: _value(rows, name, metric)["value"] for metric in SHOWN} for name in _REFERENCES
    }
    drawings = tuple(
        drawing
        for metric in SHOWN
        if (drawing := _intervals(rows, methods, metric, level, prefix)) is not None
    )
    body = render(
        "expression_finding.html",
        sentences=[sentence(table, stratum, level) for table in tables if table["key"] != "baseline"]
        or [f"Only baselines were scored, in {stratum}."],
        tables=tables,
        references=references,
        trivial=references[RIVAL_NAME],
        rivals=result_rivals,
        shown=SHOWN,
        drawings=drawings,
        where=_where(stratum, level),
    )
    return Section("finding", "Finding", body, drawings)


def _where(stratum: str, level: str) -> str:
    """Stratum and level, the level only where the stratum does not say it."""
    return f"{stratum}, {level}" if level == "pseudobulks" else stratum


def sentence(table: dict[str, Any], stratum: str, level: str) -> str:
    """Say which prediction of a table is best after gene and cell means are removed, and whether it beats permuted genes.

    Parameters
    ----------
    table
        A table of scores as the page shows it: ``title`` and ``rows``.
    stratum
        Name of the stratum, for the sentence.
    level
        ``cells``, ``pseudobulks`` or ``cell types``.
    """
    kind = table["title"].split(":")[0]
    metric = "pooled_doubly_centred"
    scored = [
        row for row in table["rows"] if row["scores"][metric]["value"] == row["scores"][metric]["value"]
    ]
    if not scored:
        return f"{kind}: no prediction is defined in {stratum} once gene and cell means are removed."
    best = max(scored, key=lambda row: row["scores"][metric]["value"])
    score = best["scores"][metric]
    text = (
        f"{kind}: {best['name']} reaches {fixed(score['value'], 3)} [{fixed(score['low'], 3)}, {fixed(score['high'], 3)}] doubly "
        f"centred ({_where(stratum, level)}; permuted genes {fixed(score['control_value'], 3)})"
    )
    if score["low"] <= max(0.0, score["control_value"]):
        text += ", no better than its control"
    control = best["control"][metric]
    if control == control and control >= score["low"]:
        text += f"; its control file reaches {fixed(control, 3)}, so the embedding explains nothing of it"
    gain = best.get("gain", {}).get(metric, {"value": float("nan")})
    if gain["value"] == gain["value"]:
        bounds = f"{signed(gain['value'], 3)} [{signed(gain['low'], 3)}, {signed(gain['high'], 3)}]"
        knows = "it knows something that" if gain["low"] > 0 else "not shown to know anything that"
        text += f"; beside trivial columns it adds {bounds}: {knows} trivial columns of genes do not tell"
    across = best["scores"]["pearson_across_genes"]["value"]
    return f"{text}; across genes it reaches {fixed(across, 3)}."


def _intervals(
    rows: pd.DataFrame, methods: pd.DataFrame, metric: str, level: str, prefix: str
) -> Drawing | None:
    names = [*methods["name"], *_REFERENCES]
    table = pd.DataFrame([{"embedding": name, **_value(rows, name, metric)} for name in names])
    table = table[table["value"].notna()]
    if table.empty:
        return None
    evidence = dict(zip(methods["name"], methods["table"]))
    palette = dict(zip([*TABLES, ""], ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#6b7a8c", "#8a94a3")))
    with figure_style():
        figure = Figure(figsize=(8.6, 0.34 * len(table) + 1.1))
        height = figure.get_figheight()
        axes = figure.add_axes((0.3, 0.62 / height, 0.58, 1 - 0.8 / height))
        interval_plot(
            table, axes, label=f"Pearson r {_heading(metric, level)} (grey cross: genes permuted)",
            colours=[palette[evidence.get(name, "")] for name in table["embedding"]],
        )  # fmt: skip
    words = "; ".join(f"{row.embedding} {fixed(row.value, 3)}" for row in table.itertuples())
    remarks = {
        f"point-{number}": [f"{row.embedding}: {fixed(row.value)} ({fixed(row.low)} to {fixed(row.high)})"]
        for number, row in enumerate(table.itertuples())
    }
    return Drawing(f"{prefix}{metric}", figure, f"Pearson r {SHOWN[metric]}: {words}.", remarks)


def _quadrants(scores: pd.DataFrame, order: pd.DataFrame, level: str, prefix: str) -> Section | None:
    """Heat maps of every prediction in every quadrant; validation stays out."""
    drawings = []
    scores = scores[~scores["stratum"].str.contains("validation")]
    scores = scores.assign(stratum=scores["stratum"].str.replace("cell types", "types"))
    strata = list(dict.fromkeys(scores["stratum"]))
    names = [*order["name"], *_REFERENCES]
    for metric, heading in SHOWN.items():
        rows = scores[
            (scores["metric"] == metric) & (scores["target"] == level) & scores["stratum"].isin(strata)
        ]
        rows = rows[rows["embedding"].isin(names)]
        if rows.empty:
            continue
        present = [name for name in names if name in set(rows["embedding"])]
        size = (CELL_INCHES[0] * 1.6 * len(strata), CELL_INCHES[1] * 1.2 * len(present))
        with figure_style():
            figure = Figure(figsize=(size[0] + 4.4, size[1] + 1.9))
            width, height = figure.get_size_inches()
            axes = figure.add_axes((2.6 / width, 0.2 / height, size[0] / width, size[1] / height))
            heat_map(
                rows,
                axes,
                row="embedding",
                column="stratum",
                row_order=present,
                column_order=strata,
                decimals=3,
                limit=1.0,
            )
        words = "; ".join(
            f"{row.embedding}, {row.stratum}: {fixed(row.value, 3)}" for row in rows.itertuples()
        )
        drawings.append(
            (
                heading,
                Drawing(f"{prefix}quadrants_{metric}", figure, f"Pearson r {heading} by quadrant. {words}"),
            )
        )
    if not drawings:
        return None
    body = render("expression_quadrants.html", drawings=drawings, level=level)
    return Section(
        "quadrants", "Seen and unseen genes and cells", body, tuple(drawing for _, drawing in drawings)
    )


def _differences(rows: pd.DataFrame, order: pd.DataFrame, stratum: str, level: str) -> Section | None:
    shown = rows[rows["metric"].isin([f"difference_{metric}" for metric in SHOWN])]
    if shown.empty:
        return None
    listed = [
        {
            "first": row["embedding"],
            "second": row["null_model"],
            "metric": SHOWN[row["metric"].removeprefix("difference_")],
            **{key: float(row[key]) for key in ("value", "low", "high", "p_value")},
            "n": None if pd.isna(row["n"]) else int(row["n"]),
        }
        for _, row in shown.iterrows()
    ]
    body = render("expression_differences.html", rows=listed, where=_where(stratum, level))
    return Section("differences", "Differences between predictions", body)


def _genes(result: Result, stratum: str, level: str, order: pd.DataFrame, prefix: str) -> Section | None:
    """How the correlations of single genes spread."""
    table = result.table(
        "per_gene.parquet", ("embedding", "target", "stratum", "gene"), ("pearson_across_cells",)
    )
    if table is None:
        return None
    for column in ("embedding", "target", "stratum", "gene"):
        table[column] = table[column].astype(str)
    own = table[(table["stratum"] == stratum) & (table["target"] == level)].dropna(
        subset=["pearson_across_cells"]
    )
    names = [name for name in order["name"] if name in set(own["embedding"])]
    if not names:
        return None
    drawn = own.groupby("embedding", sort=False).head(_MANY) if len(own) > _MANY * len(names) else own
    with figure_style():
        figure = Figure(figsize=(8.6, 1.0 + 0.5 * len(names)))
        box_plot(
            drawn, figure.add_subplot(), value="pearson_across_cells", control=None, group_order=names,
            label=f"Pearson r across {level} of each gene",
        )  # fmt: skip
    extremes = own[own["embedding"] == names[0]].sort_values("pearson_across_cells", ascending=False)
    drawing = Drawing(
        f"{prefix}genes", figure, f"Distribution of the correlation of each gene across {level}"
    )
    body = render(
        "expression_genes.html",
        drawing=drawing,
        stratum=stratum,
        shown=min(_MANY, int(own["embedding"].value_counts().max())),
        name=names[0],
        best=extremes.head(10)[["gene", "pearson_across_cells"]].to_dict("records"),
        worst=extremes.tail(10)[["gene", "pearson_across_cells"]].to_dict("records"),
    )
    return Section("genes", "How the genes spread", body, (drawing,))


_MANY = 500  # points of a box that a page can hold


def _all_scores(scores: pd.DataFrame) -> Section:
    rows = scores[~scores["metric"].str.startswith("difference_")]
    listed = [
        {
            **{
                key: "" if pd.isna(row[key]) else str(row[key])
                for key in ("embedding", "model", "target", "metric", "stratum")
            },
            **{
                key: float("nan") if pd.isna(row[key]) else float(row[key])
                for key in ("value", "low", "high", "null_value", "control_value", "n")
            },
        }
        for _, row in rows.iterrows()
    ]
    return Section("scores", "All scores", render("expression_scores.html", rows=listed))
