"""The sections of a run of ``cistron sequence enhancers``: loci, contributions over distance, places at like distance."""

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.contribution_plot import contribution_plot, locus_plot
from cistron.plots.style import PALETTE, figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_LOCI = 4
_LISTED = 200


def contribution_sections(result: Result, prefix: str = "enhancer_contributions_") -> list[Section]:
    """Make the sections of one run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    table = result.table(
        "contributions.parquet",
        ("name", "gene", "method"),
        ("score", "agnostic", "distance", "start", "end", "start_site"),
    )
    places = result.table("controls.parquet", ("method",), ("score", "distance"))
    scores = result.scores
    drawings: list[Drawing] = []
    rows: list[dict[str, object]] = []
    if table is not None:
        table = table.astype({"name": str, "gene": str, "method": str})
        methods = tuple(dict.fromkeys(table["method"]))
        drawings = [
            _distances(table, places, methods, f"{prefix}distance"),
            _loci(table, methods, f"{prefix}loci"),
        ]
        rows = table.sort_values("score", ascending=False).head(_LISTED).to_dict("records")
    words = {
        "drawings": drawings,
        "rows": rows,
        "facts": result.results,
        "compared": scores[scores["metric"] == "auroc_against_like_distance"].to_dict("records"),
        "near": scores[scores["metric"] == "spearman_with_nearness"].to_dict("records"),
    }
    return [
        Section(
            "finding",
            "Which elements contribute",
            render("contributions_finding.html", **words),
            tuple(drawings),
        ),
        Section("pairs", "The strongest pairs", render("contributions_pairs.html", **words)),
        Section("method", "How to read these figures", render("contributions_method.html", **words)),
    ]


def _distances(
    table: pd.DataFrame, places: pd.DataFrame | None, methods: tuple[str, ...], name: str
) -> Drawing:
    with figure_style():
        figure = Figure(figsize=(2.9 * len(methods) + 0.6, 2.8), layout="constrained")
        axes = figure.subplots(1, len(methods), squeeze=False)[0]
        for number, (ax, method) in enumerate(zip(axes, methods)):
            beside = None if places is None else places[places["method"] == method]
            contribution_plot(
                table[table["method"] == method], ax, places=beside, colour=PALETTE[number], label="score"
            )
            ax.set_title(method, fontsize=9)
    return Drawing(
        name,
        figure,
        "Score of each element over its distance to the start site; grey: random places at like distance.",
    )


def _loci(table: pd.DataFrame, methods: tuple[str, ...], name: str) -> Drawing:
    """The genes with the strongest elements by the first method."""
    first = table[table["method"] == methods[0]].sort_values("score", ascending=False)
    genes = list(dict.fromkeys(first["gene"]))[:_LOCI]
    with figure_style():
        figure = Figure(figsize=(7.2, 1.5 * len(genes) + 0.4), layout="constrained")
        axes = figure.subplots(len(genes), 1, squeeze=False)[:, 0]
        for ax, gene in zip(axes, genes):
            own = table[table["gene"] == gene]
            span = float((own["end"].max() - own["start"].min()) or 1)
            locus_plot(own, ax, methods=methods, width=max(200.0, span / 80))
            ax.set_title(gene, fontsize=9, loc="left")
    return Drawing(
        name,
        figure,
        f"Elements of {', '.join(genes)} along the genome, bars as high as their share of the largest score of each method.",
    )
