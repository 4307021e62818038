"""The sections of a run of ``chromatin quality``: flagged tracks, profile and heat map around start sites."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.style import PALETTE, TEXT, figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_TEXT = ("cell_type", "mark", "kind", "source", "flags")
_NUMBERS = ("mean", "zero", "enrichment", "like_others", "expression")
_COLUMNS = 3  # marks side by side
_LINES = 8  # cell types with a colour of their own; further ones are grey


def track_quality_sections(result: Result, prefix: str = "track_quality_") -> list[Section]:
    """Make the sections of one ``cistron chromatin quality`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    tracks = result.table("tracks.parquet", _TEXT, _NUMBERS)
    profiles = result.table("profiles.parquet", ("cell_type", "mark"), ("position", "mean"))
    heat = result.table("heat.parquet", ("mark",), ("group", "position", "mean"))
    sections = []
    if tracks is not None:
        for column in _TEXT:
            tracks[column] = tracks[column].astype(str)
        flagged = tracks[tracks["flags"] != ""]
        rows = pd.concat([flagged, tracks[tracks["flags"] == ""]]).to_dict("records")
        body = render("track_quality_finding.html", rows=rows, flagged=len(flagged))
        said = tuple(f"{row.mark} of {row.cell_type}: {row.flags}" for row in flagged.itertuples())
        sections.append(Section("finding", "Tracks, and what is odd about them", body, warnings=said))
    for table, title, make, caption in (
        (profiles, "Profile around start sites", profile_drawing, "Mean over genes, one line a cell type."),
        (
            heat,
            "Heat map around start sites",
            heat_drawing,
            f"Mean over cell types; genes in groups by {result.results['sorted_by']}, the highest on top.",
        ),
    ):
        if table is None or not len(table):
            continue
        for column in set(table.columns) & {"cell_type", "mark"}:
            table[column] = table[column].astype(str)
        drawing = make(table, f"{prefix}{title.split()[0].lower()}")
        body = render("track_quality_drawing.html", drawing=drawing, caption=caption)
        sections.append(Section(title.split()[0].lower(), title, body, (drawing,)))
    sections.append(Section("method", "How to read this", render("track_quality_method.html")))
    return sections


def _panels(marks: list[str], height: float) -> tuple[Figure, np.ndarray]:
    columns = min(_COLUMNS, len(marks))
    rows = -(-len(marks) // columns)
    figure = Figure(figsize=(1.0 + 2.5 * columns, 0.6 + height * rows))
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for axis in axes[len(marks) :]:
        axis.set_visible(False)
    for number, (axis, mark) in enumerate(zip(axes, marks)):
        axis.set_title(mark, fontsize=8.5, loc="left")
        axis.tick_params(labelsize=7)
        if number + columns >= len(marks):
            axis.set_xlabel("kb from the start site (TSS)", fontsize=7.5)
            axis.tick_params(labelbottom=True)
    return figure, axes


def profile_drawing(profiles: pd.DataFrame, name: str) -> Drawing:
    """Draw the mean of each track around start sites, one panel a mark."""
    marks = list(dict.fromkeys(profiles["mark"]))
    cells = list(dict.fromkeys(profiles["cell_type"]))
    with figure_style():
        figure, axes = _panels(marks, 1.7)
        for axis, mark in zip(axes, marks):
            for number, cell in enumerate(cells):
                rows = profiles[(profiles["mark"] == mark) & (profiles["cell_type"] == cell)]
                colour = PALETTE[number] if number < _LINES else "#9aa5b1"
                axis.plot(rows["position"] / 1000, rows["mean"], color=colour, linewidth=1.1, label=cell)
            axis.axvline(0, color=TEXT, linewidth=0.8, linestyle=(0, (3, 2)))
            axis.set_ylim(bottom=0)
        axes[0].set_ylabel("mean of log(1 + signal)", fontsize=7.5)
        handles = axes[0].get_lines()[: min(len(cells), _LINES)]
        figure.legend(
            handles, cells[:_LINES], loc="outside upper center", ncols=4, fontsize=7.5, frameon=False
        )
        figure.tight_layout(
            rect=(0, 0, 1, 1 - 0.22 * (1 + (min(len(cells), _LINES) - 1) // 4) / figure.get_figheight())
        )
    return Drawing(
        name, figure, f"Mean signal of {', '.join(marks)} around start sites in {len(cells)} cell types."
    )


def heat_drawing(heat: pd.DataFrame, name: str) -> Drawing:
    """Draw groups of genes x places, one panel a mark."""
    marks = list(dict.fromkeys(heat["mark"]))
    with figure_style():
        figure, axes = _panels(marks, 2.1)
        for axis, mark in zip(axes, marks):
            wide = heat[heat["mark"] == mark].pivot(index="group", columns="position", values="mean")
            at = wide.columns.to_numpy(float) / 1000
            half = (at[1] - at[0]) / 2 if len(at) > 1 else 0.5
            edges = np.append(at - half, at[-1] + half)
            values = wide.to_numpy()
            top = float(np.quantile(values, 0.99)) or 1.0
            mesh = axis.pcolormesh(
                edges, np.arange(len(values) + 1), values, cmap="cividis", vmin=0, vmax=top
            )
            bar = figure.colorbar(mesh, ax=axis, fraction=0.05, pad=0.02, values=np.linspace(0, top, 12))
            bar.ax.tick_params(labelsize=6.5, length=2)
            axis.set(ylim=(len(values), 0), yticks=[])
            axis.axvline(0, color="white", linewidth=0.8, linestyle=(0, (3, 2)))
        axes[0].set_ylabel("genes, highest first", fontsize=7.5)
        figure.tight_layout()
    return Drawing(name, figure, f"Mean signal of {', '.join(marks)} around start sites by groups of genes.")
