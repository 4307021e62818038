"""The figures of the task ``gwas``, sized by what they hold, with a remark on every mark."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cistron.plots import (
    PALETTE,
    box_plot,
    common_limits,
    figure_style,
    full_against_null,
    heat_map,
    interval_plot,
    signed,
    similar_order,
)
from cistron.plots.heat_map import CELL_INCHES
from cistron.plots.style import short_labels
from cistron.report.drawing import Drawing
from cistron.report.gwas_scores import GwasScores
from cistron.report.page import fixed

_LEFT = 2.6  # inches left of the axes for the longest label; saving crops what stays empty
_PANELS_A_ROW = 3


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Make axes of a given size in inches; the figure is cropped or grown to its contents when saved."""
    figure = Figure(figsize=(width + _LEFT + 1.0, height + 1.0))
    axes = figure.add_axes(
        (_LEFT / figure.get_figwidth(), 0.6 / figure.get_figheight(),
         width / figure.get_figwidth(), height / figure.get_figheight())
    )  # fmt: skip
    return figure, axes


def _interval_text(row: pd.Series) -> str:
    known = row["low"] == row["low"] and row["high"] == row["high"]
    return f" ({signed(row['low'])} to {signed(row['high'])})" if known else ""


def _remark(row: pd.Series) -> str:
    control = row["control_value"]
    tail = f", control {signed(control)}" if control == control else ""
    return f"{row['target']} · {row['label']}: ΔR² {signed(row['value'])}{_interval_text(row)}{tail}"


def colour_of(scores: GwasScores, label: str) -> str:
    """Give an embedding the same colour in every figure."""
    return PALETTE[scores.labels.index(label) % len(PALETTE)]


def summary_drawing(scores: GwasScores, prefix: str) -> Drawing:
    """Draw the median gain of every embedding with its interval and control."""
    table = pd.DataFrame(scores.ranking).rename(columns={"control": "control_value"})
    with figure_style():
        figure, axes = _axes(5.2, 0.34 * len(table) + 0.3)
        interval_plot(table, axes, row="label", label="median ΔR² over traits (cross: permuted control)")
    remarks = {
        f"point-{number}": [f"{row['label']}: median ΔR² {signed(row['value'])}{_interval_text(row)}"]
        for number, (_, row) in enumerate(table.iterrows())
        if row["value"] == row["value"]
    }
    words = "; ".join(f"{row['label']} {signed(row['value'])}" for _, row in table.iterrows())
    return Drawing(f"{prefix}summary", figure, f"Median gain in R² of each embedding: {words}.", remarks)


def heat_map_drawing(scores: GwasScores, prefix: str) -> Drawing:
    """Draw the gain of every trait and embedding; similar traits are neighbours, the best embedding is left."""
    table = scores.traits()
    wide = table.pivot(index="target", columns="label", values="value").reindex(columns=scores.labels)
    order = similar_order(wide.astype(float))
    if wide.loc[order[: len(order) // 2]].mean().mean() < wide.loc[order[len(order) // 2 :]].mean().mean():
        order = order[::-1]  # either direction is a valid leaf order: the stronger half goes first
    with figure_style():
        figure, axes = _axes(CELL_INCHES[0] * wide.shape[1], CELL_INCHES[1] * wide.shape[0])
        heat_map(table, axes, column="label", row_order=order, column_order=scores.labels)
    cells = {(row["target"], row["label"]): _remark(row) for _, row in table.iterrows()}
    remarks = [
        cells.get((trait, label), f"{trait} · {label}: not scored")
        for trait in order
        for label in scores.labels
    ]
    description = (
        f"Heat map of the gain in R² of {wide.shape[0]} traits by {wide.shape[1]} embeddings; "
        "the table of traits has the same numbers."
    )
    return Drawing(f"{prefix}heat_map", figure, description, {"cells": remarks})


def box_drawing(scores: GwasScores, prefix: str) -> Drawing:
    """Draw the spread of the gain over traits for each embedding, with its control."""
    table = scores.traits()
    with figure_style():
        figure, axes = _axes(5.6, 0.62 * len(scores.labels) + 0.3)
        box_plot(table, axes, group="label", group_order=scores.labels, label="ΔR² of a trait")
    remarks = {}
    for number, label in enumerate(scores.labels):
        rows = table[table["label"] == label]
        remarks[f"points-{number}"] = [
            _remark(row) for _, row in rows.iterrows() if row["value"] == row["value"]
        ]
    description = (
        f"Box plots of the gain in R² over traits for {', '.join(scores.labels)}, each with its control."
    )
    return Drawing(f"{prefix}box_plot", figure, description, remarks)


def trait_interval_drawing(scores: GwasScores, prefix: str) -> Drawing:
    """Draw the gain of every trait with its interval, for the best embedding."""
    label = scores.labels[0]
    table = scores.traits()
    table = table[table["label"] == label].sort_values("value", ascending=False)
    with figure_style():
        figure, axes = _axes(5.2, 0.235 * len(table) + 0.3)
        colour = [colour_of(scores, label)]
        interval_plot(
            table,
            axes,
            row="target",
            colours=colour,
            label=f"ΔR² of {short_labels([label])[0]} (cross: control)",
        )
    remarks = {
        f"point-{number}": [_remark(row)]
        for number, (_, row) in enumerate(table.iterrows())
        if row["value"] == row["value"]
    }
    return Drawing(
        f"{prefix}intervals", figure, f"Gain in R² of each trait with its interval, for {label}.", remarks
    )


def null_drawing(scores: GwasScores, prefix: str) -> Drawing | None:
    """Draw R2 of the full model over R2 of the covariates, one panel an embedding; nothing without R2 rows."""
    table = scores.traits("r2")
    labels = [label for label in scores.labels if (table["label"] == label).any()]
    if not labels:
        return None
    columns = min(_PANELS_A_ROW, len(labels))
    rows = -(-len(labels) // columns)
    limits = common_limits(table)
    remarks: dict[str, list[str]] = {}
    with figure_style():
        figure = Figure(figsize=(3.1 * columns + 0.4, 3.3 * rows), layout="constrained")
        grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for number, (axes, label) in enumerate(zip(grid, labels)):
            panel = table[table["label"] == label]
            full_against_null(panel, axes, colour=colour_of(scores, label), limits=limits)
            axes.set_title(short_labels([label], 30)[0])
            axes.collections[0].set_gid(f"points-{number}")
            remarks[f"points-{number}"] = [
                f"{row['target']} · {label}: R² {fixed(row['value'])}, covariates alone {fixed(row['null_value'])}"
                for _, row in panel.iterrows()
                if row["value"] == row["value"] and row["null_value"] == row["null_value"]
            ]
        for axes in grid[len(labels) :]:
            axes.remove()
    description = (
        "R² of the full model against R² of the covariates alone, one point a trait, for " + ", ".join(labels)
    )
    return Drawing(f"{prefix}full_against_null", figure, description, remarks)
