"""The default method: perturbation evidence, direct effects and co-variation in one calibrated probability.

Effects are log fold changes of counts (``fold_changes``). ``V`` are the log-odds of a direct effect (``deconvolution``), ``E``
those of any effect (``shrinkage``), both with a prior density that is learned from the screen. Co-variation enters as the
partial correlation over the cells within perturbations, in units of its own spread over pairs, and as its sign times the
one that the perturbation implies where it is known which way the source was moved. ``calibration`` turns them, together with
numbers of the screen, into one probability. A source that was not perturbed has co-variation only.

Where control cells come in several states (``cell_states``), effects are those within states, and the log-odds the mean of two: with
co-variation over all cells and within states. States may differ by what the network does or by what it does not know of.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from cistron.formats.perturbed_cells import PerturbedCells
from cistron.networks.calibration import SCREEN, calibrations, log_odds
from cistron.networks.cell_states import within_states
from cistron.networks.covariation import covariance, partial_correlation_matrix
from cistron.networks.deconvolution import DirectEffects, direct_log_odds
from cistron.networks.direction import Directions
from cistron.networks.double_perturbations import perturbation_groups
from cistron.networks.effects import KnockOutEffects, screen_directions
from cistron.networks.escapers import cell_weights
from cistron.networks.evidence import BOUND, Evidence, logistic, unperturbed_pairs
from cistron.networks.fold_changes import screen_effects
from cistron.networks.network import Network
from cistron.networks.normalisation import normalise
from cistron.networks.settings import DefaultSettings
from cistron.networks.shrinkage import ShrunkenEffects, shrink_effects
from cistron.runtime.progress import Progress
from cistron.runtime.seeds import random_generator
from cistron.runtime.shards import run_each

SHRINKAGE = 0.5  # of correlations towards none; with less, noise passes between genes (0.1 to 0.9 tried)
FEWEST_PERTURBATIONS = 20  # with fewer, direct effects are not determined


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


def _evidence(
    effects: KnockOutEffects,
    partial: tuple[np.ndarray, float],
    settings: DefaultSettings,
    learned: tuple[np.ndarray, np.ndarray] | None = None,
) -> Evidence:
    directions = screen_directions(effects, settings.direction)
    total = shrink_effects(effects, learned=learned)
    if not settings.learn_hubs:
        total = _without_hubs(total, effects)
    if not supported_settings(effects, directions, settings).direct:
        direct = DirectEffects(np.full(effects.shift.shape, -BOUND), np.zeros(effects.shift.shape))
        return Evidence(effects, total, direct, directions, *partial, False)
    direct = direct_log_odds(
        effects,
        total,
        directions,
        most_candidates=settings.candidates,
        learn_hubs=settings.learn_hubs,
        sweeps=25 if learned is None else 12,
    )
    return Evidence(effects, total, direct, directions, *partial, True)


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


def gather_evidence(
    cells: PerturbedCells, settings: DefaultSettings, seed: int = 0, compared: PerturbedCells | None = None
) -> tuple[Evidence, ...]:
    """Compute all terms from cells: once, or where they come in several states twice.

    The two differ in what partial correlations are over: all cells, or within states.

    Parameters
    ----------
    cells
        Perturbed cells.
    settings
        Settings of the default method.
    seed
        Seed of everything random.
    compared
        The cells with their states as batches, where that is known; looked for otherwise.
    """
    if compared is None:
        compared = within_states(cells)[0] if settings.cell_states else cells
    weights = cell_weights(cells) if settings.escapers else None
    values = normalise(cells)
    first = _evidence(screen_effects(compared, weights), _partial(values, cells, settings, seed), settings)
    return _with_states(first, _partial(values, compared, settings, seed) if compared is not cells else None)


def _with_states(first: Evidence, within: tuple[np.ndarray, float] | None) -> tuple[Evidence, ...]:
    """Add the evidence with partial correlations within states, where there are states."""
    return (first,) if within is None else (first, replace(first, partial=within[0], cells=within[1]))


def _partial(
    values: sparse.csr_matrix,
    cells: PerturbedCells,
    settings: DefaultSettings,
    seed: int,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    if not settings.co_variation:
        return np.zeros((values.shape[1],) * 2), 0.0
    perturbation = perturbation_groups(cells)[0]
    used = np.flatnonzero((perturbation >= -1) & (True if weights is None else weights > 0))
    if len(used) > settings.most_cells:
        random = random_generator(seed, "cells for covariation")
        used = np.sort(random.choice(used, settings.most_cells, replace=False))
    # within perturbations: what they moved is the other evidence already and must not count twice
    group = perturbation[used] + 1
    if cells.batch is not None:
        group = group + (group.max() + 1) * cells.batch[used]
    covariances, _, number = covariance(
        values[used],
        None if weights is None else weights[used],
        batch=np.unique(group, return_inverse=True)[1],
    )
    return partial_correlation_matrix(covariances, number, SHRINKAGE), number


def combine(evidence: Evidence, settings: DefaultSettings) -> np.ndarray:
    """Give the log-odds of a direct edge, float32 [source, target]; NaN on the diagonal."""
    genes, screen = len(evidence.partial), evidence.screen()
    full = np.full((genes, genes), np.nan, dtype=np.float32)
    if settings.co_variation and len(evidence.effects.sources) < genes:
        full[:] = log_odds("unperturbed", unperturbed_pairs(evidence.partial), screen)
        # among more genes than were fitted on, a pair is an edge more rarely
        fitted = calibrations()["unperturbed"]
        full += min(0.0, float(fitted.high[len(fitted.pair_inputs) + SCREEN.index("genes")]) - screen.genes)
    form = "with direct" if evidence.determined else "total only"
    full[evidence.effects.sources] = log_odds(form, evidence.pairs(), screen)
    np.fill_diagonal(full, np.nan)
    return full


def mean_log_odds(evidences: tuple[Evidence, ...], settings: DefaultSettings) -> np.ndarray:
    """Log-odds of the edges, the mean over what ``gather_evidence`` found, float32 [source, target]; NaN on the diagonal.

    Parameters
    ----------
    evidences
        One, or two where cells have states.
    settings
        Settings of the default method.
    """
    odds = [combine(one, settings) for one in evidences]
    return odds[0] if len(odds) == 1 else (odds[0] + odds[1]) / 2


def _resample_weights(perturbation: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Times that each cell is drawn when every group of cells is resampled with replacement."""
    weights = np.zeros(len(perturbation), dtype=np.int64)
    for label in np.unique(perturbation[perturbation >= -1]):
        members = np.flatnonzero(perturbation == label)
        weights[members] = np.bincount(random.integers(0, len(members), len(members)), minlength=len(members))
    return weights


