"""Which effects are direct: sparse Bayesian regression of each gene's shifts on the shifts of its candidate sources.

When source s is perturbed, a target moves because its own regulators move:

    d_st = sum_k r_sk b_kt + noise,     r_kk = -1 (lowered) or +1 (raised),

where ``r_sk`` is the (shrunken) shift of gene k in units of its own move when it is perturbed itself, and
``b_kt`` is what the rise of k by that much does to t directly. This is modular response analysis
(Bruggeman et al. 2002, J. Theor. Biol. 218, 507) for many noisy perturbations. Each ``b_kt`` is zero or
normal (spike and slab); the share of targets of each source has a beta prior whose spread is learned, so that
hubs are used where the data show them and not assumed. Posterior by coordinate ascent (Carbonetto and
Stephens 2012, Bayesian Analysis 7, 73), for all targets at once.
"""

from dataclasses import dataclass

import numpy as np

from cistron.networks.direction import Directions
from cistron.networks.effects import KnockOutEffects
from cistron.networks.shrinkage import ShrunkenEffects
from cistron.runtime.progress import Progress
from cistron.runtime.threads import limit_threads


@dataclass(frozen=True)
class DirectEffects:
    """Posterior of direct effects.

    Attributes
    ----------
    log_odds
        Natural log-odds of a direct effect [perturbation, gene].
    effect
        Its size given that there is one: the shift of the target that the source's perturbation causes directly,
        in standard deviations of the target [perturbation, gene].
    """

    log_odds: np.ndarray
    effect: np.ndarray


def _candidates(shrunken: ShrunkenEffects, sources: np.ndarray, most: int) -> np.ndarray:
    """For each gene the perturbations with the strongest evidence of a total effect, int [gene, candidate]."""
    evidence = shrunken.log_odds.copy()
    evidence[np.arange(len(sources)), sources] = -np.inf
    count = min(most, len(sources))
    if count < len(sources):
        evidence = evidence.T
        return np.argpartition(-evidence, count - 1, axis=1)[:, :count]
    return np.argsort(-evidence.T, axis=1, kind="stable")


def own_moves(effects: KnockOutEffects, directions: Directions) -> np.ndarray:
    """How far each perturbed gene moved in its direction: posterior means under a normal prior of all perturbations [perturbation].

    Effects are divided by it, so that it must be neither noise nor near zero: a gene with few counts is taken to have moved
    as far as the others did.
    """
    rows = np.arange(len(effects.sources))
    own, variance = directions.sign * effects.own, effects.error[rows, effects.sources] ** 2
    between, middle = max(float(own.var() - variance.mean()), 0.01), 0.0
    for _ in range(20):
        weight = 1 / (variance + between)
        middle = float((weight * own).sum() / weight.sum())
        excess = (weight**2 * ((own - middle) ** 2 - variance)).sum() / (weight**2).sum()
        between = max(float(excess), 0.01)
    posterior = (own / variance + middle / between) / (1 / variance + 1 / between)
    return np.maximum(posterior, 0.3 * abs(middle) + 1e-3)


def _statistics(
    effects: KnockOutEffects, regressors: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted Gram matrix [gene, candidate, candidate] and products with the shifts [gene, candidate]."""
    genes, count = candidates.shape
    gram = np.empty((genes, count, count), dtype=np.float32)
    product = np.empty((genes, count), dtype=np.float32)
    row_of = {int(source): row for row, source in enumerate(effects.sources)}
    # One thread: threads that wait for each other over thousands of small products cost far more than they save.
    with Progress("direct effects", total=genes, unit="genes") as progress, limit_threads(1):
        for gene in range(genes):
            precision = 1 / effects.error[:, gene] ** 2
            if gene in row_of:  # a gene's own fall says nothing about its regulators
                precision[row_of[gene]] = 0
            design = regressors[:, candidates[gene]]
            weighted = design * precision[:, None].astype(np.float32)
            gram[gene] = weighted.T @ design
            product[gene] = weighted.T @ effects.shift[:, gene].astype(np.float32)
            progress.advance()
    return gram, product


def _learned_shares(included: np.ndarray, targets: int) -> np.ndarray:
    """Posterior mean share of targets of each source under a beta prior fitted by moments."""
    share = included / targets
    mean = max(float(share.mean()), 1e-6)
    excess = max(float(share.var()) - mean * (1 - mean) / targets, 1e-8)
    concentration = float(np.clip(mean * (1 - mean) / excess - 1, 2, 5000))
    return np.clip((concentration * mean + included) / (concentration + targets), 1e-4, 0.9)


def direct_log_odds(
    effects: KnockOutEffects,
    shrunken: ShrunkenEffects,
    directions: Directions,
    *,
    sweeps: int = 25,
    most_candidates: int = 100,
    learn_hubs: bool = True,
) -> DirectEffects:
    """Fit the regression of all genes.

    Parameters
    ----------
    effects, shrunken
        Shifts and their posterior.
    directions
        Which way each perturbed gene was moved.
    sweeps
        Rounds of coordinate ascent.
    most_candidates
        Candidate sources of a gene; bounds work and memory to genes x candidates^2.
    learn_hubs
        Give each source its own share of targets; one share for all otherwise.

    Returns
    -------
    DirectEffects
        Pairs that are no candidates get the log-odds -12 and the effect 0.
    """
    sources = effects.sources
    number, genes = effects.shift.shape
    moved = own_moves(effects, directions)
    regressors = (shrunken.mean[:, sources] / moved[None, :]).astype(np.float32)
    np.fill_diagonal(regressors, directions.sign)
    candidates = _candidates(shrunken, sources, most_candidates)
    gram, product = _statistics(effects, regressors, candidates)
    rows = np.arange(genes)
    diagonal = np.diagonal(gram, axis1=1, axis2=2).copy()  # (genes, C)
    itself = sources[candidates] == rows[:, None]
    included = np.where(itself, 0, shrunken.probability[candidates, rows[:, None]])
    total = shrunken.mean[candidates, rows[:, None]] * directions.sign[candidates]
    size = np.where(itself, 0, total / np.maximum(included, 1e-6))
    slab = 0.09
    share = np.clip(shrunken.share, 0.002, 0.5)
    log_odds = np.zeros((genes, candidates.shape[1]))
    order = np.argsort(-included.mean(axis=0), kind="stable")
    for _ in range(sweeps):
        variance = 1 / (diagonal + 1 / slab)
        prior = np.log(share / (1 - share))[candidates] + 0.5 * np.log(variance / slab)
        for position in order:
            fitted = np.einsum("gc,gc->g", gram[:, position], included * size)
            fitted -= diagonal[:, position] * included[:, position] * size[:, position]
            mean = (product[:, position] - fitted) * variance[:, position]
            odds = prior[:, position] + 0.5 * mean**2 / variance[:, position]
            log_odds[:, position] = odds
            chance = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
            included[:, position] = np.where(itself[:, position], 0, chance)
            size[:, position] = mean
        slab = float(np.clip((included * (size**2 + variance)).sum() / max(included.sum(), 1e-9), 0.01, 4))
        per_source = np.bincount(candidates.ravel(), included.ravel(), minlength=number)
        share = (
            _learned_shares(per_source, genes - 1)
            if learn_hubs
            else np.full(number, np.clip(per_source.sum() / (number * (genes - 1)), 1e-4, 0.9))
        )
    full = np.full((number, genes), -12.0)
    effect = np.zeros((number, genes))
    full[candidates, rows[:, None]] = np.clip(log_odds, -50, 50)
    effect[candidates, rows[:, None]] = directions.sign[candidates] * size
    return DirectEffects(full, effect)
