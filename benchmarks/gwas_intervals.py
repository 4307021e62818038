"""How often the 95% intervals of the GWAS task hold the truth, over 1,000 small planted worlds.

Each world has 600 genes on 22 chromosomes, three traits with signal and one without, ridge, and two embeddings: the
planted functions, and noise of as many dimensions. What an interval should hold is the mean of the gain over all
worlds for the functions, and 0 for the noise. ``CISTRON_WORLDS=100`` makes fewer.
"""

import os

import numpy as np

from cistron.evaluation.gwas import Problem, predict
from cistron.evaluation.gwas.covariates import gene_covariates
from cistron.evaluation.gwas.gains import Gain
from cistron.evaluation.gwas.measures import Agreement
from cistron.evaluation.gwas.positions import position_covariates
from cistron.evaluation.gwas.training_variance import ratio_of_deviations
from cistron.statistics import (
    BlockSums,
    block_draws,
    group_like_rows,
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
    weights = block_draws(22, DRAWS, seed)
    like = group_like_rows(places)
    orders = []
    for draw in range(CONTROL_DRAWS):
        orders += [
            permute_within(blocks, seed, draw),
            shift_within(blocks, middles, seed, draw),
            permute_matched(like, blocks, middles, seed, draw),
        ]

    def agreement(features: np.ndarray) -> Agreement:
        predicted = predict(null_problem.with_features(features), "ridge")
        return Agreement(BlockSums.collect(predicted, z, blocks), weights)

    null = agreement(np.empty((GENES, 0)))
    noise = np.random.default_rng([seed, 1]).standard_normal(genes.functions.shape)
    found = {}
    for name, features in {"functions": genes.functions, "noise": noise}.items():
        full = agreement(features)
        controls = np.array([agreement(features[order]).r2 - null.r2 for order in orders])
        ratio = ratio_of_deviations(null_problem.with_features(features), blocks, DRAWS, seed)
        gain = Gain.between(full, null, ratio=ratio, controls=controls, seed=seed)
        found[name] = gain, full.sampled_r2 - null.sampled_r2
    return found


def main() -> None:
    """Print the table."""
    worlds = int(os.environ.get("CISTRON_WORLDS", "1000"))
    kept: dict[str, list[np.ndarray]] = {"functions": [], "noise": []}
    for seed in range(worlds):
        for name, (gain, plain) in gains(seed).items():
            signal = np.arange(3) if name == "functions" else np.arange(4)
            chosen = gain.of(signal)
            median = chosen.median()
            rows = [chosen.value, *chosen.interval(), *percentile_interval(plain[:, signal])]
            medians = [
                median.value,
                *median.interval(),
                *percentile_interval(np.median(plain[:, signal], axis=1)),
            ]
            kept[name].append(np.hstack([np.array(rows), np.array([np.ravel(part) for part in medians])]))
    print(f"{worlds:,} worlds of {GENES} genes; share of intervals that hold the truth")
    print(
        "| embedding | of | mean gain | held | below | above | held, testing varied only | called worse than covariates |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, parts in kept.items():
        stacked = np.stack(parts)  # (world, [value, low, high, plain low, plain high], trait and median)
        for what, columns in (("each trait", slice(0, -1)), ("median over traits", slice(-1, None))):
            value, low, high, plain_low, plain_high = np.moveaxis(stacked[:, :, columns], 1, 0)
            truth = value.mean(axis=0) if name == "functions" else 0.0
            held, plain = (low <= truth) & (truth <= high), (plain_low <= truth) & (truth <= plain_high)
            print(
                f"| {name} | {what} | {value.mean():+.4f} | {held.mean():.3f} | {(high < truth).mean():.3f} | {(low > truth).mean():.3f} | "
                f"{plain.mean():.3f} | {(high < 0).mean():.3f} |"
            )
