"""The sections of a run of ``sequence evaluate``: model beside baselines and control, tracks of one locus, best and worst tracks, method."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import PALETTE, figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_ACROSS_GENES, _ACROSS_TRACKS = "pearson_start_sites", "pearson_across_tracks"
_TEXT, _NUMBERS = ("predictor", "track", "description", "assay"), ("pearson", "pearson_of_means")


def track_sections(result: Result, prefix: str = "tracks_") -> list[Section]:
    """Make the sections of one ``cistron sequence evaluate`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores
    whole = scores[(scores["metric"] == "pearson") & scores["target"].str.endswith("all tracks")]
    sections = [_finding(result, scores, whole, prefix)]
    example = result.table("example.parquet", ("track", "description"), ("position", "observed", "predicted"))
    if example is not None:
        for column in ("track", "description"):
            example[column] = example[column].astype(str)
        sections.append(_locus(example, dict(result.results["example"]), prefix))
    sites = result.table("start_sites.parquet", ("gene",), ("observed", "predicted"))
    if sites is not None:
        sections.append(_start_sites(sites, scores, prefix))
    table = result.table("tracks.parquet", _TEXT, _NUMBERS)
    if table is not None:
        for column in _TEXT:
            table[column] = table[column].astype(str)
        own = table[table["predictor"] == str(whole["embedding"].iloc[0])]
        rows = own.sort_values("pearson", ascending=False)
        shown = rows if len(rows) <= 60 else pd.concat([rows.head(30), rows.tail(30)])
        sections.append(
            Section(
                "tracks",
                "Each track",
                render("tracks_table.html", rows=shown.to_dict("records"), total=len(rows)),
            )
        )
    sections.append(Section("method", "How to read these figures", render("tracks_method.html")))
    return sections


def _finding(result: Result, scores: pd.DataFrame, whole: pd.DataFrame, prefix: str) -> Section:
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.4 * len(whole)))
        interval_plot(
            whole,
            figure.add_subplot(),
            row="embedding",
            control=None,
            label="Pearson over bins and sequences, mean of the tracks",
        )
    description = "; ".join(
        f"{row.embedding}: {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}"
        for row in whole.itertuples()
    )
    drawing = Drawing(f"{prefix}summary", figure, description)
    difference = scores[
        (scores["metric"] == "pearson_difference")
        & scores["target"].str.endswith("all tracks")
        & (scores["embedding"] == whole["embedding"].iloc[0])
    ]
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in scores[scores["metric"].isin(["pearson", "pearson_of_means"])].to_dict("records")
    ]
    body = render(
        "tracks_finding.html",
        best=whole.iloc[0].to_dict(),
        difference=difference.iloc[0].to_dict() if len(difference) else None,
        rows=rows,
        drawing=drawing,
        sequences=int(result.results["sequences"]),
    )
    return Section("finding", "Finding", body, (drawing,))


def _start_sites(sites: pd.DataFrame, scores: pd.DataFrame, prefix: str) -> Section:
    with figure_style():
        figure = Figure(figsize=(3.8, 3.6))
        ax = figure.add_subplot()
        ax.scatter(sites["predicted"], sites["observed"], s=8, color=PALETTE[0], alpha=0.6, linewidth=0)
        ax.set_xlabel("predicted, log(1 + counts), mean of CAGE samples")
        ax.set_ylabel("measured")
        figure.tight_layout()
    rows = scores[scores["metric"].isin([_ACROSS_GENES, _ACROSS_TRACKS])].to_dict("records")
    drawing = Drawing(
        f"{prefix}start_sites",
        figure,
        f"Measured over predicted CAGE at the start sites of {len(sites):,} genes, mean of the samples",
    )
    body = render(
        "tracks_start_sites.html",
        rows=[row | {"across": row["metric"] == _ACROSS_TRACKS} for row in rows],
        genes=len(sites),
        drawing=drawing,
    )
    return Section("start-sites", "CAGE at start sites", body, (drawing,))


def _locus(example: pd.DataFrame, place: dict[str, Any], prefix: str) -> Section:
    names = list(dict.fromkeys(example["track"]))
    with figure_style():
        figure = Figure(figsize=(7.2, 0.6 + 1.5 * len(names)))
        axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, names):
            rows = example[example["track"] == name]
            kb = rows["position"] / 1000
            axis.fill_between(
                kb, rows["observed"], step="mid", color=PALETTE[7], alpha=0.45, linewidth=0, label="measured"
            )
            axis.plot(kb, rows["predicted"], color=PALETTE[0], linewidth=1.1, label="predicted")
            axis.set_title(str(rows["description"].iloc[0])[:70], fontsize=8.5, loc="left")
        axes[0].legend(frameon=False, loc="upper right", fontsize=8)
        axes[-1].set_xlabel(f"{place['chromosome']}, kb")
        figure.tight_layout()
    drawing = Drawing(
        f"{prefix}locus",
        figure,
        f"Measured and predicted tracks at {place['chromosome']}:{place['start']:,}-{place['end']:,}: {', '.join(names)}",
    )
    return Section(
        "locus", "One locus of the fold", render("genesets_drawing.html", drawing=drawing), (drawing,)
    )
