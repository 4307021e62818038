"""Which shifts are real: an empirical-Bayes mixture that learns from the data whether there are hubs.

A shift ``d_st`` with error ``e_st`` is drawn from

    d_st ~ (1 - p_s) N(0, e_st^2) + p_s sum_k w_k N(0, e_st^2 + tau_k^2),      p_s ~ g

where ``p_s`` is the share of genes that source s moves. ``g`` is a distribution over a grid of shares and is
learned: where few sources move many genes it puts weight on both ends, where all are alike it is a point. The
sizes of effects are a mixture of normals (as in Stephens 2017, Biostatistics 18, 275), also learned.
"""

from dataclasses import dataclass

import numpy as np

from cistron.networks.effects import KnockOutEffects
from cistron.runtime.progress import track

SHARES = np.array([0.001, 0.003, 0.006, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8])
SIZES = np.array([0.1, 0.2, 0.4, 0.8, 1.6])


@dataclass(frozen=True)
class ShrunkenEffects:
    """Posterior of the total effects of perturbations.

    Attributes
    ----------
    log_odds
        Natural log-odds that source s moves target t at all [perturbation, gene].
    mean
        Posterior mean of the shift [perturbation, gene].
    share
        Posterior mean of ``p_s`` [perturbation].
    learned
        Weights of the sizes and of the shares.
    """

    log_odds: np.ndarray
    mean: np.ndarray
    share: np.ndarray
    learned: tuple[np.ndarray, np.ndarray]

    @property
    def probability(self) -> np.ndarray:
        """Posterior probability of an effect [perturbation, gene]."""
        return _logistic(self.log_odds)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def log_normal(x: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Log density of a normal of mean 0; never underflows, so that evidence keeps growing with the effect."""
    return -0.5 * (x**2 / variance + np.log(2 * np.pi * variance))


# exp of more overflows float64; beyond it log(1 - p + p r) is log p + log r to the last digit
_LARGEST = 600.0


def _rows(
    shift: np.ndarray, error: np.ndarray, mask: np.ndarray, sizes: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One E-step for some sources.

    Gives the posterior over shares [source, share], its mean [source], the log-ratio of effect to null
    [source, gene], and the responsibilities of the sizes given an effect [size, source, gene].
    """
    null = log_normal(shift, error**2)
    parts = np.stack([log_normal(shift, error**2 + size**2) for size in SIZES])
    parts += np.log(sizes)[:, None, None]
    highest = parts.max(axis=0)
    parts -= highest
    np.exp(parts, out=parts)
    total = parts.sum(axis=0)
    parts /= total
    log_ratio = np.log(total) + highest - null  # (S, T)
    capped = np.minimum(log_ratio, _LARGEST)
    beyond, excess = log_ratio - capped, np.expm1(capped)
    evidence = np.stack(
        [((np.log1p(share * excess) + beyond) * mask).sum(axis=1) for share in SHARES], axis=1
    )
    evidence += np.log(prior + 1e-300)
    posterior = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)  # (S, shares)
    return posterior, posterior @ SHARES, log_ratio, parts


def shrink_effects(
    effects: KnockOutEffects,
    *,
    steps: int = 60,
    sample: int = 200,
    block: int = 250,
    learned: tuple[np.ndarray, np.ndarray] | None = None,
) -> ShrunkenEffects:
    """Fit the mixture by expectation maximisation and give the posterior of all effects.

    Parameters
    ----------
    effects
        Shifts and errors.
    steps
        Steps of expectation maximisation.
    sample
        The distributions are learned on at most so many sources (evenly spread) with all their targets.
    block
        Sources that are handled at a time.
    learned
        Weights that were learned before, for resamples of the same cells; fitted when absent.
    """
    shift, error = effects.shift, effects.error
    number, genes = shift.shape
    mask = np.ones((number, genes))
    mask[np.arange(number), effects.sources] = 0
    chosen = np.unique(np.linspace(0, number - 1, min(number, sample)).astype(int))
    # learned on at most 200 x 1000 pairs: enough for two short histograms
    columns = np.unique(np.linspace(0, genes - 1, min(genes, 1000)).astype(int))
    part = np.ix_(chosen, columns)
    sizes = np.full(len(SIZES), 1 / len(SIZES))
    prior = np.full(len(SHARES), 1 / len(SHARES))
    if learned is not None:
        (sizes, prior), steps = learned, 0
    for _ in range(steps):
        posterior, share, log_ratio, parts = _rows(shift[part], error[part], mask[part], sizes, prior)
        prior = posterior.mean(axis=0)
        responsibility = _logistic(_logit(share)[:, None] + log_ratio) * mask[part]
        amount = np.einsum("st,kst->k", responsibility, parts)
        sizes = (amount + 1) / (amount + 1).sum()
    log_odds = np.empty((number, genes))
    mean = np.empty((number, genes))
    shares = np.empty(number)
    for start in track(range(0, number, block), "effects", unit=f"blocks of {block} perturbations"):
        rows = slice(start, start + block)
        _, share, log_ratio, parts = _rows(shift[rows], error[rows], mask[rows], sizes, prior)
        shares[rows] = share
        log_odds[rows] = _logit(share)[:, None] + log_ratio
        kept = sum(parts[k] * (SIZES[k] ** 2 / (SIZES[k] ** 2 + error[rows] ** 2)) for k in range(len(SIZES)))
        mean[rows] = _logistic(log_odds[rows]) * kept * shift[rows]
    return ShrunkenEffects(log_odds, mean, shares, (sizes, prior))
