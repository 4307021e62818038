"""Figures on the page of one gene: tracks around its start site, and what a peak of each mark does."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from cistron.plots.heat_map import CELL_INCHES, heat_map
from cistron.plots.style import PALETTE, TEXT, figure_style, short_labels, signed
from cistron.report.drawing import Drawing
from cistron.report.gene_evidence import height


def tracks_drawing(tracks: Sequence[Mapping[str, Any]], gene: str, name: str) -> Drawing:
    """Draw tracks below each other, each by its own maximum.

    Parameters
    ----------
    tracks
        Of :class:`cistron.report.gene_evidence.GeneEvidence`.
    gene
        Name of the gene, for the description.
    name
        Name of the figure.
    """
    labels = short_labels([f"{one['track']}{' ' * number}" for number, one in enumerate(tracks)], 26)
    remarks: dict[str, list[str]] = {}
    with figure_style():
        figure = Figure(figsize=(7.2, 0.7 + 0.5 * len(tracks)))
        axes = figure.subplots(len(tracks), 1, sharex=True, squeeze=False)[:, 0]
        for number, (axis, one) in enumerate(zip(axes, tracks)):
            known = [(place, step) for place, step in enumerate(one["values"]) if step is not None]
            left = np.array([one["start"] + place * one["bin"] for place, _ in known]) / 1000
            wide, high = one["bin"] / 1000, np.array([max(step, 0.5) for _, step in known])
            boxes = [
                [(x, 0), (x, y), (x + wide, y), (x + wide, 0)] for x, y in zip(left.tolist(), high.tolist())
            ]
            axis.add_collection(
                PolyCollection(boxes, facecolor=PALETTE[0], linewidth=0, gid=f"track{number}")
            )
            remarks[f"track{number}"] = [
                f"{one['track']}, {place_text(one['start'] + place * one['bin'], one['bin'])}: {height(one, step):.3g}"
                for place, step in known
            ]
            axis.axvline(0, color=TEXT, linewidth=0.8, linestyle=(0, (3, 2)))
            axis.set_xlim(one["start"] / 1000, (one["start"] + len(one["values"]) * one["bin"]) / 1000)
            axis.set_ylim(0, 105)
            axis.set_yticks([])
            axis.set_ylabel(labels[number].rstrip(), fontsize=7.5, rotation=0, ha="right", va="center")
            axis.text(1.005, 0.5, f"{one['top']:.3g}", transform=axis.transAxes, fontsize=7, va="center")
        axes[-1].set_xlabel(
            "kb from the start site, in the direction of transcription (right: highest value)"
        )
    highest = "; ".join(f"{one['track']} up to {one['top']:.3g}" for one in tracks)
    return Drawing(name, figure, f"Predicted tracks around the start site of {gene}: {highest}", remarks)


def place_text(start: int, width: int) -> str:
    """``+128 to +256 bp``."""
    return f"{signed(start, 0)} to {signed(start + width, 0)} bp"


def marks_drawing(found: Mapping[str, Any], gene: str, name: str) -> Drawing:
    """Draw the effect of a peak, marks x places.

    Parameters
    ----------
    found
        A map of :class:`cistron.report.gene_evidence.GeneEvidence`.
    gene
        Name of the gene, for the description.
    name
        Name of the figure.
    """
    places = [f"{(start + found['width'] / 2) / 1000:+.6g}" for start in found["starts"]]
    rows = [
        {"mark": mark, "place": place, "value": np.nan if value is None else value}
        for mark, values in zip(found["marks"], found["effect"])
        for place, value in zip(places, values)
    ]
    with figure_style():
        figure = Figure(
            figsize=(1.5 + CELL_INCHES[0] * 0.8 * len(places), 1.2 + CELL_INCHES[1] * len(found["marks"]))
        )
        axes = figure.add_subplot()
        heat_map(
            pd.DataFrame(rows),
            axes,
            row="mark",
            column="place",
            row_order=found["marks"],
            column_order=places,
            decimals=2,
        )
        axes.set_xlabel("middle of the peak, kb from the start site, in the direction of transcription")
    remarks = [
        f"{mark}, {place_text(start, found['width'])}: {'not known' if value is None else signed(value, 3)}"
        for mark, values in zip(found["marks"], found["effect"])
        for start, value in zip(found["starts"], values)
    ]
    said = "; ".join(strongest(found))
    return Drawing(name, figure, f"What a peak of each mark does to {gene}. {said}", {"cells": remarks})


def strongest(found: Mapping[str, Any]) -> list[str]:
    """The strongest effect of each mark, in words."""
    lines = []
    for mark, values in zip(found["marks"], found["effect"]):
        numbers = np.array([np.nan if value is None else value for value in values])
        if not np.isfinite(numbers).any():
            continue
        at = int(np.nanargmax(np.abs(numbers)))
        verb = "raises" if numbers[at] > 0 else "lowers"
        lines.append(
            f"{mark} {verb} predicted expression most at {place_text(found['starts'][at], found['width'])}, by {abs(numbers[at]):.2f}"
        )
    return lines
