"""The sections of an epigenesis run: how far the model can be trusted, heat map of marks x places, all effects, how to read them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.heat_map import CELL_INCHES, heat_map
from cistron.plots.style import TEXT, figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, fixed, render
from cistron.report.result import Result

_TEXT, _NUMBERS = ("mark", "peak_in", "read_in", "interval"), ("start", "end", "effect", "low", "high", "n")
FEW_MEMBERS = 5  # below, an interval over networks, or none, says little of what another fit would show
_ACROSS = "pearson_across_genes"
_METRICS = {
    _ACROSS: "across genes (mean over cell types)",
    "pearson_within_genes": "across cell types, within a gene",
}


def epigenesis_sections(result: Result, prefix: str = "epigenesis_") -> list[Section]:
    """Make the sections of one ``cistron chromatin epigenesis`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    table = result.table("effects.parquet", _TEXT, _NUMBERS)
    facts = dict(result.results["facts"])
    places = list(result.results.get("places", []))
    quality = quality_rows(result.scores)
    unfounded = doubt(quality)
    sections = [
        Section(
            "quality",
            "How far this model can be trusted",
            render("epigenesis_quality.html", rows=quality, unfounded=unfounded),
            warnings=tuple([unfounded] if unfounded else []),
        )
    ]
    if table is not None and len(table):
        for column in _TEXT:
            table[column] = table[column].astype(str)
        shown = table[table["read_in"] == str(facts["peak_in"])].reset_index(drop=True)
        few = few_members(facts, shown)
        said = [] if unfounded else sentences(shown)
        drawing = effect_map(shown, f"{prefix}map", str(facts["scale"]), places, said)
        words = {
            "facts": facts,
            "unfounded": unfounded,
            "sentences": said,
            "drawing": drawing,
            "others": _others(table),
            "genes": int(result.results["genes"]),
            "few": few,
            "places": places,
        }
        sections.append(
            Section(
                "map",
                "What a peak of each mark does, and where",
                render("epigenesis_map.html", **words),
                (drawing,),
            )
        )
        rows = [
            row | {"genome": _genomic(places, row["start"], row["end"])} for row in table.to_dict("records")
        ]
        sections.append(
            Section(
                "effects",
                "All effects",
                render("epigenesis_effects.html", rows=rows, genome=len(places) == 1),
            )
        )
    sections.append(Section("method", "How to read this", render("epigenesis_method.html", facts=facts)))
    return sections


def quality_rows(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """How well the model predicts held-out genes, one row a metric; empty for runs that did not measure it."""
    found = scores[scores["metric"].isin(_METRICS)]
    return [
        {"what": _METRICS[str(row.metric)], "across": str(row.metric) == _ACROSS}
        | {
            name: float(getattr(row, name)) if pd.notna(getattr(row, name)) else None
            for name in ("value", "low", "high", "null_value", "control_value", "n")
        }
        | {"null_model": str(row.null_model) if pd.notna(row.null_model) else ""}
        for row in found.itertuples()
    ]


def doubt(quality: Sequence[Mapping[str, Any]]) -> str:
    """Say why nothing may be read from a map, in words; empty where the model has shown that it predicts."""
    if not quality:
        return (
            "How well this model predicts genes that it never saw is not known (no expression, or fewer than ten held-out genes); "
            "nothing here is a finding until it is."
        )
    row = next(row for row in quality if row["across"])
    floor = max(0.0, row["control_value"] or 0.0)
    if row["low"] <= floor:
        return (
            f"This model predicts genes that it never saw with r = {fixed(row['value'], 2)} ({fixed(row['low'], 2)} to "
            f"{fixed(row['high'], 2)}), with the marks of other genes {fixed(row['control_value'], 2)}: it has not learned what marks do, and "
            "nothing here is a finding."
        )
    null = row["null_value"]
    if null is not None and row["value"] < null:
        return (
            f"This model predicts genes that it never saw worse (r = {fixed(row['value'], 2)}, {fixed(row['low'], 2)} to "
            f"{fixed(row['high'], 2)}) than {row['null_model']} (r = {fixed(null, 2)}): fit it longer, or on more genes, before reading "
            "anything here as a finding."
        )
    return ""


def few_members(facts: Mapping[str, Any], shown: pd.DataFrame) -> str:
    """Say what few networks mean for the intervals; empty where there are enough."""
    members = int(facts["members"])
    if facts["method"] == "ridge" or members >= FEW_MEMBERS:
        return ""
    networks = "one network" if members == 1 else f"{members} networks"
    if shown["low"].isna().all():
        return f"There is no interval: all genes are alike on this background, and there is {networks}. Fit at least {FEW_MEMBERS} (--network.members)."
    if "networks" in str(shown["interval"].iloc[0]):
        return f"The intervals rest on {networks}, too few to tell an effect from the luck of a fit; fit at least {FEW_MEMBERS} (--network.members)."
    return (
        f"The intervals are over genes; they do not cover what another fit would show. There {'is' if members == 1 else 'are'} {networks}; "
        f"fit at least {FEW_MEMBERS} (--network.members) and compare."
    )


def place(row: Any) -> str:
    """Middle of a peak in kb from the start site, for an axis."""
    return f"{(row.start + row.end) / 2000:+.1f}".replace("-", "\N{MINUS SIGN}")


def effect_map(
    shown: pd.DataFrame,
    name: str,
    scale: str = "expression",
    places: Sequence[Mapping[str, Any]] = (),
    said: Sequence[str] = (),
) -> Drawing:
    """Heat map of marks x places with the interval in the remark of each cell; cells whose interval holds zero are pale.

    Parameters
    ----------
    shown
        Rows of the table of effects, one a mark and place.
    name
        Name of the figure.
    scale
        What the expression is.
    places
        Where the genes lie; with one gene the remarks give genomic coordinates too.
    said
        Sentences for readers who do not see the figure.
    """
    cells = shown.assign(
        place=[place(row) for row in shown.itertuples()], pale=(shown["low"] <= 0) & (shown["high"] >= 0)
    )
    marks, columns = (list(dict.fromkeys(cells[column])) for column in ("mark", "place"))
    starts = sorted(set(cells["start"]))
    with figure_style():
        width, height = len(columns) * CELL_INCHES[0] * 0.72, len(marks) * CELL_INCHES[1] * 1.25
        whole = (width + 2.4, height + 1.35)
        figure = Figure(figsize=whole)
        axes = figure.add_axes((1.3 / whole[0], 0.3 / whole[1], width / whole[0], height / whole[1]))
        heat_map(
            cells,
            axes,
            row="mark",
            column="place",
            value="effect",
            row_order=marks,
            column_order=columns,
            decimals=2,
            pale="pale",
            label=f"change of predicted\n{scale}",
        )
        axes.set_xlabel("middle of the peak, kb from the start site (TSS), in the direction of transcription")
        axes.xaxis.set_label_position("top")
        axes.set_ylabel("mark that gets the peak")
        if len(starts) > 1 and starts[0] < 0 < starts[-1] + 1:
            line = -starts[0] / (starts[1] - starts[0])
            axes.axvline(line, color=TEXT, linewidth=1.6, gid="start_site")
            axes.text(line, len(marks) + 0.12, "TSS", ha="center", va="top", fontsize=8)
    ordered = [
        row for mark in marks for row in cells[cells["mark"] == mark].sort_values("start").itertuples()
    ]
    remarks = {"cells": [_remark(row, places) for row in ordered]}
    return Drawing(
        name,
        figure,
        "Change of predicted expression by mark and place. " + " ".join(said),
        remarks,
    )


def _remark(row: Any, places: Sequence[Mapping[str, Any]]) -> str:
    genome = _genomic(places, row.start, row.end)
    interval = f" ({row.low:+.3f} to {row.high:+.3f})" if row.low == row.low else ""
    return (
        f"{row.mark}, {row.start:+,} to {row.end:+,} bp{', ' + genome if genome else ''}: {row.effect:+.3f}{interval}"
        f"{', holds zero' if row.pale else ''}"
    )


def _genomic(places: Sequence[Mapping[str, Any]], start: float, end: float) -> str:
    """Genomic coordinates (1-based, as browsers take them) of base pairs from the start site of the one gene; else empty."""
    if len(places) != 1:
        return ""
    at, sites = places[0], int(places[0]["start_site"])
    first, last = (
        (sites - int(end) + 1, sites - int(start) + 1)
        if at["strand"] == "-"
        else (sites + int(start), sites + int(end))
    )
    return f"{at['chromosome']}:{max(first, 0) + 1:,}-{max(last, 0):,}"


def _signed(position: float) -> str:
    return f"{int(position):+,}".replace("-", "\N{MINUS SIGN}")


def sentences(shown: pd.DataFrame) -> list[str]:
    """Say for each mark at which place its effect is largest."""
    lines = []
    for mark, rows in shown.groupby("mark", sort=False):
        row = rows.loc[rows["effect"].abs().idxmax()]
        verb = "raises" if row["effect"] > 0 else "lowers"
        ends = sorted(float(row[end]) * (1 if row["effect"] > 0 else -1) for end in ("low", "high"))
        interval = f" ({fixed(ends[0], 2)} to {fixed(ends[1], 2)})" if row["low"] == row["low"] else ""
        unsure = interval and row["low"] <= 0 <= row["high"]
        lines.append(
            f"{mark} {verb} expression most at {_signed(row['start'])} to {_signed(row['end'])} bp, by {fixed(abs(row['effect']), 2)}"
            f"{interval}{', an interval that holds zero, so nothing is shown' if unsure else ''}."
        )
    return lines


def _others(table: pd.DataFrame) -> dict[str, Any] | None:
    """Strongest effect in the cell types without the peak, where one cell type alone has it."""
    rows = table[table["read_in"] == "others"]
    if not len(rows):
        return None
    row = rows.loc[rows["effect"].abs().idxmax()]
    return {"mark": row["mark"], "start": int(row["start"]), "effect": float(row["effect"])}
