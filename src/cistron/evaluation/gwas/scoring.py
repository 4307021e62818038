"""From held-out predictions to the scores table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.predictions import CONTROLS, NULL, Task, Variant, covered_rows, fill_missing
from cistron.statistics import BlockSums, block_draws, bootstrap_p_value, percentile_interval, signed_square

INTERVAL = "95% bootstrap over chromosomes"
RANGE = "range over draws"


@dataclass(frozen=True)
class Subset:
    """A named set of traits over which a median is taken."""

    name: str
    traits: tuple[str, ...]


class _Fits:
    """Correlation of each variant with z, on one stratum, over all traits, and under the bootstrap."""

    def __init__(self, sums: dict[Variant, BlockSums], draws: int, seed: int) -> None:
        present = next(iter(sums.values())).sums[0].sum(axis=1) > 0  # blocks that hold genes of the stratum
        self.weights = np.zeros((draws, len(present)))
        self.weights[:, present] = block_draws(int(present.sum()), draws, seed)
        self.sums = sums
        self._sampled: dict[Variant, np.ndarray] = {}

    def r(self, variant: Variant) -> np.ndarray:
        """Pearson correlation [trait]; a prediction that does not vary has 0."""
        return np.nan_to_num(self.sums[variant].correlation())

    def r2(self, variant: Variant) -> np.ndarray:
        """Signed squared correlation [trait]."""
        return signed_square(self.r(variant))

    def sampled_r2(self, variant: Variant) -> np.ndarray:
        """Signed squared correlation under the bootstrap [draw, trait]."""
        if variant not in self._sampled:
            self._sampled[variant] = signed_square(
                np.nan_to_num(self.sums[variant].correlation(self.weights))
            )
        return self._sampled[variant]


def _strata(task: Task, embeddings: list[Scored]) -> dict[str, np.ndarray]:
    """Rows of each stratum, bool [gene]."""
    size = len(task.design.genes)
    odd = np.array([name.isdigit() and int(name) % 2 == 1 for name in task.design.genes["CHR"]])
    strata = {"all genes": np.ones(size, dtype=bool), "odd chromosomes": odd, "even chromosomes": ~odd}
    covered = []
    for scored in embeddings:
        rows = np.zeros(size, dtype=bool)
        rows[covered_rows(task, scored)[0]] = True
        strata[f"genes of {scored.name}"] = rows
        covered.append(rows)
    if len(embeddings) > 1:
        strata["shared genes"] = np.logical_and.reduce(covered)
    return strata


def score_rows(
    tasks: list[Task],
    embeddings: list[Scored],
    predicted: list[dict[Variant, np.ndarray]],
    subsets: list[Subset],
    *,
    dataset: str,
    model: str,
    missing: str,
    draws: int,
    controls: int,
    seed: int,
    run_id: str,
) -> list[dict[str, Any]]:
    """Score every embedding on every trait, stratum and subset.

    Returns
    -------
    list of dict
        Rows of the scores table.
    """
    traits = [trait for task in tasks for trait in task.design.traits]
    chromosomes = sorted({chromosome for task in tasks for chromosome in task.design.genes["CHR"]})
    common = {"task": "gwas", "dataset": dataset, "model": model, "seed": seed, "run_id": run_id}
    common["null_model"] = f"{model} on covariates"
    rows: list[dict[str, Any]] = []
    every = list(dict.fromkeys(variant for result in predicted for variant in result))
    filled = [
        {
            variant: fill_missing(
                task,
                embeddings[variant.embedding] if variant.kind != NULL else None,
                result.get(variant),
                result[Variant(NULL)],
                missing,
            )
            for variant in every
        }
        for task, result in zip(tasks, predicted)
    ]
    strata = [_strata(task, embeddings) for task in tasks]
    for stratum in strata[0]:
        own = stratum.removeprefix("genes of ") if stratum.startswith("genes of ") else None
        wanted = [v for v in every if v.kind == NULL or own is None or embeddings[v.embedding].name == own]
        if any(len(np.unique(task.design.genes["CHR"][s[stratum]])) < 2 for task, s in zip(tasks, strata)):
            continue
        sums = {
            variant: _joined_sums(
                tasks, [part[variant] for part in filled], [s[stratum] for s in strata], chromosomes
            )
            for variant in wanted
        }
        fits = _Fits(sums, draws, seed)
        count = sums[Variant(NULL)].count
        for number, scored in enumerate(embeddings):
            if own is not None and scored.name != own:
                continue
            name = "covered genes" if own is not None else stratum
            base = common | {"embedding": scored.name, "stratum": name}
            rows += _embedding_rows(fits, number, traits, subsets, count, controls, len(embeddings), base)
    return rows


def _joined_sums(
    tasks: list[Task], predictions: list[np.ndarray], masks: list[np.ndarray], chromosomes: list[str]
) -> BlockSums:
    parts = []
    index = {name: number for number, name in enumerate(chromosomes)}
    for task, prediction, mask in zip(tasks, predictions, masks):
        blocks = np.array([index[name] for name in task.design.genes["CHR"][mask]], dtype=np.int64)
        sums = BlockSums.collect(prediction[mask], task.design.z[mask], blocks).sums
        padded = np.zeros((sums.shape[0], len(chromosomes), sums.shape[2]))
        padded[:, : sums.shape[1]] = sums
        parts.append(padded)
    return BlockSums(np.concatenate(parts, axis=2))


def _embedding_rows(
    fits: _Fits,
    number: int,
    traits: list[str],
    subsets: list[Subset],
    count: np.ndarray,
    controls: int,
    tested: int,
    base: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    full, null = Variant("full", number), Variant(NULL)
    delta = fits.r2(full) - fits.r2(null)
    samples = fits.sampled_r2(full) - fits.sampled_r2(null)
    control = {
        kind: np.array([fits.r2(Variant(kind, number, draw)) - fits.r2(null) for draw in range(controls)])
        for kind in CONTROLS
    }
    low, high = percentile_interval(samples)
    p_value = bootstrap_p_value(samples)
    for index, trait in enumerate(traits):
        row = base | {"target": trait, "n": int(count[index])}
        yield row | {"metric": "r", "value": fits.r(full)[index], "null_value": fits.r(null)[index]}
        yield row | {"metric": "r2", "value": fits.r2(full)[index], "null_value": fits.r2(null)[index]}
        yield row | {
            "metric": "delta_r2",
            "value": delta[index],
            "low": low[index],
            "high": high[index],
            "interval": INTERVAL,
            "null_value": 0.0,
            "control_value": float(np.median(control["permuted"][:, index])) if controls else None,
            "p_value": p_value[index],
        }
        for kind in CONTROLS if controls else ():
            yield row | {"metric": f"delta_r2_{kind}"} | _range(control[kind][:, index])
    for subset in subsets:
        chosen = [traits.index(trait) for trait in subset.traits]
        yield from _subset_rows(
            fits,
            full,
            null,
            chosen,
            delta,
            samples,
            control,
            controls,
            tested,
            base | {"target": subset.name},
        )


def _range(values: np.ndarray) -> dict[str, Any]:
    return {
        "value": float(np.median(values)),
        "low": float(values.min()),
        "high": float(values.max()),
        "interval": RANGE,
        "null_value": 0.0,
    }


def _subset_rows(
    fits: _Fits,
    full: Variant,
    null: Variant,
    chosen: list[int],
    delta: np.ndarray,
    samples: np.ndarray,
    control: dict[str, np.ndarray],
    controls: int,
    tested: int,
    base: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    row = base | {"n": len(chosen)}
    medians = np.median(samples[:, chosen], axis=1)
    low, high = percentile_interval(medians)
    median = float(np.median(delta[chosen]))
    yield row | {
        "metric": "r2",
        "value": float(np.median(fits.r2(full)[chosen])),
        "null_value": float(np.median(fits.r2(null)[chosen])),
    }
    yield row | {
        "metric": "delta_r2",
        "value": median,
        "low": float(low),
        "high": float(high),
        "interval": INTERVAL,
        "null_value": 0.0,
        "control_value": float(np.median(control["permuted"][:, chosen], axis=1).mean())
        if controls
        else None,
        "p_value": float(bootstrap_p_value(medians)),
    }
    for kind in CONTROLS if controls else ():
        yield row | {"metric": f"delta_r2_{kind}"} | _range(np.median(control[kind][:, chosen], axis=1))
    if len(chosen) >= 6 and np.any(delta[chosen] != 0):
        # Fewer than six pairs cannot reach p < 0.05. Bonferroni over the embeddings of the run.
        p_value = min(1.0, float(stats.wilcoxon(delta[chosen]).pvalue) * tested)
        yield row | {
            "metric": "wilcoxon",
            "value": median,
            "p_value": p_value,
            "null_value": 0.0,
            "null_model": f"{base['null_model']}; Bonferroni over {tested} embeddings; the sign of value is the direction",
        }


def prediction_frame(
    tasks: list[Task],
    embeddings: list[Scored],
    predicted: list[dict[Variant, np.ndarray]],
    symbols: dict[str, str],
    model: str,
    missing: str,
) -> pd.DataFrame:
    """Held-out predictions as a long table, one row a gene and trait (the contract of ``predictions.parquet``)."""
    frames = []
    for task, result in zip(tasks, predicted):
        genes, null = task.design.genes, result[Variant(NULL)]
        columns = {f"null | {model}": null}
        for number, scored in enumerate(embeddings):
            full = result.get(Variant("full", number))
            columns[f"{scored.name} | {model}"] = fill_missing(task, scored, full, null, missing)
        for index, trait in enumerate(task.design.traits):
            frame = pd.DataFrame(
                {
                    "gene": genes["GENE"].to_numpy(),
                    "symbol": [symbols.get(gene, "") for gene in genes["GENE"]],
                    "chromosome": genes["CHR"].to_numpy(),
                    "start": genes["START"].to_numpy(np.int64),
                    "trait": trait,
                    "z": task.design.z[:, index].astype(np.float32),
                }
            )
            for column, values in columns.items():
                frame[column] = values[:, index].astype(np.float32)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)
