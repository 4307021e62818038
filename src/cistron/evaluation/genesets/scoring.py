"""Scores of one embedding on all sets: alone, beside trivial columns, and with its rows permuted."""

from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.evaluation.rivals import Gain, gain_beyond
from cistron.genes.splits import chromosome_groups
from cistron.runtime.seeds import random_generator
from cistron.statistics import permute_within
from cistron.statistics.estimate import Estimate
from cistron.statistics.held_out_ranks import LeftOutModel, Members
from cistron.statistics.set_scores import drawn_scores, set_estimates

_LEAST_GROUPS = 4


@dataclass(frozen=True)
class ModelScores:
    """Scores of one embedding on some genes.

    Attributes
    ----------
    alone
        By metric, ridge on the embedding.
    gains
        By metric, the trivial columns and what the embedding adds to them; empty where there are no such columns.
    permuted, rival_permuted
        By metric, scores of the permuted embedding and of the permuted trivial columns, float64 [draw, set].
    reflected
        By metric, scores of the embedding with its axes reflected at random in each group of chromosomes, float64
        [draw, set]. Permuted rows leave their tandem duplicates; reflected ones keep them, so chance is as wide as it is.
    members
        Genes of each set, int [set].
    """

    alone: dict[str, Estimate]
    gains: dict[str, Gain]
    permuted: dict[str, np.ndarray]
    rival_permuted: dict[str, np.ndarray]
    reflected: dict[str, np.ndarray]
    members: np.ndarray


def score_gene_sets(
    values: np.ndarray,
    trivial: np.ndarray,
    member: np.ndarray,
    chromosomes: np.ndarray,
    folds: int,
    controls: int,
    draws: int,
    seed: int,
) -> ModelScores:
    """Score an embedding.

    Parameters
    ----------
    values
        The embedding, float64 [gene, dimension].
    trivial
        Trivial columns, float64 [gene, column]; there may be none.
    member
        Membership, bool [gene, set].
    chromosomes
        Chromosome of each gene, text [gene].
    folds
        Groups of chromosomes that are left out in turn.
    controls
        Permutations within chromosomes.
    draws
        Reflections of the axes of the embedding.
    seed
        Seed of the permutations.

    Raises
    ------
    InputError
        If the genes lie on fewer than four chromosomes.
    """
    blocks = np.unique(chromosomes, return_inverse=True)[1]
    number = int(blocks.max()) + 1
    if number < _LEAST_GROUPS:
        raise InputError(
            f"the genes lie on {number} chromosomes; leaving chromosomes out needs at least {_LEAST_GROUPS}"
        )
    groups = np.asarray(chromosome_groups(list(chromosomes), min(folds, number)))
    members = Members.of(member, groups)
    orders = np.array([permute_within(blocks, seed, draw) for draw in range(controls)])
    none = np.empty((len(values), 0))
    model = LeftOutModel.fit(none, values, members)
    permuted = drawn_scores(members, model.rearranged_ranks(orders))
    generator = random_generator(seed, "reflected axes")
    reflected = drawn_scores(members, model.reflected_ranks(draws, generator))
    sizes = member.sum(axis=0)
    alone = set_estimates(model)
    if not trivial.shape[1]:
        return ModelScores(alone, {}, permuted, {}, reflected, sizes)
    gains = gain_beyond(trivial, values, member, groups)
    rival = LeftOutModel.fit(trivial, none, members)
    rival_permuted = drawn_scores(members, rival.rearranged_ranks(orders))
    return ModelScores(alone, gains, permuted, rival_permuted, reflected, sizes)
