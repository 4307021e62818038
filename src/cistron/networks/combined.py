"""The default method: perturbation evidence, direct effects and co-variation in one calibrated probability.

    log-odds(s -> t) = c0 + c1 V_st + c2 E_st + c3 log(|rho_st| / median |rho|) + c4 agree_st log(1 + |rho_st| sqrt(n))
                       + u (c5 + c6 V_st + c7 E_st)

V are the log-odds of a direct effect (``deconvolution``), E those of any effect (``shrinkage``), rho the partial
correlation over all cells, and ``agree`` is +1 where rho has the sign that the perturbation implies, -1 where it has
the other, 0 where nobody knows which way the source was moved; ``u`` says how well the data see knock-downs (the logarithm of the median z of the perturbed genes
themselves, less 2): sparse data make V and E timid, deep data make them bold. The coefficients were fitted by logistic regression on planted networks of development seeds
(``benchmarks/networks_fit.py``), half with hubs and half without, shallow and deep, 30 and 100 cells per knock-out.
A source that was not perturbed has rho only, and coefficients of its own.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.covariation import covariance, partial_correlation_matrix
from cistron.networks.deconvolution import DirectEffects, direct_log_odds
from cistron.networks.direction import Directions, regulation_sign
from cistron.networks.effects import (
    GroupMoments,
    KnockOutEffects,
    group_moments,
    knock_out_effects,
    screen_directions,
)
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise
from cistron.networks.settings import DefaultSettings
from cistron.networks.shrinkage import ShrunkenEffects, shrink_effects
from cistron.runtime.progress import track
from cistron.runtime.seeds import random_generator

# intercept, direct effect, any effect, partial correlation, agreement of signs, and with u: 1, direct, any
COEFFICIENTS = (-3.080, 0.470, 0.288, 0.295, 0.841, -1.158, 0.130, -0.370)
# for a source that was not perturbed: intercept, partial correlation
UNPERTURBED = (-4.502, 1.351)
_BOUND = 12.0  # log-odds beyond this only order edges
FEWEST_PERTURBATIONS = 20  # with fewer, direct effects are not determined


@dataclass(frozen=True)
class Evidence:
    """The terms of the log-odds, each [perturbation, gene]."""

    effects: KnockOutEffects
    total: ShrunkenEffects
    direct: DirectEffects
    directions: Directions
    partial: np.ndarray  # [gene, gene]
    cells: float

    def terms(self) -> np.ndarray:
        """Give the seven terms behind the coefficients, float64 [7, perturbation, gene]."""
        rho = self.partial[self.effects.sources]
        strength = np.abs(rho)
        moved = np.where(self.direct.effect != 0, self.direct.effect, self.effects.shift)
        # where nobody knows which way a gene was moved, the sign of co-variation says nothing
        implied = np.where(self.directions.known, self.directions.sign, 0.0)[:, None]
        agree = np.sign(rho) * np.sign(moved) * implied
        direct = _bounded(self.direct.log_odds)
        total = _bounded(self.total.log_odds)
        visible = self.visibility
        return np.stack(
            [
                direct,
                total,
                relative_strength(self.partial)[self.effects.sources],
                agree * np.log1p(strength * np.sqrt(self.cells)),
                np.full(direct.shape, visible),
                visible * direct,
                visible * total,
            ]
        )

    @property
    def visibility(self) -> float:
        """``u``, kept within the range that the coefficients were fitted on."""
        own = (
            np.abs(self.effects.own)
            / self.effects.error[np.arange(len(self.effects.sources)), self.effects.sources]
        )
        return float(np.clip(np.log(max(float(np.median(own)), 1e-3)), 0.5, 3.5) - 2)


def _bounded(log_odds: np.ndarray) -> np.ndarray:
    """Flatten log-odds beyond the bound without making ties."""
    beyond = np.maximum(np.abs(log_odds) - _BOUND, 0)
    return np.sign(log_odds) * (np.minimum(np.abs(log_odds), _BOUND) + np.log1p(beyond))


def supported_settings(
    effects: KnockOutEffects, directions: Directions, settings: DefaultSettings
) -> DefaultSettings:
    """Leave direct effects out where the data cannot determine them.

    They are measured in units of each source's own move, which must be seen, and each perturbation is one equation
    for the direct effects of all others, so there must be more than a few.

    Parameters
    ----------
    effects
        Effects of the perturbations.
    directions
        Which way they moved their genes.
    settings
        Settings that were asked for.
    """
    determined = directions.seen and len(effects.sources) >= FEWEST_PERTURBATIONS
    return settings if determined else replace(settings, direct=False)


def relative_strength(partial: np.ndarray) -> np.ndarray:
    """Give log(|rho| / median |rho| of all pairs) [gene, gene]."""
    strength = np.abs(partial)
    inside = strength[~np.eye(len(strength), dtype=bool)]
    return np.log((strength + 1e-4) / (np.median(inside) + 1e-4))


def _evidence(
    moments: GroupMoments,
    partial: np.ndarray,
    cells: float,
    settings: DefaultSettings,
    learned: tuple[np.ndarray, np.ndarray] | None = None,
) -> Evidence:
    effects = knock_out_effects(moments)
    directions = screen_directions(effects, settings.direction)
    total = shrink_effects(effects, learned=learned)
    if not settings.learn_hubs:
        total = _without_hubs(total, effects)
    if not supported_settings(effects, directions, settings).direct:
        direct = DirectEffects(np.full(effects.shift.shape, -_BOUND), np.zeros(effects.shift.shape))
        return Evidence(effects, total, direct, directions, partial, cells)
    direct = direct_log_odds(
        effects,
        total,
        directions,
        most_candidates=settings.candidates,
        learn_hubs=settings.learn_hubs,
        sweeps=25 if learned is None else 12,
    )
    return Evidence(effects, total, direct, directions, partial, cells)


def _without_hubs(total: ShrunkenEffects, effects: KnockOutEffects) -> ShrunkenEffects:
    """Give all sources the same share of moved genes."""
    share = float(total.share.mean())
    shift = np.log(share / (1 - share)) - np.log(total.share / (1 - total.share))
    log_odds = total.log_odds + shift[:, None]
    before = np.maximum(total.probability, 1e-12)
    after = 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
    return ShrunkenEffects(
        log_odds,
        total.mean * after / before,
        np.full(len(total.share), share),
        total.learned,
    )


def gather_evidence(cells: PerturbedCells, settings: DefaultSettings, seed: int = 0) -> Evidence:
    """Compute all terms from cells.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Settings of the default method.
    seed
        Seed of everything random.
    """
    values = normalise(cells)
    partial, number = _partial(values, cells, settings, seed)
    moments = group_moments(values, cells.perturbation, batch=cells.batch)
    return _evidence(moments, partial, number, settings)


def _partial(
    values: sparse.csr_matrix,
    cells: PerturbedCells,
    settings: DefaultSettings,
    seed: int,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    if not settings.co_variation:
        return np.zeros((values.shape[1],) * 2), 0.0
    used = np.flatnonzero((cells.perturbation >= -1) & (True if weights is None else weights > 0))
    if len(used) > settings.most_cells:
        random = random_generator(seed, "cells for covariation")
        used = np.sort(random.choice(used, settings.most_cells, replace=False))
    covariances, _, number = covariance(
        values[used],
        None if weights is None else weights[used],
        batch=None if cells.batch is None else cells.batch[used],
    )
    return partial_correlation_matrix(covariances, number), number


def combine(evidence: Evidence, settings: DefaultSettings) -> np.ndarray:
    """Give the log-odds of a direct edge, float32 [source, target]; NaN on the diagonal."""
    genes = len(evidence.partial)
    coefficients = np.array(COEFFICIENTS[1:])
    if not supported_settings(evidence.effects, evidence.directions, settings).direct:
        # the evidence for any effect takes its place
        coefficients[[1, 6]] += coefficients[[0, 5]]
        coefficients[[0, 5]] = 0
    if not settings.co_variation:
        coefficients[2:4] = 0
    full = np.full((genes, genes), np.nan, dtype=np.float32)
    if settings.co_variation:
        # Fitted on 100 genes. A gene has as many regulators among more genes, so a pair is an edge more rarely;
        # perturbation evidence knows that by itself, because its shares are learned.
        rarity = min(0.0, np.log(100 / genes))
        full[:] = UNPERTURBED[0] + rarity + UNPERTURBED[1] * relative_strength(evidence.partial)
    full[evidence.effects.sources] = COEFFICIENTS[0] + np.tensordot(coefficients, evidence.terms(), 1)
    np.fill_diagonal(full, np.nan)
    return full


def _resample_weights(perturbation: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Times that each cell is drawn when every group of cells is resampled with replacement."""
    weights = np.zeros(len(perturbation), dtype=np.int64)
    for label in np.unique(perturbation[perturbation >= -1]):
        members = np.flatnonzero(perturbation == label)
        weights[members] = np.bincount(random.integers(0, len(members), len(members)), minlength=len(members))
    return weights


