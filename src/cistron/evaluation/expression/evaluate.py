"""The task ``expression``: predictions against observed expression in every quadrant of the split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cistron.evaluation.expression.alignment import Aligned
from cistron.evaluation.expression.comparison import METRICS, Comparison, compare, gene_draws, permuted_genes
from cistron.evaluation.expression.complete import ObservedSide
from cistron.evaluation.expression.evidence import match_controls, table_of
from cistron.evaluation.expression.references import NULL_METHOD, NULL_NAME, AdditiveNull, ceiling
from cistron.evaluation.expression.rival import RIVAL_METHOD, TrivialRival, beside
from cistron.evaluation.expression.rows import Collector, Level
from cistron.evaluation.expression.settings import ExpressionSettings
from cistron.evaluation.expression.strata import Stratum, pool, pool_matrix, strata_of
from cistron.evaluation.rivals import RIVAL_NAME, Rivals
from cistron.formats.scores import score_frame
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each


@dataclass
class ExpressionResult:
    """Result of the task ``expression``: tables and facts.

    Attributes
    ----------
    scores
        Rows of ``formats.scores``.
    per_gene, per_cell
        Correlations behind the means: ``embedding, target, stratum``, ``gene`` or ``cell``, one column a metric.
    facts, warnings
        For ``run.json``.
    per_type
        Overlap of the genes by which cell types differ (:mod:`cistron.evaluation.expression.differential`); empty without types.
    """

    scores: pd.DataFrame
    per_gene: pd.DataFrame
    per_cell: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    per_type: pd.DataFrame = field(default_factory=pd.DataFrame)


def evaluate_expression(
    aligned: Aligned,
    settings: ExpressionSettings | None = None,
    *,
    rivals: Rivals | None = None,
    seed: int = 0,
    run_id: str = "",
    threads: int = 1,
) -> ExpressionResult:
    """Score predictions, with nulls, controls, ceiling and paired differences.

    Parameters
    ----------
    aligned
        Of :func:`cistron.evaluation.expression.alignment.align`.
    settings
        How; defaults when absent.
    rivals
        Trivial columns of genes (:func:`cistron.evaluation.rivals.read_rivals`): unseen genes are predicted from them, and
        beside them by each file.
    seed
        Of resampling and permutation.
    run_id
        Of ``run.json``.
    threads
        Blocks of values that are worked on at a time.

    Raises
    ------
    InputError
        If no part of the split can be scored, or observed values of the files differ.
    """
    settings = settings or ExpressionSettings()
    header = aligned.files[0].header
    unit = str(header["unit"])
    strata = strata_of(aligned.observations, aligned.genes, unit, random_generator(seed, "order of genes"))
    collector = Collector(
        {"task": "expression", "dataset": str(header["dataset"]), "seed": seed, "run_id": run_id}
    )
    null = AdditiveNull(aligned)
    rival = None if rivals is None else TrivialRival(aligned, rivals)
    for stratum in track(strata, "quadrants of the split"):
        _score_stratum(aligned, stratum, null, rival, collector, settings, seed, threads)
    facts, warnings = _facts(aligned, strata, collector.rows, settings)
    facts["rivals"] = [] if rival is None or not rival.usable else rival.names
    warnings += [] if rivals is None else rivals.remarks
    return ExpressionResult(
        score_frame(collector.rows),
        pd.concat(collector.tables["gene"], ignore_index=True),
        pd.concat(collector.tables["cell"], ignore_index=True),
        facts,
        warnings,
        pd.concat(collector.tables["type"], ignore_index=True)
        if collector.tables["type"]
        else pd.DataFrame(),
    )


def _levels(
    aligned: Aligned, stratum: Stratum, observed: np.ndarray, settings: ExpressionSettings
) -> list[Level]:
    """Cells as they are, and pooled by type where types are known."""
    unit = str(aligned.files[0].header["unit"])
    genes = [str(gene) for gene in aligned.genes.index[stratum.genes]]
    names = [str(cell) for cell in aligned.observations.index[stratum.cells]]
    levels = [Level(f"{unit}s", stratum, observed, names, genes, None, False)]
    if unit != "cell" or "cell_type" not in aligned.observations:
        return levels
    labels = aligned.observations["cell_type"].iloc[stratum.cells].astype(object)
    members, types = pool_matrix(labels.where(labels.notna(), "").to_numpy(), settings.minimum_cells)
    if len(types) >= 2:
        logarithm = settings.pool == "linear"
        pooled = pool(observed, members, logarithm)
        levels.append(Level("pseudobulks", stratum, pooled, types, genes, members, logarithm))
    return levels


def _score_stratum(
    aligned: Aligned,
    stratum: Stratum,
    null: AdditiveNull,
    rival: TrivialRival | None,
    collector: Collector,
    settings: ExpressionSettings,
    seed: int,
    threads: int,
) -> None:
    observed = aligned.values(0, "observed", stratum.cells, stratum.genes)
    for file in range(1, len(aligned.files)):
        aligned.require_same_observed(observed, file, stratum.cells, stratum.genes)
    weights = gene_draws(
        len(stratum.genes), settings.draws, random_generator(seed, "bootstrap", stratum.name)
    )
    levels = _levels(aligned, stratum, observed, settings)
    for level in levels:
        level.side = ObservedSide(level.observed, weights)
    nulls = []
    predicted = null.predict(stratum)
    for level in levels:
        own = level.view(predicted)
        found = compare(own, level.observed, weights, threads=threads, side=level.side)
        found.controls = dict.fromkeys(found.values, float("nan"))
        nulls.append(found.values)
        collector.score(level, NULL_NAME, NULL_METHOD, found, {})
        collector.undefined(level, NULL_NAME, NULL_METHOD, own, found)
        if level.members is not None and settings.halvings:
            generator = random_generator(seed, "halves", stratum.name)
            limits = ceiling(observed, level.members, level.logarithm, generator, settings.halvings, threads)
            collector.ceiling(level, limits)
    trivial = None if rival is None else rival.predict(stratum)
    rivals: list[Comparison] = []
    if trivial is not None:
        for level, values in zip(levels, nulls):
            found = compare(level.view(trivial), level.observed, weights, threads=threads, side=level.side)
            found.controls = dict.fromkeys(found.values, float("nan"))
            rivals.append(found)
            collector.score(level, RIVAL_NAME, RIVAL_METHOD, found, values)
    compared: list[list[tuple[int, Comparison, bytes]]] = [[] for _ in levels]
    shared = {
        "aligned": aligned,
        "levels": levels,
        "weights": weights,
        "nulls": nulls,
        "trivial": trivial,
        "rivals": rivals,
        "common": collector.common,
        "settings": settings,
        "seed": seed,
        "threads": threads,
    }
    for file, (own_rows, measured) in enumerate(
        run_each(_score_file, [{"file": file} for file in range(len(aligned.files))], shared)
    ):
        collector.extend(own_rows)
        for number, one in enumerate(measured):
            if one is not None:
                compared[number].append((file, *one))
    for number, level in enumerate(levels):
        _score_differences(aligned, level, compared[number], collector, weights, threads)


def _score_file(
    aligned: Aligned,
    file: int,
    levels: list[Level],
    weights: np.ndarray,
    nulls: list[dict[str, float]],
    trivial: np.ndarray | None,
    rivals: list[Comparison],
    common: dict[str, Any],
    settings: ExpressionSettings,
    seed: int,
    threads: int,
) -> tuple[Collector, list[tuple[Comparison, bytes] | None]]:
    """Rows of one file on a stratum; of each level its scores and which entries it predicts, where it predicts any."""
    collector, compared = Collector(common), list[tuple[Comparison, bytes] | None]()
    stratum = levels[0].stratum
    observed = levels[0].observed  # of single cells
    predicted = aligned.values(file, "predicted", stratum.cells, stratum.genes)
    name, method = aligned.names[file], _method(aligned.files[file].header)
    mixed = None if trivial is None else beside(trivial, predicted, observed)
    for number, level in enumerate(levels):
        if mixed is not None and trivial is not None and np.isfinite(mixed).any():
            whole = rivals[number]
            if not np.isfinite(predicted).all():  # on the entries that the file predicts
                part = level.view(np.where(np.isfinite(mixed), trivial, np.nan))
                whole = compare(part, level.observed, weights, threads=threads, side=level.side)
            full = compare(level.view(mixed), level.observed, weights, threads=threads, side=level.side)
            collector.gain(level, name, full, whole)
        own = level.view(predicted)
        orders = permuted_genes(
            own, settings.permutations, random_generator(seed, "permuted genes", stratum.name)
        )
        found = compare(own, level.observed, weights, orders, threads, level.side)
        collector.score(level, name, method, found, nulls[number])
        collector.undefined(level, name, method, own, found)
        collector.detail(level, name, found)
        collector.types(level, name, own)
        known = np.isfinite(own)
        compared.append((found, np.packbits(known).tobytes()) if known.any() else None)
    return collector, compared


def _method(header: Mapping[str, Any]) -> str:
    return f"{header['method']}; {header['control']}" if header["control"] else str(header["method"])


def _score_differences(
    aligned: Aligned,
    level: Level,
    compared: list[tuple[int, Comparison, bytes]],
    collector: Collector,
    weights: np.ndarray,
    threads: int,
) -> None:
    """Every pair of methods, on the entries that both predict."""
    stratum = level.stratum
    for place, (file, found, mask) in enumerate(compared):
        for other_file, other, other_mask in compared[place + 1 :]:
            pair = [(aligned.names[f], _method(aligned.files[f].header)) for f in (file, other_file)]
            both = [found, other]
            if mask != other_mask:
                values = [
                    level.view(aligned.values(f, "predicted", stratum.cells, stratum.genes))
                    for f in (file, other_file)
                ]
                shared = np.isfinite(values[0]) & np.isfinite(values[1]) & np.isfinite(level.observed)
                if not shared.any():
                    continue
                both = [
                    compare(np.where(shared, value, np.nan), level.observed, weights, threads=threads)
                    for value in values
                ]
            collector.difference(level, (pair[0], pair[1]), *both)


def _facts(
    aligned: Aligned, strata: list[Stratum], rows: list[dict[str, Any]], settings: ExpressionSettings
) -> tuple[dict[str, Any], list[str]]:
    controls = match_controls(aligned.names, [file.header for file in aligned.files])
    predictions = []
    warnings = []
    for name, file in zip(aligned.names, aligned.files):
        kept = {
            key: str(file.header[key]) for key in ("method", "embedding", "evidence", "control", "parameters")
        }
        predictions.append(
            {
                "name": name,
                "table": table_of(kept["evidence"]),
                "control_of": controls.get(name, ""),
                **kept,
            }
        )
        if kept["control"] and name not in controls:
            warnings.append(f"control {name} was matched to no method: none has its method and embedding")
    half = sorted(
        {
            f"{row['embedding']} predicts {1 - row['value']:.0%} of {row['stratum']}"
            for row in rows
            if row["metric"] == "undefined_entries" and 0.5 < row["value"] < 1
        }
    )
    warnings += [f"{text}; its scores there are over these alone" for text in half]
    facts = {
        "predictions": predictions,
        "scale": str(aligned.files[0].header["scale"]),
        "unit": str(aligned.files[0].header["unit"]),
        "strata": [
            {"name": stratum.name, "observations": len(stratum.cells), "genes": len(stratum.genes)}
            for stratum in strata
        ],
        "metrics": {metric: meaning for metric, (_, meaning) in METRICS.items()},
        "coverage": [],
    }
    return facts, warnings
