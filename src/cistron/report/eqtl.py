"""The sections of the task ``eqtl``: ROC curves by tissue, folds side by side, direction by distance, how to read them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.interval_plot import interval_plot
from cistron.plots.roc_plot import roc_plot
from cistron.plots.style import figure_style, short_labels
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_PANELS = 12
_SHOWN = "forest, folds by gene"


def eqtl_sections(result: Result, prefix: str = "eqtl_") -> list[Section]:
    """Make the sections of one ``cistron evaluate variants --eqtl`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    scores = result.scores
    areas = scores[scores["metric"] == "auroc"]
    means = areas[areas["target"].str.startswith("mean of")]
    whole = means[means["stratum"] == "all"]
    drawings = [_intervals(whole, f"{prefix}means")]
    predictions = result.table("predictions.parquet", ("tissue", "embedding", "model"), ("positive", "score"))
    if predictions is not None:
        drawings.append(_curves(predictions, f"{prefix}roc"))
    gains = scores[(scores["metric"] == "auroc_gain") & scores["target"].str.startswith("mean of")]
    tissues = areas[~areas["target"].str.startswith("mean of")]
    signs = scores[scores["metric"].str.startswith("direction_")]
    words = {
        "drawings": drawings,
        "facts": result.results,
        "means": whole.sort_values("value", ascending=False).to_dict("records"),
        "gains": gains[gains["stratum"] == "all"].to_dict("records"),
        "strata": means[means["stratum"] != "all"].to_dict("records"),
        "rows": tissues.to_dict("records"),
        "signs": signs.to_dict("records"),
    }
    sections = [
        Section(
            "finding",
            "Causal variants and matched ones",
            render("eqtl_finding.html", **words),
            tuple(drawings),
        ),
        Section("tissues", "Each tissue", render("eqtl_tissues.html", **words)),
    ]
    if len(signs):
        drawing = _directions(signs[signs["metric"] == "direction_auroc"], f"{prefix}direction")
        body = render("eqtl_direction.html", drawing=drawing, **words)
        sections.append(Section("direction", "Direction of the effect", body, (drawing,)))
    sections.append(Section("method", "How to read these figures", render("eqtl_method.html", **words)))
    return sections


def _spoken(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row.label} {row.value:.3f}, interval {row.low:.3f} to {row.high:.3f}" for row in rows.itertuples()
    )


def _intervals(rows: pd.DataFrame, name: str) -> Drawing:
    shown = rows.assign(label=rows["embedding"] + ", " + rows["model"].str.removeprefix("forest, "))
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * len(shown)), layout="constrained")
        ax = figure.subplots()
        interval_plot(shown, ax, row="label", label="AUROC, mean over tissues (grey cross: permuted classes)")
        ax.axvline(0.5, color="0.6", linestyle="--", linewidth=0.9)
        ax.set_xlim(left=max(0.0, min(0.4, float(np.nanmin(shown["low"])) - 0.02)))
    return Drawing(name, figure, _spoken(shown))


def _curves(predictions: pd.DataFrame, name: str) -> Drawing:
    """ROC curves of held-out ranks, one panel a tissue, one line a table of scores and baseline."""
    table = predictions.astype({"tissue": str, "embedding": str, "model": str})
    kinds = set(table["model"])
    model = _SHOWN if _SHOWN in kinds else sorted(kinds)[0]
    table = table[table["model"] == model]
    tissues = list(dict.fromkeys(table["tissue"]))[:_PANELS]
    columns = min(4, len(tissues))
    lines = -(-len(tissues) // columns)
    with figure_style():
        figure = Figure(figsize=(2.3 * columns + 0.6, 2.3 * lines + 0.3), layout="constrained")
        axes = np.atleast_1d(figure.subplots(lines, columns, squeeze=False)).ravel()
        for ax in axes[len(tissues) :]:
            ax.set_axis_off()
        for number, (ax, tissue, label) in enumerate(zip(axes, tissues, short_labels(tissues, 22))):
            own = table[table["tissue"] == tissue]
            curves = [
                _curve(rows).assign(embedding=key) for key, rows in own.groupby("embedding", sort=False)
            ]
            roc_plot(pd.concat(curves), ax, legend=number == 0)
            ax.set_title(label, fontsize=8)
        figure.supxlabel("false positives", fontsize=8)
        figure.supylabel("true positives", fontsize=8)
    return Drawing(name, figure, f"ROC curves of held-out variants of each tissue, {model}.")


def _curve(rows: pd.DataFrame) -> pd.DataFrame:
    order = np.argsort(-rows["score"].to_numpy(), kind="stable")
    score, positive = rows["score"].to_numpy()[order], rows["positive"].to_numpy()[order].astype(bool)
    last = np.flatnonzero(np.r_[score[1:] != score[:-1], True])
    true, false = np.cumsum(positive)[last], np.cumsum(~positive)[last]
    return pd.DataFrame(
        {
            "false_positives": np.r_[0, false / max(1, false[-1])],
            "true_positives": np.r_[0, true / max(1, true[-1])],
        }
    )


def _directions(rows: pd.DataFrame, name: str) -> Drawing:
    shown = rows.assign(label=rows["embedding"] + ", " + rows["model"] + ", " + rows["stratum"])
    with figure_style():
        figure = Figure(figsize=(7.2, 1.0 + 0.3 * len(shown)), layout="constrained")
        ax = figure.subplots()
        interval_plot(shown, ax, row="label", label="AUROC of the sign (grey cross: permuted scores)")
        ax.axvline(0.5, color="0.6", linestyle="--", linewidth=0.9)
        ax.set_xlim(left=max(0.0, min(0.4, float(np.nanmin(shown["low"])) - 0.02)))
    return Drawing(name, figure, _spoken(shown))
