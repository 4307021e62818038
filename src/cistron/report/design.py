"""The page of a designed epigenome: for each gene the tracks before and after, wanted against reached, edits, every network's word."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cistron.errors import InputError
from cistron.formats.designed_epigenome import DesignedEpigenome, read_designed_epigenome
from cistron.plots.style import PALETTE, TEXT, figure_style
from cistron.report.build import finish_page
from cistron.report.drawing import Drawing
from cistron.report.page import Chapter, Section, build_page, fixed, render
from cistron.report.result import Result
from cistron.report.run_record import run_section
from cistron.runtime import record_path

_GENES, _CELL_TYPES, _EDITS = 20, 4, 400  # genes with a section, cell types drawn, edits listed a gene
SHORT = 0.8  # share of the wanted change below which what is reached is shown in red


def design_report(store: str | Path, output: str | Path) -> Path:
    """Write the page of a designed epigenome.

    Parameters
    ----------
    store
        Store of ``cistron chromatin design``; the record of its run lies beside it.
    output
        HTML file.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    InputError
        If the store or its record cannot be read.
    """
    store, output = Path(store), Path(output)
    design = read_designed_epigenome(store)
    record = record_path(store)
    try:
        run = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{record} is not readable; it stands beside {store.name}, copy it too") from error
    sections = design_sections(design, run["settings"])
    result = Result(store.parent, "design", pd.DataFrame(), run)
    chapter = Chapter(f"Designed epigenome: {store.stem}", "design_", run, (*sections, run_section(result)))
    return finish_page(build_page(chapter.title, [chapter]), [chapter], output, figures=False)


def design_sections(design: DesignedEpigenome, settings: Mapping[str, Any]) -> list[Section]:
    """Make the sections of a design.

    Parameters
    ----------
    design
        The design.
    settings
        Settings of the run, ``region`` and ``tolerance`` among them.
    """
    genes = list(dict.fromkeys(design.outcome["gene"].astype(str)))
    rows = [overview_row(design.outcome[design.outcome["gene"].astype(str) == gene]) for gene in genes]
    short = [row for row in rows if row["judged_short"]]
    warnings = []
    if short:
        warnings.append(
            f"The networks that only judge see less than {SHORT:.0%} of the wanted change for {len(short)} of {len(rows)} genes "
            f"({', '.join(row['gene'] for row in short[:5])}{' and others' if len(short) > 5 else ''}): those designs may please the "
            "optimised networks only."
        )
    if all(row["judged_share"] is None for row in rows):
        warnings.append(
            "No network was kept out to judge, so nothing here tells a design that holds from one that pleases its own networks."
        )
    sections = [
        Section(
            "finding",
            "What was reached",
            render("design_overview.html", rows=rows, settings=settings, short=SHORT),
            warnings=tuple(warnings),
        )
    ]
    for number, gene in enumerate(genes[:_GENES]):
        sections.append(_gene_section(design, number, gene, settings))
    sections.append(
        Section("method", "How to read this", render("design_method.html", left=len(genes) - _GENES))
    )
    return sections


def overview_row(outcome: pd.DataFrame) -> dict[str, Any]:
    """One gene in numbers: mean over its target cell types."""
    target = outcome[outcome["role"] == "target"]
    first = outcome.iloc[0]
    judged = float(first["judged_share"]) if pd.notna(first["judged_share"]) else None
    held = outcome[outcome["role"] == "held"]
    return {
        "gene": str(first["gene"]),
        "start": float(target["start"].mean()),
        "wanted": float(target["wanted"].mean()),
        "achieved": float(target["achieved"].mean()),
        "share": float(first["share"]),
        "short": bool(first["share"] < SHORT),
        "judged_share": judged,
        "judged_short": judged is not None and judged < SHORT,
        "drift": float((held["achieved"] - held["start"]).abs().max()) if len(held) else None,
        "edit_size": float(first["edit_size"]),
        "edited_blocks": int(first["edited_blocks"]),
    }


def _gene_section(design: DesignedEpigenome, number: int, gene: str, settings: Mapping[str, Any]) -> Section:
    outcome = design.outcome[design.outcome["gene"].astype(str) == gene]
    edits = design.edits[design.edits["gene"].astype(str) == gene]
    edits = edits.reindex(edits["change"].abs().sort_values(ascending=False).index)
    place = design.tracks.sequences.iloc[number]
    drawing = tracks_drawing(design, number, gene, tuple(settings.get("region", (-np.inf, np.inf))))
    members = None if design.members is None else design.members[design.members["gene"].astype(str) == gene]
    body = render(
        "design_gene.html",
        drawing=drawing,
        place=f"{place['chromosome']}:{int(place['start']) + 1:,}-{int(place['end']):,} ({place['strand']})"
        if str(place["chromosome"])
        else "",
        cell_types=[_cell_type_row(row) for row in outcome.itertuples()],
        members=_member_rows(members),
        names=[] if members is None else _member_names(members),
        edits=[_edit_row(row) for row in edits.head(_EDITS).to_dict("records")],
        total=len(edits),
    )
    return Section(f"gene_{number + 1}", gene, body, (drawing,))


def _cell_type_row(row: Any) -> dict[str, Any]:
    wanted = row.wanted - row.start
    share, judged = (
        (value - row.start) / wanted if row.role == "target" and abs(wanted) > 1e-9 else None
        for value in (row.achieved, row.judged)
    )
    judged = None if judged is None or judged != judged else judged
    return {
        "cell_type": str(row.cell_type),
        "role": str(row.role),
        "start": row.start,
        "wanted": row.wanted,
        "achieved": row.achieved,
        "judged": row.judged if row.judged == row.judged else None,
        "share": share,
        "judged_share": judged,
        "short": share is not None and share < SHORT,
        "judged_short": judged is not None and judged < SHORT,
    }


def _member_names(members: pd.DataFrame) -> list[str]:
    first = members.drop_duplicates("member")
    return [f"network {row.member} ({row.role})" for row in first.itertuples()]


def _member_rows(members: pd.DataFrame | None) -> list[dict[str, Any]]:
    """By cell type what each network predicts before and after."""
    if members is None:
        return []
    return [
        {
            "cell_type": str(name),
            "values": [f"{fixed(row.before, 2)} → {fixed(row.after, 2)}" for row in rows.itertuples()],
        }
        for name, rows in members.groupby("cell_type", sort=False)
    ]


def _edit_row(row: Mapping[str, Any]) -> dict[str, Any]:
    known = bool(row.get("chromosome"))
    return {
        **row,
        "genome": f"{row['chromosome']}:{int(row['genome_start']) + 1:,}-{int(row['genome_end']):,}"
        if known
        else "",
        "quantile": row.get("quantile"),
    }


def tracks_drawing(design: DesignedEpigenome, number: int, gene: str, region: Sequence[float]) -> Drawing:
    """Draw marks x cell types of one gene, before and after; start site and allowed region are marked.

    Parameters
    ----------
    design
        The design.
    number
        Row of the gene.
    gene
        Its name.
    region
        Base pairs from the start site within which edits were allowed.
    """
    after, before = np.asarray(design.tracks.values[number]), design.original[number]
    marks, size = design.tracks.tracks["name"].tolist(), design.tracks.bin_size
    edited = np.nansum(np.abs(after - before), axis=(1, 2))
    most = np.argsort(-edited, kind="stable")[: max(1, min(_CELL_TYPES, int((edited > 1e-6).sum())))]
    chosen = np.sort(most)
    edges = (np.arange(after.shape[-1] + 1) - after.shape[-1] // 2) * size / 1000
    with figure_style():
        figure = Figure(
            figsize=(1.4 + (2.6 if len(chosen) > 1 else 4.6) * len(chosen), 0.9 + 0.72 * len(marks))
        )
        axes = figure.subplots(len(marks), len(chosen), sharex=True, sharey="row", squeeze=False)
        for row, mark in enumerate(marks):
            for column, cell in enumerate(chosen):
                axis = axes[row, column]
                low, high = max(region[0] / 1000, edges[0]), min(region[1] / 1000, edges[-1])
                axis.axvspan(low, high, color=PALETTE[4], alpha=0.12, linewidth=0)
                axis.axvline(0, color=TEXT, linewidth=0.8, linestyle=(0, (3, 2)))
                if np.isfinite(before[cell, row]).all():
                    axis.stairs(before[cell, row], edges, fill=True, color=PALETTE[7], alpha=0.5, linewidth=0)
                    changed = np.where(
                        np.abs(after[cell, row] - before[cell, row]) > 1e-6, after[cell, row], np.nan
                    )
                    axis.stairs(changed, edges, color=PALETTE[1], linewidth=1.2, baseline=None)
                else:
                    axis.text(
                        0.5,
                        0.5,
                        "not measured",
                        ha="center",
                        va="center",
                        transform=axis.transAxes,
                        fontsize=7,
                    )
                axis.tick_params(labelsize=7)
                axis.set_xlim(edges[0], edges[-1])
                axis.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
                if row == 0:
                    axis.set_title(design.tracks.cell_types[cell], fontsize=8.5)
                if column == 0:
                    axis.set_ylabel(mark, fontsize=7.5, rotation=0, ha="right", va="center")
                if row == len(marks) - 1:
                    axis.set_xlabel("kb from the start site (TSS)", fontsize=7.5)
        figure.tight_layout(h_pad=0.3, w_pad=0.6)
    description = (
        f"Marks of {gene}, log(1 + signal), before (grey) and after (orange) the design, in {len(chosen)} of "
        f"{len(edited)} cell types; edits lie within {region[0]:,} to {region[1]:,} bp of the start site."
    )
    return Drawing(f"design_gene_{number + 1}", figure, description)
