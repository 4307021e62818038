"""The sections of the task ``gwas``: finding, coverage, figures, table of traits, gene view, method."""

from typing import Any

import pandas as pd

from cistron.report import gwas_drawings as drawings
from cistron.report.gene_view import gene_section
from cistron.report.gwas_finding import finding, finding_warnings, verdict
from cistron.report.gwas_scores import GwasScores
from cistron.report.page import Section, render
from cistron.report.result import Result


def gwas_sections(result: Result, prefix: str = "gwas_") -> list[Section]:
    """Make the sections of one ``cistron evaluate gwas`` run.

    Parameters
    ----------
    result
        What the run wrote.
    prefix
        Start of the names of figures and identifiers, so that several runs fit on one page.

    Returns
    -------
    list of Section
        In reading order.
    """
    scores = GwasScores(result.scores)
    coverage = coverage_table(result, scores)
    sections = [
        _finding_section(scores, coverage, prefix),
        _coverage_section(scores, coverage, prefix),
        _heat_map_section(scores, prefix),
        _distribution_section(scores, prefix),
        _null_section(scores, prefix),
        _trait_section(result, scores, prefix),
        gene_section(result, scores.ranking, prefix),
        _method_section(result, scores),
    ]
    return [section for section in sections if section is not None]


def coverage_table(result: Result, scores: GwasScores) -> list[dict[str, Any]]:
    """Join what the run recorded about coverage with the number of genes scored; ``share`` is matched of scored."""
    traits = scores.traits()
    recorded = {str(entry["embedding"]): entry for entry in result.results.get("coverage", [])}
    rows = []
    for embedding in dict.fromkeys(record["embedding"] for record in scores.ranking):
        entry = recorded.get(embedding, {})
        scored = entry.get("trait_genes", traits.loc[traits["embedding"] == embedding, "n"].max())
        scored = None if pd.isna(scored) else int(scored)
        matched = entry.get("matched")
        share = matched / scored if matched is not None and scored else None
        fields = {name: entry.get(name) for name in ("genes", "dimensions", "evidence", "method")}
        filled = next(
            (record["filled"] for record in scores.ranking if record["embedding"] == embedding), None
        )
        rows.append(
            {
                "embedding": embedding,
                **fields,
                "matched": matched,
                "scored": scored,
                "share": share,
                "filled": filled,
            }
        )
    return rows


def _finding_section(scores: GwasScores, coverage: list[dict[str, Any]], prefix: str) -> Section:
    drawing = drawings.summary_drawing(scores, prefix)
    ranking = [{**record, "verdict": verdict(record)[0]} for record in scores.ranking]
    body = render(
        "finding.html",
        prefix=prefix,
        sentences=finding(scores.ranking),
        best=ranking[0],
        several_models=len({record["model"] for record in ranking}) > 1,
        ranking=ranking,
        subsets=any(record[name] == record[name] for record in ranking for name in ("published", "own")),
        drawing=drawing,
        stratum=scores.stratum,
        null=scores.null,
        baselines=scores.baselines,
        mhc=any(record[name] == record[name] for record in ranking for name in ("with_mhc", "without_mhc")),
        neighbours=any(record["own_alone"] == record["own_alone"] for record in ranking),
        leading=any(record["leading"] == record["leading"] for record in ranking),
        controls=sorted({kind for record in ranking for kind in record["differences"]}),
    )
    return Section("finding", "Finding", body, (drawing,), tuple(finding_warnings(scores.ranking, coverage)))


def _coverage_section(scores: GwasScores, coverage: list[dict[str, Any]], prefix: str) -> Section:
    shared = [record for record in scores.ranking if record["shared"] == record["shared"]]
    return Section("coverage", "Coverage", render("coverage.html", coverage=coverage, shared=shared))


def _heat_map_section(scores: GwasScores, prefix: str) -> Section:
    drawing = drawings.heat_map_drawing(scores, prefix)
    return Section("heat-map", "Trait by embedding", render("heat_map.html", drawing=drawing), (drawing,))


def _distribution_section(scores: GwasScores, prefix: str) -> Section:
    shown = [drawings.box_drawing(scores, prefix), drawings.trait_interval_drawing(scores, prefix)]
    body = render("distribution.html", drawings=shown, best=scores.labels[0])
    return Section("distribution", "How the gain spreads over traits", body, tuple(shown))


def _null_section(scores: GwasScores, prefix: str) -> Section | None:
    drawing = drawings.null_drawing(scores, prefix)
    if drawing is None:
        return None
    return Section(
        "null", "Full model against covariates alone", render("null.html", drawing=drawing), (drawing,)
    )


def _trait_section(result: Result, scores: GwasScores, prefix: str) -> Section:
    facts = {str(entry["trait"]): entry for entry in result.results.get("traits", [])}
    rows = [{**row, "facts": facts.get(row["target"], {})} for row in scores.trait_table]
    body = render("traits.html", prefix=prefix, rows=rows, labels=scores.labels, stratum=scores.stratum)
    return Section("traits", "Every trait", body)


def _method_section(result: Result, scores: GwasScores) -> Section:
    models = list(dict.fromkeys(record["model"] for record in scores.ranking))
    interval = next((record["interval"] for record in scores.ranking if record["interval"]), "")
    recorded = [entry["covariates"] for entry in result.results.get("traits", []) if "covariates" in entry]
    covariates = sorted({_covariates(entry) for entry in recorded})
    neighbours = any(record["own_alone"] == record["own_alone"] for record in scores.ranking)
    body = render(
        "method.html", neighbours=neighbours, models=models, interval=interval, covariates=covariates
    )
    return Section("method", "How to read these figures", body)


def _covariates(value: Any) -> str:
    """The run records a number of covariates or their names."""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
