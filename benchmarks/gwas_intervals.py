"""How often the 95% intervals of the GWAS task hold the truth, over 1,000 small planted worlds.

Each world has 600 genes on 22 chromosomes, three traits with signal and one without, ridge, and two embeddings: the
planted functions, and noise of as many dimensions. What an interval should hold is the mean of the gain over all
worlds for the functions, and 0 for the noise. ``CISTRON_WORLDS=100`` makes fewer. Finished worlds are kept in
``$CISTRON_BENCHMARK_FOLDER`` (``build/benchmarks``); ``CISTRON_BENCHMARK_SECONDS=60`` stops after that time and the next call goes on.
"""

import json
import os
import time
from pathlib import Path

import numpy as np

from cistron.evaluation.gwas import Problem
from cistron.evaluation.gwas.covariates import gene_covariates
from cistron.evaluation.gwas.gains import Gain
from cistron.evaluation.gwas.measures import Agreement
from cistron.evaluation.gwas.positions import position_covariates
from cistron.evaluation.gwas.training_variance import ratio_of_deviations
from cistron.statistics import (
    DEFAULT_PENALTIES,
    BlockSums,
    block_draws,
    choose_by_groups,
    group_like_rows,
    group_moments,
    held_out_sums,
    leave_group_out,
    percentile_interval,
    permute_matched,
    permute_within,
    shift_within,
)
from cistron.world import WorldSettings, plant_genes, plant_gwas

GENES, DRAWS, CONTROL_DRAWS = 600, 300, 5


def gains(seed: int) -> dict[str, tuple[Gain, np.ndarray]]:
    """Gain of both embeddings in one world, and the samples of a bootstrap that varies testing only."""
    genes = plant_genes(WorldSettings(genes=GENES), seed)
    planted = plant_gwas(genes, traits=3)
    table = planted.genes_out("trait_1")
    places = position_covariates(table, "world")
    covariates = np.hstack([gene_covariates(table.drop(columns="MAC"))[0], places])
    z = np.column_stack([planted.genes_out(trait)["ZSTAT"] for trait in planted.traits])
    blocks = table["CHR"].astype(int).to_numpy() - 1
    middles = ((table["START"] + table["STOP"]) / 2).to_numpy()
    null_problem = Problem(z, covariates, np.empty((GENES, 0)), blocks)
    free = null_problem.intercept_and_covariates()
    weights = block_draws(22, DRAWS, seed)
    like = group_like_rows(places)
    orders = []
    for draw in range(CONTROL_DRAWS):
        orders += [
            permute_within(blocks, seed, draw),
            shift_within(blocks, middles, seed, draw),
            permute_matched(like, blocks, middles, seed, draw),
        ]

    def sums(features: np.ndarray) -> BlockSums:
        """What ridge predicts, summed by chromosome; the predictions themselves are not needed."""
        moments = group_moments(free, features - features.mean(axis=0), z, blocks)
        return held_out_sums(moments, choose_by_groups([moments], DEFAULT_PENALTIES).fits(moments))

    moments = group_moments(free, free[:, :0], z, blocks)
    null = Agreement(held_out_sums(moments, leave_group_out(moments, np.zeros(1))), weights)
    noise = np.random.default_rng([seed, 1]).standard_normal(genes.functions.shape)
    found = {}
    for name, features in {"functions": genes.functions, "noise": noise}.items():
        full = Agreement(sums(features), weights)
        controls = np.array([Agreement(sums(features[order]), weights).r2 - null.r2 for order in orders])
        problem = null_problem.with_features(features)
        chance = controls.var(axis=0, ddof=1)  # as the task does for ridge
        ratio = ratio_of_deviations(problem, blocks, DRAWS, seed, chance)
        gain = Gain.between(full, null, ratio=ratio, controls=controls, seed=seed)
        found[name] = gain, full.sampled_r2 - null.sampled_r2
    return found


def world_rows(seed: int) -> dict[str, np.ndarray]:
    """Value, interval and interval of testing only of each trait and of their median, float64 [5, trait + 1]."""
    found = {}
    for name, (gain, plain) in gains(seed).items():
        signal = np.arange(3) if name == "functions" else np.arange(4)
        chosen = gain.of(signal)
        median = chosen.median()
        rows = [chosen.value, *chosen.interval(), *percentile_interval(plain[:, signal])]
        middle = np.median(plain[:, signal], axis=1)
        medians = [median.value, *median.interval(), *percentile_interval(middle)]
        found[name] = np.hstack([np.array(rows), np.array([np.ravel(part) for part in medians])])
    return found


def main() -> None:
    """Make the worlds that are missing, until the time is up, and print the table of all that are there."""
    worlds = int(os.environ.get("CISTRON_WORLDS", "1000"))
    stop = time.monotonic() + float(os.environ.get("CISTRON_BENCHMARK_SECONDS", "1e9"))
    folder = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "gwas_intervals.jsonl"
    known = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {entry["seed"] for entry in known}
    with file.open("a") as handle:
        for seed in range(worlds):
            if seed in done or time.monotonic() > stop:
                continue
            entry = {"seed": seed} | {name: rows.tolist() for name, rows in world_rows(seed).items()}
            handle.write(json.dumps(entry) + "\n")
            handle.flush()
            known.append(entry)
    print(f"{len(known):,} worlds of {GENES} genes; share of intervals that hold the truth")
    print(
        "| embedding | of | mean gain | held | below | above | held, testing varied only | called worse than covariates |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in ("functions", "noise"):
        # (world, [value, low, high, plain low, plain high], trait and median)
        stacked = np.array([entry[name] for entry in known])
        for what, columns in (("each trait", slice(0, -1)), ("median over traits", slice(-1, None))):
            value, low, high, plain_low, plain_high = np.moveaxis(stacked[:, :, columns], 1, 0)
            truth = value.mean(axis=0) if name == "functions" else 0.0
            held, plain = (low <= truth) & (truth <= high), (plain_low <= truth) & (truth <= plain_high)
            print(
                f"| {name} | {what} | {value.mean():+.4f} | {held.mean():.3f} | {(high < truth).mean():.3f} | {(low > truth).mean():.3f} | "
                f"{plain.mean():.3f} | {(high < 0).mean():.3f} |"
            )
