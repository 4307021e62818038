"""How much of a gain's deviation comes from the genes that the model was trained on.

A bootstrap over chromosomes of held-out predictions varies the tested genes only. The jackknife varies both, but
needs a fit for each pair of chromosomes, which only a closed form can afford; so ridge, without whitening,
tells for every model by how much its bootstrap deviates too little.
"""

import numpy as np

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.tasks import Task
from cistron.evaluation.gwas.variants import Variant, variant_problem, variant_rows
from cistron.statistics import (
    DEFAULT_PENALTIES,
    BlockSums,
    GroupMoments,
    RidgeFit,
    block_draws,
    group_moments,
    held_out_sums,
    jackknife_variance,
    leave_group_out,
    permute_within,
    signed_r2_without_each_group,
    signed_square,
)

_MOST_COLUMNS = 128  # the share of training in the deviation is much the same in the leading components
_OWN_DRAWS = 6
_RATIO_LIMIT = 5.0


def linear_ratio(
    task: Task,
    variant: Variant,
    embeddings: list[Scored],
    draws: int,
    seed: int,
    chance: np.ndarray | None = None,
) -> np.ndarray:
    """:func:`ratio_of_deviations` of a model of the task, float64 [trait].

    Parameters
    ----------
    task, variant, embeddings
        The headline model.
    draws
        Bootstrap samples.
    seed
        Seed of the run.
    chance
        Variance of gains of ridge, without whitening, on rearranged embeddings, float64 [trait]; measured when absent.
    """
    rows, _ = variant_rows(task, variant, embeddings)
    problem = variant_problem(task, variant, embeddings, tuple(range(task.design.z.shape[1])), seed)
    blocks = np.unique(task.blocks[rows], return_inverse=True)[1]
    return ratio_of_deviations(problem, blocks, draws, seed, chance)


def ratio_of_deviations(
    problem: Problem, blocks: np.ndarray, draws: int, seed: int, chance: np.ndarray | None = None
) -> np.ndarray:
    """Deviation of the part of a gain that is linear in the chromosomes, over that of its bootstrap.

    The jackknife variance of a gain is L + 2 Q (Efron and Stein 1981): L comes from each chromosome by itself, in
    training and in testing; Q, from pairs of them, is what remains where the embedding knows nothing, and is counted
    twice. Permuted embeddings give Q.

    Parameters
    ----------
    problem
        Targets, covariates and features; linkage is not used.
    blocks
        Chromosome of each gene, int [gene], numbered from 0 without gaps.
    draws
        Bootstrap samples.
    seed
        Seed of the run.
    chance
        Variance of the gains of rearranged embeddings, float64 [trait]; measured on permuted ones when absent.

    Returns
    -------
    ndarray
        Square root of L over the variance of the bootstrap, float64 [trait]; 1 where there are fewer than three
        chromosomes or a bootstrap that does not vary.
    """
    sizes = np.bincount(blocks).astype(np.float64)
    if len(sizes) < 3:
        return np.ones(problem.z.shape[1])
    features = _leading(problem.features)
    weights = block_draws(len(sizes), draws, seed)
    null_sums, null_without = _jackknife(problem, features[:, :0], blocks)
    sums, without = _jackknife(problem, features, blocks)
    value = _r2(sums) - _r2(null_sums)
    variance = jackknife_variance(value, without - null_without, sizes)
    bootstrap = (_r2(sums, weights) - _r2(null_sums, weights)).var(axis=0)
    if chance is None:
        permuted = [
            _r2(_held_out(problem, features[permute_within(blocks, seed, draw)], blocks))
            for draw in range(_OWN_DRAWS)
        ]
        chance = np.var(permuted, axis=0, ddof=1)
    linear = np.maximum(variance - 2 * chance, 0.0)
    varied = bootstrap > 1e-14
    ratio = np.sqrt(linear / np.where(varied, bootstrap, 1.0))
    return np.where(varied, np.minimum(ratio, _RATIO_LIMIT), 1.0)


def _leading(features: np.ndarray) -> np.ndarray:
    """The features, or their leading principal components where there are many."""
    if features.shape[1] <= _MOST_COLUMNS:
        return features
    centred = features - features.mean(axis=0)
    vectors = np.linalg.eigh(centred.T @ centred)[1]
    return centred @ vectors[:, -_MOST_COLUMNS:]


def _fits(problem: Problem, features: np.ndarray, blocks: np.ndarray) -> tuple[GroupMoments, list[RidgeFit]]:
    centred = features - features.mean(axis=0) if features.shape[1] else features
    moments = group_moments(problem.intercept_and_covariates(), centred, problem.z, blocks)
    return moments, leave_group_out(moments, DEFAULT_PENALTIES if features.shape[1] else np.zeros(1), "auto")


def _jackknife(problem: Problem, features: np.ndarray, blocks: np.ndarray) -> tuple[BlockSums, np.ndarray]:
    return signed_r2_without_each_group(*_fits(problem, features, blocks))


def _held_out(problem: Problem, features: np.ndarray, blocks: np.ndarray) -> BlockSums:
    return held_out_sums(*_fits(problem, features, blocks))


def _r2(sums: BlockSums, weights: np.ndarray | None = None) -> np.ndarray:
    return signed_square(np.nan_to_num(sums.correlation(weights)))
