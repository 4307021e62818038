"""Score one embedding on the traits of a GWAS: a cell of the table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.study.requests import ALL, Outcome, Request, outcome_of_row, read_once


def score_gwas(request: Request) -> Outcome:
    """The gain in R2 over covariates and places, median over traits."""
    from cistron.evaluation.gwas import evaluate_gwas

    traits, covariances, symbols = read_once(
        _traits, request.one("traits"), request.one("covariance"), request.annotation
    )
    embedding = request.read_embedding()
    settings = request.settings_object()
    result = evaluate_gwas(
        [embedding],
        traits,
        settings,
        covariances=covariances,
        symbols=symbols,
        seed=request.seed,
        directory=Path(request.working) / "gwas",
    )
    name = str(embedding.uns["cistron"]["name"])
    scores = result.scores
    mine = scores[(scores["embedding"] == name) & (scores["metric"] == "delta_r2")]
    first = (
        traits.traits[0]
        if len(traits.traits) == 1
        else next(target for target in mine["target"] if str(target).startswith("median of"))
    )
    mine = mine[mine["target"] == first].set_index("stratum", drop=False)
    headline = mine.loc["all genes"]
    filled = request.part == ALL and "uncovered genes filled" in mine.index
    row = headline.copy()
    if filled:
        for column in ("value", "low", "high", "p_value"):
            row[column] = mine.loc["uncovered genes filled", column]
    genes = None if filled else set(embedding.obs_names)
    draws = _chromosome_draws(result.predictions, f"{name} | {settings.model}", settings, genes, request.seed)
    draws = draws - draws.mean() + float(row["value"])
    tables = {"predictions": result.predictions, "neighbours": result.neighbours}
    everywhere = scores[(scores["embedding"] == name) & (scores["target"] == first)]
    return outcome_of_row(
        row,
        draws,
        "chromosomes",
        scores=scores,
        beyond=_least_gain(everywhere[everywhere["stratum"] == "all genes"], str(result.facts["null"])),
        tables=tables,
        facts=result.facts,
        warnings=result.warnings,
    )


def _least_gain(rows: pd.DataFrame, null: str) -> tuple[float, float, float]:
    """The gain over covariates and places, or over a control where that is less sure."""
    positional = "delta_r2" if null == "positional" else "delta_r2_positional"
    if positional not in set(rows["metric"]):
        return float("nan"), float("nan"), float("nan")
    judged = rows[(rows["metric"] == positional) | rows["metric"].str.startswith("delta_r2_minus_")]
    least = judged.sort_values("low").iloc[0]
    return float(least["value"]), float(least["low"]), float(least["high"])


def _traits(traits: str, covariance: str | None, annotation: str | None) -> tuple[Any, Any, dict[str, str]]:
    from cistron.evaluation.gwas import read_covariances, read_traits
    from cistron.evaluation.gwas.run import _read_gene_table
    from cistron.evaluation.gwas.tasks import with_places

    table, symbols = (None, {}) if annotation is None else _read_gene_table(Path(annotation))
    collection = read_traits(traits, lambda: table)
    if table is not None:
        collection = with_places(collection, table)
    return collection, None if covariance is None else read_covariances(covariance), symbols


def _chromosome_draws(
    predictions: pd.DataFrame, column: str, settings: Any, genes: set[str] | None, seed: int
) -> np.ndarray:
    """Median over traits of the squared correlation in bootstrap samples of chromosomes, float64 [draw]."""
    from cistron.statistics import block_draws

    frame = predictions if genes is None else predictions[predictions["gene"].isin(genes)]
    chromosomes = sorted(predictions["chromosome"].astype(str).unique())
    times = block_draws(len(chromosomes), settings.draws, seed)
    code = frame["chromosome"].astype(str).map({name: place for place, name in enumerate(chromosomes)})
    found = []
    for _, part in frame.groupby("trait", sort=False):
        x, y = part[column].to_numpy(np.float64), part["z"].to_numpy(np.float64)
        products = np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y])
        sums = np.zeros((len(chromosomes), 6))
        np.add.at(sums, code.loc[part.index].to_numpy(), products)
        number, sx, sy, sxx, syy, sxy = (times @ sums).T
        covariance = sxy - sx * sy / number
        with np.errstate(invalid="ignore", divide="ignore"):
            r = covariance / np.sqrt((sxx - sx**2 / number) * (syy - sy**2 / number))
        found.append(np.sign(r) * r**2)
    return np.asarray(np.nan_to_num(np.median(found, axis=0)))
