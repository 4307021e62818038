"""The sections of the task ``pairs``: finding, what the figures rest on, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.evaluation.rivals import RIVAL_NAME
from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import CONTROL, figure_style
from cistron.report.drawing import Drawing
from cistron.report.gain_verdict import first_embedding, knows, split_gains, verdict
from cistron.report.page import Section, render
from cistron.report.result import Result

_NO_BIOLOGY = ("occurrence", "positive rate of each gene")


def pair_sections(result: Result, prefix: str = "pairs_") -> list[Section]:
    """Make the sections of one ``cistron evaluate pairs`` run.

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
    scores = scores.sort_values("value", ascending=False)
    known = ~scores["embedding"].isin(_NO_BIOLOGY) & ~scores["embedding"].str.startswith(RIVAL_NAME)
    bands = {(band["embedding"], band["model"]): band for band in result.results.get("bands", [])}
    own, trivial = scores[known], scores[~known]
    sections = [_finding(result, own, trivial, bands, _by_row(gains), prefix)]
    folds = result.table("folds.parquet", [], ["fold", "positives", "positive_genes"])
    if folds is not None:
        folds = folds.drop_duplicates(["fold"])
        body = render("pairs_folds.html", rows=folds.to_dict("records"), facts=result.results)
        sections.append(Section("folds", "What the figures rest on", body))
    body = render(
        "pairs_method.html",
        negatives=str(scores["stratum"].iloc[0]),
        gains=len(gains) > 0,
        facts=result.results,
    )
    sections.append(Section("method", "How to read these figures", body))
    return sections


def _finding(
    result: Result,
    own: pd.DataFrame,
    trivial: pd.DataFrame,
    bands: dict[tuple[str, str], dict[str, Any]],
    gains: dict[tuple[str, str], dict[str, Any]],
    prefix: str,
) -> Section:
    shown = pd.concat([own.head(30), trivial])
    shown = shown.assign(
        label=shown["embedding"].astype(str) + ", " + shown["model"].astype(str),
        knows=[knows(gains.get(key)) for key in zip(shown["embedding"], shown["model"])],
        **{name: shown[name] - 0.5 for name in ("value", "low", "high", "control_value")},
    )
    low = min((band["low"] for band in bands.values()), default=None)
    high = max((band["high"] for band in bands.values()), default=None)
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * len(shown)))
        ax = figure.add_subplot()
        if low is not None and high is not None:
            ax.axvspan(low - 0.5, high - 0.5, color=CONTROL, alpha=0.25, linewidth=0)
        interval_plot(
            shown,
            ax,
            row="label",
            filled="knows",
            label="AUROC above chance (filled: gains beyond trivial columns; grey cross: permuted; grey band: random)",
        )
    texts = [
        f"{row.label}: AUROC {row.value + 0.5:.3f}, interval {row.low + 0.5:.3f} to {row.high + 0.5:.3f}"
        for row in shown.itertuples()
    ]
    remarks = {f"point-{number}": [text] for number, text in enumerate(texts)}
    drawing = Drawing(f"{prefix}summary", figure, "; ".join(texts), remarks)
    rows = [
        {
            **{key: None if pd.isna(value) else value for key, value in row.items()},
            "gain": gains.get((str(row["embedding"]), str(row["model"]))),
            "band": bands.get((str(row["embedding"]), str(row["model"]))),
            "beyond": _beyond(row, bands.get((str(row["embedding"]), str(row["model"])))),
        }
        for _, row in pd.concat([own, trivial]).iterrows()
    ]
    best, above = first_embedding(rows)
    body = render(
        "pairs_finding.html",
        best=best,
        above=above,
        verdict=verdict(gains.get((str(best["embedding"]), str(best["model"]))), "these pairs"),
        rows=rows,
        drawing=drawing,
        facts=result.results,
        negatives=str(own["stratum"].iloc[0]),
        high=high,
    )
    return Section("finding", "Finding", body, (drawing,))


def _by_row(gains: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """Gains by embedding and combination."""
    return {(str(row["embedding"]), str(row["model"])): row for row in gains.to_dict("records")}


def _beyond(row: pd.Series, band: dict[str, Any] | None) -> bool:
    """Whether the interval lies above chance, the control and all random embeddings."""
    floor = max(
        [
            0.5,
            *([band["high"]] if band else []),
            *([row["control_value"]] if row["control_value"] == row["control_value"] else []),
        ]
    )
    return bool(row["low"] > floor)
