"""The sections of the task ``edges``: finding, all scores, the drawn network, calibration, how to read."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.calibration_plot import calibration_plot
from cistron.plots.interval_plot import interval_plot
from cistron.plots.network_plot import network_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, fixed, render
from cistron.report.result import Result

# metric: (name on an axis, what it is); the first that a run has is its main one
SHOWN = {
    "auprc": ("AUPRC", "area under the precision-recall curve over all pairs"),
    "wasserstein_excess": (
        "W less null",
        "Wasserstein distance of the edges less that of permuted labels",
    ),
    "enrichment": ("enrichment", "precision over that of random pairs"),
}
_DRAWN = 40


def edge_sections(result: Result, prefix: str = "edges_") -> list[Section]:
    """Make the sections of one ``cistron evaluate edges`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    rankings = [
        _ranking(result.scores, metric, target)
        for metric in SHOWN
        for target in dict.fromkeys(result.scores.loc[result.scores["metric"] == metric, "target"])
    ]
    best = rankings[0][0] if rankings else None
    sections = [
        _finding_section(rankings, published_sentences(result.results.get("networks", ()), rankings), prefix),
        _scores_section(result.scores),
        _network_section(result, best, prefix),
        _calibration_section(result, prefix),
        Section("method", "How to read these figures", render("edges_method.html")),
    ]
    return [section for section in sections if section is not None]


def _number(value: Any) -> float:
    return float("nan") if pd.isna(value) else float(value)


def _ranking(scores: pd.DataFrame, metric: str, target: str) -> list[dict[str, Any]]:
    """Rows of one metric, best first, as plain numbers."""
    rows = scores[(scores["metric"] == metric) & (scores["target"] == target)]
    found = [
        {
            "embedding": str(row["embedding"]),
            "metric": metric,
            "target": target,
            "interval": "" if pd.isna(row["interval"]) else str(row["interval"]),
            **{key: _number(row[key]) for key in ("value", "low", "high", "control_value", "null_value")},
        }
        for _, row in rows.iterrows()
    ]
    return sorted(found, key=lambda row: -row["value"])


def sentence(ranking: list[dict[str, Any]]) -> str:
    """Say which network is best by one metric, and whether it is better than a random one."""
    best = ranking[0]
    name, _ = SHOWN[best["metric"]]
    if best["embedding"] == "random":
        return f"{best['target']}: no network is better than the random one by {name} ({fixed(best['value'], 3)})."
    chance = best["control_value"]
    text = f"{best['target']}: {best['embedding']} is best by {name}, {fixed(best['value'], 3)}"
    if best["low"] == best["low"]:
        text += f" ({best['interval']}: {fixed(best['low'], 3)} to {fixed(best['high'], 3)})"
    if chance == chance:
        text += f"; a random network of the same size has {fixed(chance, 3)}"
        if best["low"] == best["low"] and best["low"] <= chance:
            text += ", which lies inside the interval, so nothing is shown"
    return text + "."


def published_sentences(
    networks: Sequence[Mapping[str, Any]], rankings: list[list[dict[str, Any]]]
) -> list[str]:
    """Say of CaTran as published what it found and what a random network finds, wherever it stands in the ranking.

    Parameters
    ----------
    networks
        What the run recorded of each network: ``name``, ``method``, ``parameters``.
    rankings
        Rows of each metric.
    """
    sentences = []
    for network in networks:
        settings = (network.get("parameters") or {}).get("settings") or {}
        if network.get("method") != "catran" or settings.get("relative_scores", True):
            continue
        for row in (row for ranking in rankings for row in ranking if row["embedding"] == network["name"]):
            found, chance = fixed(row["value"], 3), fixed(row["control_value"], 3)
            said = (
                f"{row['target']}: {network['name']} (CaTran as published) has {found} by {SHOWN[row['metric']][0]}, "
                f"a random network of the same size {chance}"
            )
            if row["low"] <= row["control_value"] <= row["high"]:
                said += (
                    f", which lies inside the interval ({fixed(row['low'], 3)} to {fixed(row['high'], 3)})"
                )
            sentences.append(f"{said}.")
    return sentences


def _finding_section(rankings: list[list[dict[str, Any]]], published: list[str], prefix: str) -> Section:
    drawings = []
    for position, ranking in enumerate(rankings):
        table = pd.DataFrame(ranking)
        with figure_style():
            figure = Figure(figsize=(8.6, 0.34 * len(table) + 1.2))
            axes = figure.add_axes(
                (0.3, 0.6 / figure.get_figheight(), 0.58, 1 - 0.9 / figure.get_figheight())
            )
            label = f"{SHOWN[ranking[0]['metric']][0]}, {ranking[0]['target']} (cross: random network)"
            interval_plot(table, axes, label=label)
        words = "; ".join(f"{row['embedding']} {fixed(row['value'], 3)}" for row in ranking)
        remarks = {
            f"point-{number}": [
                f"{row['embedding']}: {fixed(row['value'])} ({fixed(row['low'])} to {fixed(row['high'])})"
            ]
            for number, row in enumerate(ranking)
        }
        drawings.append(Drawing(f"{prefix}ranking_{position + 1}", figure, f"{label}: {words}.", remarks))
    sentences = [sentence(ranking) for ranking in rankings] or ["No network could be scored."]
    sentences += published
    body = render("edges_finding.html", sentences=sentences, drawings=drawings)
    return Section("finding", "Finding", body, tuple(drawings))


def _scores_section(scores: pd.DataFrame) -> Section:
    rows = [
        {
            **{
                key: "" if pd.isna(row[key]) else str(row[key])
                for key in ("embedding", "target", "metric", "stratum", "null_model", "interval")
            },
            **{
                key: _number(row[key]) for key in ("value", "low", "high", "control_value", "null_value", "n")
            },
        }
        for _, row in scores.iterrows()
    ]
    return Section("scores", "All scores", render("edges_scores.html", rows=rows))


def _network_section(result: Result, best: dict[str, Any] | None, prefix: str) -> Section | None:
    table = result.table("networks.parquet", ("source", "target", "network"), ("weight",))
    if table is None or not len(table):
        return None
    for column in ("source", "target", "network"):
        table[column] = table[column].astype(str)
    names = list(dict.fromkeys(table["network"]))
    name = best["embedding"] if best is not None and best["embedding"] in names else names[0]
    drawn = table[table["network"] == name].head(_DRAWN).reset_index(drop=True)
    with figure_style():
        figure = Figure(figsize=(8.6, 6.6))
        network_plot(drawn, figure.add_axes((0.02, 0.02, 0.96, 0.96)))
    words = ", ".join(f"{row.source} to {row.target}" for row in drawn.head(5).itertuples())
    text = f"The {len(drawn)} strongest edges of {name}; first {words}."
    drawing = Drawing(f"{prefix}network", figure, text)
    signed = "sign" in drawn and bool((drawn["sign"] != 0).any())
    columns = [
        c for c in ("sign", "probability", "direct", "stability") if c in drawn and drawn[c].notna().all()
    ]
    listed = drawn[["source", "target", "weight", *columns]].to_dict("records")
    body = render(
        "edges_network.html", drawing=drawing, name=name, signed=signed, rows=listed, columns=columns
    )
    return Section("network", f"The network {name}", body, (drawing,))


def _calibration_section(result: Result, prefix: str) -> Section | None:
    table = result.table("calibration.parquet", ("network",), ("stated", "observed", "n"))
    if table is None or not (table["n"] >= 5).any():
        return None
    table["network"] = table["network"].astype(str)
    with figure_style():
        figure = Figure(figsize=(5.2, 4.6))
        calibration_plot(table, figure.add_axes((0.14, 0.14, 0.8, 0.8)))
    text = "Observed share of true edges by stated probability."
    drawing = Drawing(f"{prefix}calibration", figure, text)
    body = render("edges_calibration.html", drawing=drawing, rows=table.to_dict("records"))
    return Section("calibration", "What the probabilities are worth", body, (drawing,))