def _stability(
    cells: PerturbedCells, first: Evidence, log_odds: np.ndarray, settings: DefaultSettings, seed: int
) -> np.ndarray:
    """Share of resamples in which a pair is among as many top pairs as edges are expected."""
    genes = len(cells.genes)
    probability = np.nan_to_num(_logistic(log_odds))
    expected = int(min(max(probability.sum(), 50), genes * (genes - 1)))
    values = normalise(cells)
    found = np.zeros((genes, genes), dtype=np.float32)
    for draw in track(range(settings.resamples), "resampling cells", unit="resamples"):
        random = random_generator(seed, "resampled cells", draw)
        weights = _resample_weights(cells.perturbation, random)
        partial, number = _partial(values, cells, settings, seed, weights)
        moments = group_moments(values, cells.perturbation, weights, cells.batch)
        evidence = _evidence(moments, partial, number, settings, first.total.learned)
        again = Network(cells.genes, combine(evidence, settings))
        found[again.strongest(expected)] += 1
    return found / settings.resamples


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def infer_default(cells: PerturbedCells, settings: DefaultSettings, seed: int) -> Network:
    """Infer a network with signs, probabilities, direct shares and stability.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Settings of the default method.
    seed
        Seed of everything random.
    """
    cells.require_perturbations("the default method")
    evidence = gather_evidence(cells, settings, seed)
    log_odds = combine(evidence, settings)
    genes, sources = len(cells.genes), evidence.effects.sources
    sign = np.sign(evidence.partial).astype(np.int8)
    np.fill_diagonal(sign, 0)
    moved = np.where(evidence.direct.effect != 0, evidence.direct.effect, evidence.effects.shift)
    sign[sources] = regulation_sign(moved, evidence.directions.sign)
    deconvolved = supported_settings(evidence.effects, evidence.directions, settings).direct
    direct = None
    if deconvolved:
        direct = np.ones((genes, genes), dtype=np.float32)
        chance = _logistic(evidence.direct.log_odds)
        direct[sources] = chance / np.maximum(evidence.total.probability, chance + 1e-9)
    details = {"perturbations": evidence.directions.kind, "direct_effects": deconvolved}
    return Network(
        cells.genes,
        log_odds,
        sign=sign,
        probability=_logistic(log_odds).astype(np.float32),
        direct=direct,
        stability=_stability(cells, evidence, log_odds, settings, seed) if settings.resamples else None,
        details=details,
    )