def _stability(
    cells: PerturbedCells,
    compared: PerturbedCells,
    first: Evidence,
    odds: np.ndarray,
    settings: DefaultSettings,
    seed: int,
    progress: Progress,
) -> np.ndarray:
    """Share of resamples in which a pair is among as many top pairs as edges are expected."""
    genes = len(cells.genes)
    probability = np.nan_to_num(logistic(odds))
    expected = int(min(max(probability.sum(), 50), genes * (genes - 1)))
    shared = {
        "cells": cells,
        "compared": None if compared is cells else compared,
        "values": normalise(cells),
        "perturbed": cell_weights(cells) if settings.escapers else None,
        "settings": settings,
        "seed": seed,
        "learned": first.total.learned,
        "expected": expected,
    }
    found = np.zeros((genes, genes), dtype=np.float32)
    for strongest in run_each(_resampled, [{"draw": draw} for draw in range(settings.resamples)], shared):
        found[strongest] += 1
        progress.advance()
    return found / settings.resamples


def _resampled(
    cells: PerturbedCells,
    compared: PerturbedCells | None,
    values: sparse.csr_matrix,
    perturbed: np.ndarray | None,
    settings: DefaultSettings,
    seed: int,
    learned: tuple[np.ndarray, np.ndarray],
    expected: int,
    draw: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Strongest pairs of one resample of the cells."""
    weights = _resample_weights(
        perturbation_groups(cells)[0], random_generator(seed, "resampled cells", draw)
    )
    partial = _partial(values, cells, settings, seed, weights)
    within = None if compared is None else _partial(values, compared, settings, seed, weights)
    used = weights if perturbed is None else weights * perturbed
    effects = screen_effects(cells if compared is None else compared, used)
    evidences = _with_states(_evidence(effects, partial, settings, learned), within)
    return Network(cells.genes, mean_log_odds(evidences, settings)).strongest(expected)


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
    # the evidence of all cells and of each resample takes about as long, so that the time left can be told
    with Progress("network", total=1 + settings.resamples, unit="passes over the cells") as progress:
        compared, states = within_states(cells) if settings.cell_states else (cells, None)
        evidences = gather_evidence(cells, settings, seed, compared)
        evidence, odds = evidences[0], mean_log_odds(evidences, settings)
        progress.advance()
        stability = (
            _stability(cells, compared, evidence, odds, settings, seed, progress)
            if settings.resamples
            else None
        )
    genes, sources = len(cells.genes), evidence.effects.sources
    sign = np.sign(evidence.partial).astype(np.int8)
    sign[sources] = evidence.regulation()
    np.fill_diagonal(sign, 0)
    direct = None
    if evidence.determined:
        direct = np.ones((genes, genes), dtype=np.float32)
        chance = logistic(evidence.direct.log_odds)
        direct[sources] = chance / np.maximum(evidence.total.probability, chance + 1e-9)
    details: dict[str, object] = {
        "perturbations": evidence.directions.kind,
        "direct_effects": evidence.determined,
    }
    if states is not None:
        details["cell_states"] = [round(float(share), 3) for share in states.shares]
    return Network(
        cells.genes,
        odds,
        sign=sign,
        probability=logistic(odds).astype(np.float32),
        direct=direct,
        stability=stability,
        details=details,
    )
