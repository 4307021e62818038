"""Where a prediction holds: by how much a gene is expressed, and by cell type; one picture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.heat_map import heat_map
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, fixed, render
from cistron.report.result import Result

_PARTS = ("lowest fifth", "second", "third", "fourth", "highest fifth")
_MOST_TYPES = 24  # a picture that can be read


def strata_section(
    result: Result, stratum: str, level: str, names: Sequence[str], prefix: str
) -> Section | None:
    """Draw the median correlation of genes by fifths of expression, and the overlap of leading genes by cell type.

    Parameters
    ----------
    result
        What ``evaluate expression`` wrote.
    stratum, level
        What is shown.
    names
        Predictions in their order.
    prefix
        Start of the name of the figure.

    Returns
    -------
    Section or None
        ``None`` where neither can be drawn (tables of an earlier version).
    """
    keys = ("embedding", "target", "stratum")
    genes = result.table("per_gene.parquet", (*keys, "gene"), ("pearson_across_cells",))
    types = result.table("per_type.parquet", (*keys, "cell"), ("overlap", "overlap_chance"))
    tables = []
    if genes is not None and "expression" in genes:
        tables.append(("median r across " + level, _by_expression(_shown(genes, stratum, level, names))))
    if types is not None:
        tables.append(("overlap of the leading genes", _by_type(_shown(types, stratum, level, names))))
    tables = [(heading, table) for heading, table in tables if len(table)]
    if not tables:
        return None
    widths = [max(2, table["column"].nunique()) for _, table in tables]
    present = [name for name in names if any(name in set(table["embedding"]) for _, table in tables)]
    with figure_style():
        figure = Figure(figsize=(3.0 + 0.52 * sum(widths), 1.9 + 0.34 * len(present)))
        grid = figure.subplots(1, len(tables), squeeze=False, width_ratios=widths)[0]
        for place, (axes, (heading, table)) in enumerate(zip(grid, tables)):
            columns = list(dict.fromkeys(table["column"]))
            heat_map(
                table, axes, row="embedding", column="column", row_order=present, column_order=columns,
                decimals=2, limit=1.0,
            )  # fmt: skip
            axes.set_title(heading, fontsize=9)
            if place:
                axes.set_yticklabels([])
    words = "; ".join(
        f"{row.embedding}, {row.column}: {fixed(row.value, 2)}"
        for _, table in tables
        for row in table.itertuples()
    )
    drawing = Drawing(
        f"{prefix}strata", figure, f"Scores by expression of the gene and by cell type ({stratum}). {words}"
    )
    chance = float(types["overlap_chance"].max()) if types is not None and len(types) else float("nan")
    body = render("expression_strata.html", drawing=drawing, stratum=stratum, level=level, chance=chance)
    return Section("strata", "Where the predictions hold", body, (drawing,))


def _shown(table: pd.DataFrame, stratum: str, level: str, names: Sequence[str]) -> pd.DataFrame:
    chosen = (table["stratum"].astype(str) == stratum) & (table["target"].astype(str) == level)
    return table[chosen & table["embedding"].astype(str).isin(names)]


def _by_expression(genes: pd.DataFrame) -> pd.DataFrame:
    """Median correlation of the genes of each fifth of mean observed expression: ``embedding, column, value``."""
    known = genes.dropna(subset=["expression", "pearson_across_cells"])
    rows = []
    for name, own in known.groupby(known["embedding"].astype(str), sort=False):
        order = own["expression"].rank(method="first").to_numpy()
        part = np.minimum((order - 1) * len(_PARTS) // max(len(own), 1), len(_PARTS) - 1).astype(int)
        for number, label in enumerate(_PARTS):
            values = own["pearson_across_cells"].to_numpy()[part == number]
            if len(values):
                rows.append({"embedding": name, "column": label, "value": float(np.median(values))})
    return pd.DataFrame(rows, columns=["embedding", "column", "value"])


def _by_type(types: pd.DataFrame) -> pd.DataFrame:
    """Overlap of the leading genes of each type; of many types those in which it differs most from the others."""
    known = types.dropna(subset=["overlap"])
    mean = known.groupby(known["cell"].astype(str))["overlap"].mean().sort_values(ascending=False)
    kept = list(mean.index)
    if len(kept) > _MOST_TYPES:
        kept = [*kept[: _MOST_TYPES // 2], *kept[-_MOST_TYPES // 2 :]]
    rows = known[known["cell"].astype(str).isin(kept)]
    made = pd.DataFrame(
        {
            "embedding": rows["embedding"].astype(str),
            "column": rows["cell"].astype(str),
            "value": rows["overlap"].astype(float),
        }
    )
    return made.sort_values("column", key=lambda names: names.map({name: n for n, name in enumerate(kept)}))
