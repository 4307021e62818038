"""The variant task on eQTL: which variants change expression, and in which direction (page ``docs/guide/eqtl.md``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.variants.eqtl_direction import direction_rows
from cistron.evaluation.variants.eqtl_inputs import EqtlTable
from cistron.evaluation.variants.eqtl_rows import area_rows, mean_rows
from cistron.evaluation.variants.forest import HeldOut, PairedAreas, predict_held_out
from cistron.evaluation.variants.inputs import Scored
from cistron.evaluation.variants.matched_negatives import GIVEN, OTHER_GENE, SAME_GENE, choose_variants
from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.formats.scores import score_frame
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each
from cistron.statistics import block_draws

TASK = "eqtl"
LEAST = 20  # positives, and negatives, of a tissue
FREE = "mean magnitude"
FOLDS = ("at random", "by gene", "by chromosome")


@dataclass(frozen=True)
class EqtlResult:
    """Scores table, chosen variants, predictions, facts and warnings."""

    scores: pd.DataFrame
    chosen: pd.DataFrame
    predictions: pd.DataFrame
    facts: dict[str, Any]
    warnings: list[str]


def evaluate_eqtl(
    table: EqtlTable,
    scored: Sequence[Scored],
    settings: EqtlSettings | None = None,
    *,
    tissue_columns: Mapping[str, Sequence[str]] | None = None,
    draws: int = 200,
    seed: int = 0,
    run_id: str = "none",
    threads: int | None = 1,
) -> EqtlResult:
    """Tell causal variants from matched ones, and the direction of their effect.

    Parameters
    ----------
    table
        Fine-mapped associations.
    scored
        Scores of each model.
    settings
        Settings of the task.
    tissue_columns
        Columns of the scores that belong to a tissue, for the direction.
    draws
        Bootstrap samples of genes.
    seed
        Seed of choice, folds, forests, bootstrap and control.
    run_id
        Identifier of the run.
    threads
        Threads of a forest.

    Returns
    -------
    EqtlResult
        Rows ``auroc`` for each tissue and their mean, models ``forest, folds at random``, ``by gene`` and ``by chromosome``, and ``mean
        magnitude``, which is not trained; ``distance`` and ``allele frequency`` as embeddings of their own; ``auroc_gain`` over
        the distance; ``direction_auroc``, ``direction_accuracy`` and ``direction_determined`` by distance.

    Raises
    ------
    InputError
        If no tissue has enough variants with scores.
    """
    settings = settings or EqtlSettings()
    chosen, remarks = choose_variants(table, settings, seed)
    remarks = [*table.remarks, *remarks]
    values, coverage, chosen = _joined(chosen, scored, remarks)
    baselines = _baselines(chosen, remarks)
    features: dict[str, np.ndarray] = {**{one.name: values[one.name] for one in scored}, **baselines}
    counts = chosen.groupby("tissue")["positive"].agg(["sum", "size"])
    tissues = [
        str(name)
        for name, row in counts.iterrows()
        if row["sum"] >= LEAST and row["size"] - row["sum"] >= LEAST
    ]
    if not tissues:
        raise InputError(
            f"{table.name}: no tissue has {LEAST} positives and {LEAST} negatives{' with scores' if scored else ''}; the largest has {int(counts['sum'].max()) if len(counts) else 0}"
        )
    if len(tissues) < len(counts):
        remarks.append(
            f"{len(counts) - len(tissues)} of {len(counts)} tissues have fewer than {LEAST} positives or negatives and are left out"
        )
    genes, number = np.unique(chosen["gene"].to_numpy(str), return_inverse=True)
    weights = np.vstack(
        [np.ones(len(genes)), block_draws(len(genes), draws, seed)]
    )  # the first row: every gene once
    base = {"task": TASK, "dataset": table.name, "seed": seed, "run_id": run_id}
    samples: dict[tuple[str, str, str, str], np.ndarray] = {}
    controls: dict[tuple[str, str, str], float] = {}
    sizes: dict[tuple[str, str], int] = {}
    predictions = []
    items: list[dict[str, Any]] = []
    for tissue in tissues:
        inside = (chosen["tissue"] == tissue).to_numpy()
        own = chosen[inside].reset_index(drop=True)
        sizes |= {(tissue, stratum): int(kept.sum()) for stratum, kept in _strata(own).items()}
        common = {"own": own, "weights": weights[:, number[inside]]}
        items += [
            {**common, "name": name, "features": matrix[inside], "untrained": name in values}
            for name, matrix in features.items()
        ]
    shared = {"settings": settings, "seed": seed, "threads": threads}
    for item, found in zip(items, run_each(_fits, items, shared, description="fitting forests", unit="fits")):
        own, name = item["own"], item["name"]
        tissue = str(own["tissue"].iloc[0])
        for model, (rank, areas, mixed) in found.items():
            samples |= {(tissue, name, model, stratum): area for stratum, area in areas.items()}
            if mixed is not None:
                controls[(tissue, name, model)] = mixed
            predictions.append(
                own[["tissue", "gene", "key", "positive", "matched"]].assign(
                    embedding=name, model=model, score=rank
                )
            )
    rows = area_rows(samples, controls, sizes, base) + mean_rows(samples, controls, sizes, base)
    signed = chosen[chosen["positive"] & chosen["tissue"].isin(tissues)]
    rows += direction_rows(
        signed.reset_index(drop=True),
        {one.name: (values[one.name][signed.index], one.columns) for one in scored},
        tissue_columns or {},
        settings,
        base,
        draws=draws,
        seed=seed,
        threads=threads,
    )
    facts = {
        "coverage": coverage,
        "tissues": len(tissues),
        "positives": int(chosen["positive"].sum()),
        "same_gene": int((chosen["matched"] == SAME_GENE).sum()),
        "other_gene": int((chosen["matched"] == OTHER_GENE).sum()),
        "given": int((chosen["matched"] == GIVEN).sum()),
        "genes": len(genes),
        "build": table.build,
    }
    return EqtlResult(score_frame(rows), chosen, pd.concat(predictions, ignore_index=True), facts, remarks)


def _fits(
    own: pd.DataFrame,
    weights: np.ndarray,
    name: str,
    features: np.ndarray,
    untrained: bool,
    settings: EqtlSettings,
    seed: int,
    threads: int | None,
) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray], float | None]]:
    """Of each model of one tissue and set of features: mean rank of each variant, areas of every weighting by stratum, control."""
    positive = own["positive"].to_numpy()
    strata = _strata(own)
    models = _held_out(features, own, settings, seed, threads)
    if untrained:
        models[FREE] = _untrained(features)
    found = {}
    for model, one in models.items():
        areas = PairedAreas.of(one, positive)
        by_stratum = {
            stratum: areas.areas(weights[:, positive], weights[:, ~positive] * kept[~positive])
            for stratum, kept in strata.items()
        }
        mixed = None if model == FREE else _control(features, own, settings, model, seed, threads)
        found[model] = one.mean_rank, by_stratum, mixed
    return found


def _joined(
    chosen: pd.DataFrame, scored: Sequence[Scored], remarks: list[str]
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]], pd.DataFrame]:
    """Find the scores of each variant; those with ref and alt exchanged are taken with the other sign."""
    known = np.ones(len(chosen), bool)
    parts: dict[str, np.ndarray] = {}
    coverage = []
    for one in scored:
        place = {key: row for row, key in enumerate(one.keys)}
        straight = np.array([place.get(key, -1) for key in chosen["key"]], np.int64)
        turned = np.array([place.get(key, -1) for key in chosen["swapped"]], np.int64)
        rows = np.where(straight >= 0, straight, turned)
        sign = np.where(straight >= 0, 1.0, -1.0)
        joined = rows >= 0
        coverage.append({"scores": one.name, "joined": int(joined.sum()), "measured": len(chosen)})
        if joined.sum() < min(2 * LEAST, len(chosen)):
            raise InputError(
                f"{one.name}: {int(joined.sum()):,} of {len(chosen):,} chosen variants have scores; are positions of the same genome build, counted from 1?"
            )
        if joined.sum() < len(chosen):
            remarks.append(
                f"{one.name} scores {int(joined.sum()):,} of {len(chosen):,} chosen variants; the others are left out"
            )
        flipped = int((joined & (straight < 0)).sum())
        if flipped:
            remarks.append(
                f"{one.name} names ref and alt of {flipped:,} variants the other way round; their scores are taken with the other sign"
            )
        known &= joined
        parts[one.name] = sign[:, None] * one.values[rows]
    return (
        {name: matrix[known] for name, matrix in parts.items()},
        coverage,
        chosen[known].reset_index(drop=True),
    )


def _baselines(chosen: pd.DataFrame, remarks: list[str]) -> dict[str, np.ndarray]:
    """What is known without DNA, float64 [variant, 1] each; what is given for all variants only."""
    found = {}
    columns = {
        "distance": np.log10(chosen["distance"].to_numpy(np.float64) + 1),
        "allele frequency": np.minimum(chosen["frequency"], 1 - chosen["frequency"]).to_numpy(np.float64),
    }
    for name, column in columns.items():
        if np.isfinite(column).all():
            found[name] = column[:, None]
        else:
            remarks.append(
                f"{int((~np.isfinite(column)).sum()):,} of {len(column):,} chosen variants have no {name}; the baseline '{name}' is left out"
            )
    return found


def _groups(own: pd.DataFrame) -> dict[str, np.ndarray]:
    return {
        "at random": np.arange(len(own)),
        "by gene": own["gene"].to_numpy(str),
        "by chromosome": own["chromosome"].to_numpy(str),
    }


def _held_out(
    features: np.ndarray, own: pd.DataFrame, settings: EqtlSettings, seed: int, threads: int | None
) -> dict[str, HeldOut]:
    """Predictions under each kind of folds that can be made."""
    return {
        f"forest, folds {kind}": predict_held_out(
            features, own["positive"].to_numpy(), groups, settings, seed=seed, threads=threads
        )
        for kind, groups in _groups(own).items()
        if len(np.unique(groups)) > 1
    }


def _control(
    features: np.ndarray,
    own: pd.DataFrame,
    settings: EqtlSettings,
    model: str,
    seed: int,
    threads: int | None,
) -> float:
    """Area of a forest that was fitted on permuted classes, against these classes; one drawing of the folds."""
    positive = random_generator(seed, "permuted classes").permutation(own["positive"].to_numpy())
    groups = _groups(own)[model.removeprefix("forest, folds ")]
    found = predict_held_out(features, positive, groups, settings, seed=seed, repeats=1, threads=threads)
    once = np.ones((1, len(own)))
    return float(PairedAreas.of(found, positive).areas(once[:, positive], once[:, ~positive])[0])


def _untrained(features: np.ndarray) -> HeldOut:
    """Mean magnitude of the standardised columns: nothing is fitted, so that all rows are one fold."""
    spread = features.std(0)
    size = np.abs(features / np.where(spread > 0, spread, 1)).mean(1)
    return HeldOut(size[None], np.zeros((1, len(features)), np.int64))


def _strata(own: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which negatives count: all, those that linkage ties to the gene of a positive, those of other genes."""
    matched = own["matched"].to_numpy(str)
    found = {"all": np.ones(len(own), bool)}
    kinds = {"linked negatives (same gene)": SAME_GENE, "negatives of other genes": OTHER_GENE}
    for name, kind in kinds.items():
        if 5 <= (matched == kind).sum() < (matched != "").sum():
            found[name] = (matched == kind) | own["positive"].to_numpy()
    return found
