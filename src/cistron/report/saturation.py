"""The sections of a run of ``cistron sequence saturate``: a logo a region, motifs, the strongest changes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.logo_plot import logo_plot
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_CHANGES = ("to_A", "to_C", "to_G", "to_T")
_PER_LINE = 150  # letters of a line of a logo
_DRAWN = 6  # regions that are drawn; all are in the tables


def saturation_sections(result: Result, prefix: str = "saturation_") -> list[Section]:
    """Make the sections of one run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    letters = result.table(
        "letters.parquet", ("region", "chromosome", "letter"), ("position", "contribution", *_CHANGES)
    )
    motifs = result.table(
        "motifs.parquet", ("region", "motif", "strand"), ("start", "end", "p_value", "contribution")
    )
    sections = []
    if letters is not None and len(letters):
        letters = letters.astype({"region": str, "chromosome": str, "letter": str})
        if motifs is not None:
            motifs = motifs.astype({"region": str, "motif": str, "strand": str})
        regions = list(dict.fromkeys(letters["region"]))
        drawings = tuple(
            _logo(letters[letters["region"] == name], motifs, f"{prefix}logo_{number}")
            for number, name in enumerate(regions[:_DRAWN], 1)
        )
        rows = result.scores.to_dict("records")
        words = {
            "logos": list(zip(regions, drawings)),
            "regions": len(regions),
            "facts": result.results,
            "motifs": [] if motifs is None else motifs.to_dict("records"),
            "rows": rows,
        }
        sections.append(
            Section("logo", "What each letter is worth", render("saturation_logo.html", **words), drawings)
        )
    sections.append(
        Section("method", "How to read this", render("saturation_method.html", facts=result.results))
    )
    return sections


def _logo(region: pd.DataFrame, motifs: pd.DataFrame | None, name: str) -> Drawing:
    text, values = "".join(region["letter"]), region["contribution"].to_numpy(np.float64)
    own = None if motifs is None else motifs[motifs["region"] == region["region"].iloc[0]]
    cuts = list(range(0, len(text), _PER_LINE))
    with figure_style():
        figure = Figure(figsize=(9.5, 2.3 * len(cuts)), layout="constrained")
        for axes, low in zip(figure.subplots(len(cuts), 1, squeeze=False)[:, 0], cuts):
            high = min(low + _PER_LINE, len(text))
            here = None
            if own is not None:
                here = own[(own["start"] >= low) & (own["end"] <= high)]
                here = here.assign(start=here["start"] - low, end=here["end"] - low)
            first = int(region["position"].iloc[low]) - 1
            chromosome = str(region["chromosome"].iloc[0])
            logo_plot(text[low:high], values[low:high], axes, start=first, chromosome=chromosome, motifs=here)
    named = "" if own is None or own.empty else f" Motifs: {', '.join(own['motif'])}."
    return Drawing(name, figure, f"Contribution of each letter of {region['region'].iloc[0]}.{named}")
