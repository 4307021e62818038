"""The sections of the task ``variants``: correlation of each element, predicted against measured, how to read them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.style import PALETTE, figure_style, short_labels
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_PANELS = 50


def mpra_sections(result: Result, prefix: str = "variants_") -> list[Section]:
    """Make the sections of one ``cistron evaluate variants`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores[result.scores["stratum"] == "tested rows"]
    means = scores[scores["target"].str.startswith("mean of")].sort_values("value", ascending=False)
    several = means["dataset"].nunique() > 1
    shown = means.assign(
        label=(means["dataset"] + ": " if several else "") + means["embedding"] + ", " + means["model"]
    )
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.36 * len(shown)), layout="constrained")
        interval_plot(
            shown,
            figure.subplots(),
            row="label",
            label="Pearson, mean over elements (grey cross: lasso of permuted effects)",
        )
    words = "; ".join(
        f"{row.label} {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}" for row in shown.itertuples()
    )
    drawings = [Drawing(f"{prefix}means", figure, words)]
    predictions = result.table(
        "predictions.parquet", ("element", "embedding", "model"), ("value", "predicted")
    )
    if predictions is not None and len(means):
        drawings.append(
            _panels(
                predictions, str(means["embedding"].iloc[0]), str(means["model"].iloc[0]), f"{prefix}elements"
            )
        )
    rows = scores[~scores["target"].str.startswith("mean of")].to_dict("records")
    body = render("mpra_finding.html", drawings=drawings, rows=means.to_dict("records"), facts=result.results)
    return [
        Section("finding", "Predicted and measured effects", body, tuple(drawings)),
        Section("elements", "Each element", render("mpra_elements.html", rows=rows)),
        Section("method", "How to read these figures", render("mpra_method.html", facts=result.results)),
    ]


def _panels(predictions: pd.DataFrame, name: str, model: str, file: str) -> Drawing:
    """Predicted against measured effect, one panel an element."""
    table = predictions.astype({"element": str, "embedding": str, "model": str})
    own = table[(table["embedding"] == name) & (table["model"] == model)]
    elements = list(dict.fromkeys(own["element"]))[:_PANELS]
    columns = min(5, len(elements))
    lines = -(-len(elements) // columns)
    with figure_style():
        figure = Figure(figsize=(1.9 * columns + 0.4, 1.9 * lines + 0.3), layout="constrained")
        axes = np.atleast_1d(figure.subplots(lines, columns, squeeze=False)).ravel()
        for ax in axes[len(elements) :]:
            ax.set_axis_off()
        for ax, element, label in zip(axes, elements, short_labels(elements, 18)):
            rows = own[own["element"] == element]
            ax.scatter(rows["predicted"], rows["value"], s=5, color=PALETTE[0], alpha=0.5, linewidth=0)
            ax.set_title(label, fontsize=8)
        figure.supxlabel("predicted", fontsize=8)
        figure.supylabel("measured", fontsize=8)
    return Drawing(
        file,
        figure,
        f"Measured over predicted effect of the tested variants of each element, {name}, {model}.",
    )
