"""The sections of an epigenesis run: heat map of marks x places, the strongest effects, how to read them."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.heat_map import CELL_INCHES, heat_map
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, fixed, render
from cistron.report.result import Result

_TEXT, _NUMBERS = ("mark", "peak_in", "read_in", "interval"), ("start", "end", "effect", "low", "high", "n")


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
    sections = []
    if table is not None and len(table):
        for column in _TEXT:
            table[column] = table[column].astype(str)
        shown = table[table["read_in"] == str(facts["peak_in"])].reset_index(drop=True)
        drawing = effect_map(shown, f"{prefix}map")
        words = {
            "facts": facts,
            "sentences": sentences(shown),
            "drawing": drawing,
            "others": _others(table),
            "genes": int(result.results["genes"]),
        }
        sections.append(
            Section(
                "map",
                "What a peak of each mark does, and where",
                render("epigenesis_map.html", **words),
                (drawing,),
            )
        )
        sections.append(
            Section(
                "effects", "All effects", render("epigenesis_effects.html", rows=table.to_dict("records"))
            )
        )
    sections.append(Section("method", "How to read this", render("epigenesis_method.html", facts=facts)))
    return sections


def place(row: Any) -> str:
    """Middle of a peak in kb from the start site, for an axis."""
    return f"{(row.start + row.end) / 2000:+.1f}".replace("-", "\N{MINUS SIGN}")


def effect_map(shown: pd.DataFrame, name: str) -> Drawing:
    """Heat map of marks x places with the interval in the remark of each cell."""
    cells = shown.assign(place=[place(row) for row in shown.itertuples()])
    marks, places = (list(dict.fromkeys(cells[column])) for column in ("mark", "place"))
    with figure_style():
        width, height = len(places) * CELL_INCHES[0] * 0.72, len(marks) * CELL_INCHES[1] * 1.25
        figure = Figure(figsize=(width + 2.1, height + 0.95))
        axes = figure.add_axes(
            (1.15 / (width + 2.1), 0.1 / (height + 0.95), width / (width + 2.1), height / (height + 0.95))
        )
        heat_map(
            cells,
            axes,
            row="mark",
            column="place",
            value="effect",
            row_order=marks,
            column_order=places,
            decimals=2,
        )
    ordered = [
        row for mark in marks for row in cells[cells["mark"] == mark].sort_values("start").itertuples()
    ]
    remarks = {
        "cells": [
            f"{row.mark}, {row.start:+,} to {row.end:+,} bp: {row.effect:+.3f}"
            + (f" ({row.low:+.3f} to {row.high:+.3f})" if row.low == row.low else "")
            for row in ordered
        ]
    }
    return Drawing(
        name,
        figure,
        "Change of predicted expression by mark and place. " + " ".join(sentences(shown)),
        remarks,
    )


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
