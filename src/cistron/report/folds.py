"""The sections of a run of ``sequence folds``: what the folds hold, what they share, where they lie."""

import pandas as pd
from matplotlib.figure import Figure

from cistron.plots.fold_map import fold_map
from cistron.plots.style import figure_style
from cistron.report.drawing import Drawing
from cistron.report.page import Section, render
from cistron.report.result import Result

_CHROMOSOMES = 24


def fold_sections(result: Result, prefix: str = "folds_") -> list[Section]:
    """Make the sections of one ``cistron sequence folds`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures, so that several runs fit on one page.
    """
    report = dict(result.results["report"])
    drawings = []
    for organism in report["sequences"]:
        path = result.folder / f"{organism}.bed"
        if path.exists():
            drawings.append(_map(path, organism, report["folds"], f"{prefix}{organism}"))
    rows = [
        {
            "organism": organism,
            "fold": name,
            "sequences": count,
            "base_pairs": report["base_pairs"][organism][name],
            "share": report["base_pairs"][organism][name]
            / max(1, sum(report["base_pairs"][organism].values())),
            "shared": report["leaks"]["organisms"][organism]["sequences"][name],
        }
        for organism, counts in report["sequences"].items()
        for name, count in counts.items()
    ]
    body = render("folds_finding.html", report=report, rows=rows, drawings=drawings)
    return [
        Section("finding", "What the folds hold and share", body, tuple(drawings)),
        Section("method", "How to read this", render("folds_method.html", report=report)),
    ]


def _map(path, organism: str, folds: list[str], name: str) -> Drawing:  # type: ignore[no-untyped-def]
    table = pd.read_csv(
        path, sep="\t", header=None, names=["chromosome", "start", "end", "fold"], dtype={"chromosome": str}
    )
    chromosomes = min(_CHROMOSOMES, table["chromosome"].nunique())
    with figure_style():
        figure = Figure(figsize=(7.2, 1.1 + 0.2 * max(chromosomes, 4)))
        fold_map(table, figure.add_subplot(), folds=folds, chromosomes=_CHROMOSOMES)
    counts = table["fold"].value_counts()
    description = f"Folds of {organism} along its chromosomes: " + ", ".join(
        f"{fold} {int(counts.get(fold, 0)):,} sequences" for fold in folds
    )
    return Drawing(name, figure, description)
