"""How much of a gain's deviation comes from the genes that the model was trained on.

A bootstrap over chromosomes of held-out predictions varies the tested genes only. The jackknife varies both, but
needs a fit for each pair of chromosomes, which only a closed form can afford; so ridge, without whitening,
tells for every model by how much its bootstrap deviates too little.
"""

from dataclasses import replace

import numpy as np

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.linear_models import RidgeSettings, ridge_columns, ridge_fitter
from cistron.evaluation.gwas.problem import Problem
from cistron.evaluation.gwas.tasks import Task
from cistron.evaluation.gwas.variants import Variant, variant_problem, variant_rows
from cistron.statistics import (
    BlockSums,
    GroupMoments,
    RidgeFit,
    block_draws,
    group_moments,
    held_out_sums,
    jackknife_variance,
    permute_within,
    signed_r2_without_each_group,
    signed_square,
)

_MOST_COLUMNS = 128  # the share of training in the deviation is much the same in the leading components
_OWN_DRAWS = 6
_RATIO_LIMIT = 5.0
# The jackknife keeps penalties, which would be chosen anew with other chromosomes. Without this factor 90% of the intervals of
# planted functions held the truth, with it 93% (docs/guide/gwas.md).
_CHOSEN_ANEW = 1.2


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
        1.2 times the square root of L over the variance of the bootstrap, float64 [trait]; 1 where there are fewer than three
        chromosomes or a bootstrap that does not vary.
    """
    sizes = np.bincount(blocks).astype(np.float64)
    if len(sizes) < 3:
        return np.ones(problem.z.shape[1])
    problem = problem.with_features(_leading(problem.features))
    weights = block_draws(len(sizes), draws, seed)
    null_sums, null_without = _jackknife(problem.with_features(problem.features[:, :0]), blocks)
    sums, without = _jackknife(problem, blocks)
    value = _r2(sums) - _r2(null_sums)
    variance = jackknife_variance(value, without - null_without, sizes)
    bootstrap = (_r2(sums, weights) - _r2(null_sums, weights)).var(axis=0)
    if chance is None:
        permuted = []
        for draw in range(_OWN_DRAWS):
            moved = problem.with_features(problem.features[permute_within(blocks, seed, draw)])
            permuted.append(_r2(_held_out(moved, blocks)))
        chance = np.var(permuted, axis=0, ddof=1)
    linear = np.maximum(variance - 2 * chance, 0.0)
    varied = bootstrap > 1e-14
    ratio = np.sqrt(linear / np.where(varied, bootstrap, 1.0))
    return np.where(varied, _CHOSEN_ANEW * np.minimum(ratio, _RATIO_LIMIT), 1.0)


def _leading(features: np.ndarray) -> np.ndarray:
    """The features, or their leading principal components where there are many."""
    if features.shape[1] <= _MOST_COLUMNS:
        return features
    centred = features - features.mean(axis=0)
    vectors = np.linalg.eigh(centred.T @ centred)[1]
    return centred @ vectors[:, -_MOST_COLUMNS:]


def _fits(problem: Problem, blocks: np.ndarray) -> list[tuple[np.ndarray, GroupMoments, list[RidgeFit]]]:
    """Traits, moments and fits for each weight of the neighbours that some traits take in most folds."""
    settings = RidgeSettings()
    free, alternatives = ridge_columns(problem, settings)
    moments = [group_moments(free, one - one.mean(axis=0), problem.z, blocks) for one in alternatives]
    fit = ridge_fitter(settings, alternatives[0].shape[1])
    fits, choice = fit(moments)
    every = np.arange(problem.z.shape[1])
    if choice is None:
        assert fits is not None
        return [(every, moments[0], fits)]
    found = []
    for number, one in enumerate(moments):
        traits = np.flatnonzero(choice.usual == number)
        if len(traits):
            own = replace(one, cross=one.cross[:, :, traits], square=one.square[:, traits])
            again = choice if len(moments) == 1 else fit([own])[1]
            assert again is not None
            found.append((traits, own, again.fits(own)))
    return found


def _jackknife(problem: Problem, blocks: np.ndarray) -> tuple[BlockSums, np.ndarray]:
    fitted = _fits(problem, blocks)
    parts = [signed_r2_without_each_group(moments, fits) for _, moments, fits in fitted]
    order = np.argsort(np.concatenate([traits for traits, _, _ in fitted]))
    sums = np.concatenate([one.sums for one, _ in parts], axis=2)[:, :, order]
    return BlockSums(sums), np.concatenate([without for _, without in parts], axis=1)[:, order]


def _held_out(problem: Problem, blocks: np.ndarray) -> BlockSums:
    fitted = _fits(problem, blocks)
    order = np.argsort(np.concatenate([traits for traits, _, _ in fitted]))
    sums = [held_out_sums(moments, fits).sums for _, moments, fits in fitted]
    return BlockSums(np.concatenate(sums, axis=2)[:, :, order])


def _r2(sums: BlockSums, weights: np.ndarray | None = None) -> np.ndarray:
    return signed_square(np.nan_to_num(sums.correlation(weights)))
