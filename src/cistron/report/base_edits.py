"""The sections of a run of ``cistron sequence design``: what base changes do to the marks, and what every judge says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cistron.plots.style import PALETTE, TEXT, figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_GENES, _TRACKS, _EDITS = 20, 8, 200  # genes with a section, tracks drawn, changes listed a gene
_NUMBERS = ("start", "end", "from_start_site", "before", "wanted", "after", "judge_before", "judge_after")
JUDGES = {
    "share": "the model that was searched with",
    "judge_share": "the second sequence model",
    "expression_share": "the expression model",
}


def base_edit_sections(result: Result, prefix: str = "base_edits_") -> list[Section]:
    """Make the sections of one run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    outcome = result.table("outcome.parquet", ("gene",), ("edits", *JUDGES))
    edits = result.table(
        "edits.parquet", ("gene", "chromosome", "reference", "edited"), ("position", "from_start_site")
    )
    tracks = result.table("tracks.parquet", ("gene", "cell_type", "mark", "chromosome"), _NUMBERS)
    levels = result.table(
        "expression.parquet", ("gene", "cell_type", "role"), ("start", "wanted", "designed", "edited")
    )
    if outcome is None or edits is None or tracks is None:
        return []
    tolerance = float(result.results["tolerance"])
    rows = [_overview_row(row, tolerance) for row in outcome.to_dict("records")]
    sections = [
        Section(
            "finding",
            "What was reached",
            render("base_edits_overview.html", rows=rows, tolerance=tolerance, judges=_judges(outcome)),
            warnings=tuple(_warnings(outcome, tolerance)),
        )
    ]
    places = {str(one["gene"]): one for one in result.results["places"]}
    for number, gene in enumerate(outcome["gene"].astype(str).head(_GENES), 1):
        own = tracks[tracks["gene"].astype(str) == gene]
        changed = edits[edits["gene"].astype(str) == gene]
        drawing = marks_drawing(own, changed, gene, f"{prefix}gene_{number}")
        body = render(
            "base_edits_gene.html",
            drawing=drawing,
            place=places.get(gene),
            tracks=_track_rows(own),
            edits=changed.head(_EDITS).to_dict("records"),
            total=len(changed),
            levels=_level_rows(levels, gene),
        )
        sections.append(Section(f"gene_{number}", gene, body, (drawing,)))
    sections.append(
        Section("method", "How to read this", render("base_edits_method.html", left=len(outcome) - _GENES))
    )
    return sections


def _judges(outcome: pd.DataFrame) -> list[str]:
    """Names of the columns that hold something."""
    return [name for name in JUDGES if outcome[name].notna().any()]


def _overview_row(row: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    shares = {name: None if pd.isna(row[name]) else float(row[name]) for name in JUDGES}
    return {
        "gene": str(row["gene"]),
        "edits": int(row["edits"]),
        "shares": shares,
        "short": {name: share is not None and share < tolerance for name, share in shares.items()},
    }


def _warnings(outcome: pd.DataFrame, tolerance: float) -> list[str]:
    """What a reader must know before the figures."""
    found = []
    genes = outcome["gene"].astype(str)
    for name in _judges(outcome):
        short = genes[(outcome[name] < tolerance).to_numpy()].tolist()
        if short:
            found.append(
                f"By {JUDGES[name]} {len(short)} of {len(genes)} genes have less than {tolerance:.0%} of the wanted change "
                f"({', '.join(short[:5])}{' and others' if len(short) > 5 else ''})."
            )
    if outcome["judge_share"].isna().all():
        found.append(
            "No second sequence model judged (--judge-weights), so nothing here tells changes that hold from changes that please the "
            "model that was searched with."
        )
    return found


def _track_rows(own: pd.DataFrame) -> list[dict[str, Any]]:
    """By track: wanted and achieved change, mean over the bins that are to change."""
    rows = []
    for (cell, mark), part in own.astype({"cell_type": str, "mark": str}).groupby(
        ["cell_type", "mark"], sort=False
    ):
        change = (part["wanted"] - part["before"]).to_numpy()
        size = float((change**2).sum())
        moved, judged = (
            (part[a] - part[b]).to_numpy() for a, b in (("after", "before"), ("judge_after", "judge_before"))
        )
        near = np.abs(change) > 1e-6
        rows.append(
            {
                "cell_type": cell,
                "mark": mark,
                "wanted": float(change[near].mean()) if near.any() else 0.0,
                "achieved": float(moved[near].mean()) if near.any() else float(moved.mean()),
                "judged": None
                if np.isnan(judged).all()
                else float(judged[near].mean() if near.any() else judged.mean()),
                "share": float((moved * change).sum() / size) if size else None,
            }
        )
    return rows


def _level_rows(levels: pd.DataFrame | None, gene: str) -> list[dict[str, Any]]:
    if levels is None:
        return []
    return levels[levels["gene"].astype(str) == gene].to_dict("records")


def marks_drawing(own: pd.DataFrame, edits: pd.DataFrame, gene: str, name: str) -> Drawing:
    """Draw the predicted tracks of one gene before, wanted and after, with the changed bases.

    Parameters
    ----------
    own
        Rows of ``tracks.parquet`` of the gene.
    edits
        Rows of ``edits.parquet`` of the gene.
    gene
        Its name.
    name
        Name of the figure.
    """
    own = own.astype({"cell_type": str, "mark": str})
    wish = (own["wanted"] - own["before"]).abs()
    order = wish.groupby([own["cell_type"], own["mark"]]).sum().sort_values(ascending=False, kind="stable")
    chosen = list(order.index[:_TRACKS])
    with figure_style():
        figure = Figure(figsize=(7.6, 1.0 + 0.85 * len(chosen)))
        axes = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (cell, mark) in zip(axes, chosen):
            part = own[(own["cell_type"] == cell) & (own["mark"] == mark)].sort_values("from_start_site")
            middle = part["from_start_site"].to_numpy() / 1000
            half = float((part["end"] - part["start"]).iloc[0]) / 2000
            edges = np.append(middle - half, middle[-1] + half)
            axis.stairs(part["before"], edges, fill=True, color=PALETTE[7], alpha=0.5, linewidth=0)
            axis.stairs(
                part["wanted"], edges, color=TEXT, linewidth=1.0, linestyle=(0, (3, 2)), baseline=None
            )
            axis.stairs(part["after"], edges, color=PALETTE[1], linewidth=1.4, baseline=None)
            if part["judge_after"].notna().any():
                seen = part["before"] + part["judge_after"] - part["judge_before"]
                axis.stairs(seen, edges, color=PALETTE[0], linewidth=1.0, baseline=None)
            axis.axvline(0, color=TEXT, linewidth=0.8, linestyle=(0, (1, 2)))
            for place in edits["from_start_site"].to_numpy() / 1000:
                axis.axvline(place, ymax=0.12, color=PALETTE[1], linewidth=1.0)
            axis.set_ylabel(f"{mark}\n{cell}", fontsize=7.5, rotation=0, ha="right", va="center")
            axis.tick_params(labelsize=7)
            axis.yaxis.set_major_locator(MaxNLocator(3))
        axes[-1].set_xlabel("kb from the start site (TSS), in the direction of transcription", fontsize=8)
        figure.tight_layout(h_pad=0.3)
    return Drawing(
        name,
        figure,
        f"Predicted marks of {gene}, log(1 + signal), before (grey), wanted (dashed) and after {len(edits)} base changes (orange).",
    )
