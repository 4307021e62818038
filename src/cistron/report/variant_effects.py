"""The sections of a run of ``cistron sequence variants``: where the strongest variants lie, how they compare with chance."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.style import figure_style
from cistron.plots.variant_plot import variant_plot
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_TEXT, _NUMBERS = (
    ("chromosome", "ref", "alt", "id", "track"),
    ("position", "magnitude", "direction", "log_ratio", "p_value"),
)
_LISTED = 200


def variant_sections(result: Result, prefix: str = "variant_effects_") -> list[Section]:
    """Make the sections of one run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    table = result.table("variants.parquet", _TEXT, _NUMBERS)
    controls = result.table("controls.parquet", (), ("magnitude",))
    sections = []
    if table is not None and len(table):
        table = table.astype(dict.fromkeys(_TEXT, str))
        limit = None if controls is None else float(np.quantile(controls["magnitude"], 0.95))
        drawing = _drawing(table, limit, f"{prefix}places")
        scores = {row.metric: row for row in result.scores.itertuples()}
        screens = result.scores[result.scores["metric"].isin(["pearson_with_exact", "spearman_with_exact"])]
        words = {
            "table": table.nlargest(1, "magnitude").to_dict("records")[0],
            "compared": scores.get("auroc_against_random_substitutions"),
            "share": result.results.get("share_above_controls"),
            "controls": 0 if controls is None else len(controls),
            "facts": result.results,
            "screens": screens.to_dict("records"),
            "drawing": drawing,
        }
        sections.append(
            Section(
                "places", "Which variants change most", render("variants_places.html", **words), (drawing,)
            )
        )
        rows = table.nlargest(_LISTED, "magnitude").to_dict("records")
        sections.append(
            Section(
                "variants",
                "The strongest variants",
                render("variants_table.html", rows=rows, total=len(table)),
            )
        )
    sections.append(
        Section("method", "How to read this", render("variants_method.html", facts=result.results))
    )
    return sections


def _drawing(table: pd.DataFrame, limit: float | None, name: str) -> Drawing:
    with figure_style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        variant_plot(table, figure.subplots(), limit=limit)
    remarks = [
        f"{row.chromosome}:{row.position:,} {row.ref[:20]}>{row.alt[:20]} {row.id}: {row.track} {row.log_ratio:+.3f}"
        for row in table.itertuples()
    ]
    line = "" if limit is None else " The dashed line is what 95% of random substitutions nearby stay below."
    return Drawing(
        name,
        figure,
        f"Mean absolute log2 ratio over tracks of each variant, by place.{line}",
        {"points": remarks},
    )
