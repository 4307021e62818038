"""Signed LD profile regression (Reshef et al., Nature Genetics 2018): arrays in, statistics out.

Marginal effects of a trait are a = R b + noise, R the linkage of variants, b their effects. For a signed annotation v with b = mu v + rest,
a = mu R v + rest, with covariance s R^2 + R / N of the rest. In the leading components of a block both sides are whitened, signed
background is taken out, and the products of chunks of the genome are summed. Under the null the sign of each chunk is as likely plus
as minus.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cistron.runtime.seeds import random_generator

_BATCH = 20_000  # draws of signs at a time


@dataclass(frozen=True)
class BlockComponents:
    """One linkage block in its leading components.

    Attributes
    ----------
    variance
        Eigenvalues of the linkage of the variants that the trait has, float64 [component].
    profile
        Signed LD profiles of annotations and background, U' R v, float64 [component, annotation].
    vectors
        U, float64 [variant, component].
    spread
        v' R v of each annotation, float64 [annotation].
    """

    variance: np.ndarray
    profile: np.ndarray
    vectors: np.ndarray
    spread: np.ndarray


def block_components(
    genotypes: np.ndarray, annotations: np.ndarray, typed: np.ndarray, kept_variance: float = 0.95
) -> BlockComponents:
    """Decompose the linkage of a block and project annotations onto it.

    Parameters
    ----------
    genotypes
        Standardised genotypes, float64 [person, variant].
    annotations
        Signed values for one copy of the counted allele, on standardised genotypes, float64 [variant, annotation].
    typed
        Variants that the trait has, bool [variant]; annotations of all variants count, through linkage.
    kept_variance
        Share of the variance that components keep.
    """
    people = len(genotypes)
    own = genotypes[:, typed] / np.sqrt(people)
    predicted = genotypes @ annotations / np.sqrt(people)  # [person, annotation]
    if own.shape[1] <= people:
        variance, vectors = np.linalg.eigh(own.T @ own)
        order = _leading(variance, kept_variance)
        variance, vectors = variance[order], vectors[:, order]
        left = own @ vectors / np.sqrt(variance)
    else:
        variance, left = np.linalg.eigh(own @ own.T)
        order = _leading(variance, kept_variance)
        variance, left = variance[order], left[:, order]
        vectors = own.T @ left / np.sqrt(variance)
    profile = np.sqrt(variance)[:, None] * (left.T @ predicted)
    return BlockComponents(variance, profile, vectors, (predicted**2).sum(0))


def linkage_scores(genotypes: np.ndarray) -> np.ndarray:
    """LD scores: sums of r^2 with all variants of the block, without the bias of few people; float64 [variant].

    Source: Bulik-Sullivan et al. 2015.
    """
    squared = (genotypes.T @ genotypes / len(genotypes)) ** 2
    return (squared - (1 - squared) / max(1, len(genotypes) - 2)).sum(0)


def _leading(variance: np.ndarray, kept: float) -> np.ndarray:
    """Components from the largest on that keep a share of the variance, without those that are nought."""
    order = np.argsort(-variance)
    share = np.cumsum(variance[order]) / variance.sum()
    number = int(np.searchsorted(share, kept - 1e-12)) + 1
    order = order[:number]
    return order[variance[order] > 1e-10 * variance.max()]


def estimated_heritability(
    chi_squared: np.ndarray, scores: np.ndarray, people: float, variants: int
) -> float:
    """Heritability from mean chi-squared and mean LD score, kept within .01 and 1.

    Parameters
    ----------
    chi_squared, scores
        Of the variants of the trait, float64 [variant].
    people
        Of the GWAS.
    variants
        Number of variants that share the heritability.
    """
    found = (float(np.mean(chi_squared)) - 1) * variants / (people * max(float(np.mean(scores)), 1e-9))
    return float(np.clip(found, 0.01, 1.0))


@dataclass(frozen=True)
class Moments:
    """Sums of products over a block or chunk, of annotations x, background b and traits y.

    Attributes
    ----------
    xx
        float64 [annotation].
    xb, xy, bb, by
        float64 [annotation, background], [annotation, trait], [background, background], [background, trait].
    """

    xx: np.ndarray
    xb: np.ndarray
    xy: np.ndarray
    bb: np.ndarray
    by: np.ndarray

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.xx + other.xx, self.xb + other.xb, self.xy + other.xy, self.bb + other.bb, self.by + other.by
        )


def block_moments(
    block: BlockComponents, effects: np.ndarray, people: float, effect_variance: float, background: int
) -> Moments:
    """Whiten a block and multiply.

    Parameters
    ----------
    block
        Components; the last ``background`` profiles are the background.
    effects
        Marginal effects z / sqrt(N), float64 [variant, trait].
    people
        Of the GWAS.
    effect_variance
        Variance of the effect of a variant.
    background
        Number of background annotations.
    """
    scale = 1 / np.sqrt(effect_variance * block.variance**2 + block.variance / people)
    profile = block.profile * scale[:, None]
    y = (block.vectors.T @ effects) * scale[:, None]
    number = profile.shape[1] - background
    x, b = profile[:, :number], profile[:, number:]
    return Moments((x**2).sum(0), x.T @ b, x.T @ y, b.T @ b, b.T @ y)


@dataclass(frozen=True)
class SignedTest:
    """Statistics of annotations and traits, float64 [annotation, trait] each.

    Attributes
    ----------
    effect
        mu: change of the effect of a variant with the annotation.
    error
        Its standard error, from the spread of sign flips.
    z
        Sum of the chunks over the root of their squares.
    p_value
        Share of sign flips with a sum as large, at least one over their number.
    """

    effect: np.ndarray
    error: np.ndarray
    z: np.ndarray
    p_value: np.ndarray


def chunks_of(sizes: Sequence[int], chunks: int) -> np.ndarray:
    """Group neighbouring blocks into chunks of about equal numbers of variants, int64 [block].

    Parameters
    ----------
    sizes
        Variants of each block.
    chunks
        Number of chunks, at most.
    """
    total = np.cumsum(sizes)
    middle = total - np.asarray(sizes) / 2
    return np.unique((middle / total[-1] * chunks).astype(np.int64), return_inverse=True)[1]


def flip_signs(chunks: Sequence[Moments], flips: int, seed: int = 0) -> SignedTest:
    """Take out the background and flip the signs of chunks; the flips of all annotations are one matrix product.

    Parameters
    ----------
    chunks
        Sums of each chunk.
    flips
        Draws.
    seed
        Seed of the signs.
    """
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    if whole.bb.size:
        of_x = np.linalg.lstsq(whole.bb, whole.xb.T, rcond=1e-10)[0].T  # [annotation, background]
        of_y = np.linalg.lstsq(whole.bb, whole.by, rcond=1e-10)[0]
    else:
        of_x, of_y = np.zeros_like(whole.xb), np.zeros_like(whole.by)
    products = np.stack(
        [one.xy - of_x @ one.by - one.xb @ of_y + of_x @ one.bb @ of_y for one in chunks]
    )  # [chunk, annotation, trait]
    power = whole.xx - (of_x * whole.xb).sum(1)
    total, spread = products.sum(0), np.sqrt((products**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        effect, error, z = total / power[:, None], spread / power[:, None], total / spread
        flat = (products / spread).reshape(len(chunks), -1).astype(np.float32)
    count = np.zeros(flat.shape[1])
    limit = np.abs(z).ravel() * (1 - 1e-6)
    random = random_generator(seed, "sign flips", len(chunks))
    for low in range(0, flips, _BATCH):
        number = min(_BATCH, flips - low)
        signs = random.integers(0, 2, (number, len(chunks)), dtype=np.int8).astype(np.float32) * 2 - 1
        count += (np.abs(signs @ flat) >= limit).sum(0)
    p_value = np.maximum(count, 1).reshape(z.shape) / flips
    return SignedTest(effect, error, z, np.where(np.isfinite(z), p_value, np.nan))
